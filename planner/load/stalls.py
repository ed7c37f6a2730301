"""How long decode stands still for whole prompts: the law of a stall, and late stalls of a mixture.

Prompts that come while others run make the stall longer. If prompts come for a time τ before the
first of them runs, the stall is the first passage to zero of their work: 0 with the chance e^−λτ,
mean ρτ/(1 − ρ), variance λE[S²]τ/(1 − ρ)³ (Takács, Introduction to the Theory of Queues, 1962).
Its positive part is taken as inverse Gaussian, the first passage of a Brownian motion, by these
moments (Schrödinger 1915; Folks, Chhikara 1978).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx

from planner.load.birth_death import TINY
from planner.load.checks import Floats

N_TERMS = 6
"""Degree of the polynomial for the tail of a normal law: good to five digits."""

N_STEPS = 6
"""Evaluations of a tail on the way to a quantile: within 3 % from a guess within threefold."""

FARTHEST = 25.0
"""A deviate beyond which nothing of a normal law is left, over √2."""

WIDEST = 2
"""How far from a guess a quantile may lie, and a tail from a level, on the scale of logarithms."""

N_FITTED = 40
"""Points that the polynomial is fitted to, closest together at both ends."""

_ANGLES = (np.arange(N_FITTED) + 1 / 2) * np.pi / N_FITTED
_NEARNESS = (1 + np.cos(_ANGLES)) / 2
_TAIL = np.polyfit(_NEARNESS, erfcx(1 / _NEARNESS - 1), N_TERMS)


def scaled_tail(x: Floats) -> Floats:
    """e^x²·erfc(x) for x ≥ 0, as a polynomial in 1/(1 + x): several times as fast as exact. [1]"""
    near = 1 / (1 + x)
    tail: Floats = _TAIL[0] * near + _TAIL[1]
    for term in _TAIL[2:]:
        tail *= near
        tail += term
    return tail


def normal_tail(deviate: Floats) -> Floats:
    """P(N > deviate) of a standard normal law. [1]"""
    over = np.abs(np.clip(deviate / np.sqrt(2), -FARTHEST, FARTHEST))
    half = np.exp(-(over**2)) / 2 * scaled_tail(over)
    tail: Floats = np.where(deviate > 0, half, 1 - half)
    return tail


@dataclass(frozen=True, slots=True)
class Stall:
    """A stall that is 0 or inverse Gaussian: P(not 0), and mean and SCV of the positive part."""

    chance_frac: Floats
    mean_s: Floats
    scv: Floats

    def longer_frac(self, time_s: Floats) -> Floats:
        """P(stall > time_s), for times ≥ 0."""
        # normal deviates over √2, as erfc takes them
        frac = np.maximum(time_s / self.mean_s, TINY)
        width = np.minimum(1 / np.sqrt(2 * self.scv * frac), FARTHEST)
        beyond = np.clip(width * (frac - 1), -FARTHEST, FARTHEST)
        mirrored = width * (frac + 1)
        density = np.exp(-(beyond**2)) / 2
        tail = density * scaled_tail(np.abs(beyond))
        tail = np.where(beyond > 0, tail, 1 - tail) - density * scaled_tail(mirrored)
        longer: Floats = self.chance_frac * np.maximum(tail, 0)
        return longer


def stall(chance_frac: Floats, mean_s: Floats, square: Floats) -> Stall:
    """The stall of a chance, with its mean [s] and second moment [s²] over all, zeros included."""
    chance = np.maximum(chance_frac, TINY)
    positive_s = np.maximum(mean_s / chance, np.sqrt(TINY))
    scv = variation(positive_s, square / chance)
    return Stall(chance, positive_s, np.maximum(scv, np.finfo(np.float64).eps))


def variation(mean_s: Floats, square: Floats) -> Floats:
    """Squared coefficient of variation of a time from its mean and second moment. [1]"""
    scv: Floats = np.maximum(square / np.maximum(mean_s**2, TINY) - 1, 0)
    return scv


def passage(rate: Floats, exposure_s: Floats, service_s: Floats, scv: Floats) -> Stall:
    """The stall by prompts of M/G/1 that come at `rate` during `exposure_s`."""
    mean_s, variance = passage_moments(rate, exposure_s, service_s, scv)
    return stall(-np.expm1(-rate * exposure_s), mean_s, variance + mean_s**2)


def passage_moments(
    rate: Floats, exposure_s: Floats, service_s: Floats, scv: Floats
) -> tuple[Floats, Floats]:
    """Mean [s] and variance [s²] of the stall by prompts that come during `exposure_s`."""
    idle = 1 - rate * service_s
    mean_s = rate * service_s * exposure_s / idle
    return mean_s, rate * exposure_s * service_s**2 * (1 + scv) / idle**2 / idle


def late_s(
    tail: Callable[[Floats], Floats], start_s: Floats, level: Floats, chance_frac: Floats
) -> Floats:
    """Time that 1 − level of a falling tail exceeds, 0 where not so many exceed any. [s].

    False position on the logarithms of both, where tails bend little, with the value at an end that
    stays halved (Illinois; Dowell, Jarratt 1971). start_s: a guess; chance_frac: the tail at 0.
    """
    rare = np.maximum(1 - level, TINY)

    def height(log_time: Floats) -> Floats:
        return np.clip(np.log(np.maximum(tail(np.exp(log_time)), TINY) / rare), -WIDEST, WIDEST)

    middle = np.log(np.maximum(start_s, TINY))
    at = height(middle)
    low, high = np.where(at > 0, middle, middle - WIDEST), np.where(at > 0, middle + WIDEST, middle)
    above, below = np.where(at > 0, at, WIDEST), np.where(at > 0, -WIDEST, at)
    for _ in range(N_STEPS):
        now = low + (high - low) * above / (above - below)
        at = height(now)
        early = at > 0
        above, below = np.where(early, at, above / 2), np.where(early, below / 2, at)
        low, high = np.where(early, now, low), np.where(early, high, now)
    now = low + (high - low) * above / (above - below)
    return np.where(chance_frac > rare, np.exp(now), 0)
