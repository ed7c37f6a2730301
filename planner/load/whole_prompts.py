"""What whole prompts do to the requests they stall: waits, own times per token, gaps."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from planner.load.birth_death import TINY, BatchLaw, batch_law
from planner.load.checks import Floats
from planner.load.curves import ReplicaCurves, rise_s
from planner.load.first_token import Delay, sojourn_excess_s
from planner.load.interplay import dispersion
from planner.load.lengths import (
    length_bins,
    length_quantile_frac,
    overlap_frac,
    third_moment_frac,
)
from planner.load.spread import batch_excess_s
from planner.load.stalls import late_s, passage, passage_moments, stall, variation
from planner.load.traffic import Traffic
from planner.load.waiting import EPS, pollaczek_wait_s, waiting_scv

SHORTEST_LIFE, N_LIVES = -3.0, 7
"""Bins of answers, the shortest of which hold the late times per token."""

SHORTEST_PROMPT, N_PROMPTS = -1.5, 6
"""Bins of prompts, the longest of which hold the late gaps."""

LARGE = 500.0
"""More than any exponent that matters, and less than overflows."""


@dataclass(frozen=True, slots=True)
class State:
    """The replica at its mean.

    busy: share of time that prompts run; stretch: 1/(1 − busy), by which they lengthen a step;
    decode steps at the law's grid, by token and by time, and their growth with the batch; slope_s:
    that of stretched steps; room: prompts that can run before the batch is full.
    """

    traffic: Traffic
    service_s: Floats
    busy: Floats
    stretch: Floats
    law: BatchLaw
    grid_decode_s: Floats
    token_decode_s: Floats
    decode_s: Floats
    slope_s: Floats
    dispersion: Floats
    room: Floats

    @property
    def n_dims(self) -> int:
        """Dimensions of what is asked."""
        traffic = self.traffic
        asked = (traffic.prompt_scv, traffic.life_scv, traffic.level_frac, self.room, self.busy)
        return max(np.ndim(value) for value in asked)

    @property
    def tokens_per_s(self) -> Floats:
        """Decode iterations of requests, per second."""
        return self.traffic.rate_per_s * self.traffic.life_tokens


def replica_state(
    traffic: Traffic, curves: ReplicaCurves, service_s: Floats, utilization: Floats
) -> State:
    """The law of the batch, counted in time that no prompt takes, and means over it."""
    busy = traffic.rate_per_s * service_s
    stretch = 1 / (1 - busy)
    rate = traffic.rate_per_s * traffic.life_tokens
    load_at_cap = np.where(traffic.rate_per_s > 0, utilization, 0)
    law = batch_law(rate * stretch, curves.log_product_s, load_at_cap, curves.grid)
    token_s, time_s, rise = (
        law.mean(curve)
        for curve in (curves.decode_s, curves.decode_before_s, rise_s(curves.grid, curves.decode_s))
    )
    return State(
        traffic=traffic,
        service_s=service_s,
        busy=busy,
        stretch=stretch,
        law=law,
        grid_decode_s=curves.decode_s,
        token_decode_s=token_s,
        decode_s=time_s,
        slope_s=rise * stretch,
        dispersion=dispersion(traffic, busy, 1),
        room=np.maximum(law.grid.cap - rate * token_s * stretch, 1),
    )


def prompt_delay(state: State) -> Delay:
    """M/G/1 wait behind prompts, the decode step under way, the own prompt."""
    traffic, service_s = state.traffic, state.service_s
    scv, level = traffic.prompt_scv, traffic.level_frac
    decoding = 1 - state.law.seen[..., 0]
    line_s = pollaczek_wait_s(traffic.rate_per_s, service_s, scv)
    bend = waiting_scv(state.busy, scv, third_moment_frac(scv))
    longer_s = sojourn_excess_s(line_s, state.busy, bend, service_s, scv, level)
    step_s = decoding * state.decode_s / 2
    return Delay(line_s + step_s + service_s, np.hypot(longer_s, step_s))


def own_time(state: State, prompt_s: Floats) -> Delay:
    """Time per token: steps stretched by the stalls of a life, and the first stall spread over it.

    Batch mates of one cluster run together, so the batch that a token sees is crowded by them. What
    clusters add to the variance of the batch comes with late stalls, the rest of it does not.
    """
    traffic = state.traffic
    drift = np.maximum(1 - state.tokens_per_s * state.slope_s, EPS)
    crowd = np.minimum((state.dispersion - 1) / drift, state.room)
    first_s = _first_mean_s(state, prompt_s) / traffic.life_tokens
    mean_s = state.token_decode_s * state.stretch + crowd * state.slope_s + first_s
    wide_s = state.stretch * batch_excess_s(
        state.law,
        state.grid_decode_s,
        state.slope_s,
        state.tokens_per_s,
        traffic.life_scv,
        traffic.level_frac,
        state.dispersion,
    )
    stalled = _stalled_time(state, prompt_s)
    alike = np.sqrt(1 - 1 / state.dispersion)
    longer_s = stalled.excess_s
    both_s = np.sqrt(longer_s**2 + wide_s**2 + 2 * alike * longer_s * wide_s)
    late = state.token_decode_s + stalled.mean_s + both_s
    return Delay(mean_s, np.maximum(late - mean_s, 0))


def _first_mean_s(state: State, prompt_s: Floats) -> Floats:
    """Mean stall behind the own prompt, by those that came during the own wait and prompt. [s].

    Taken as exponential where the batch has room for fewer.
    """
    mean_s, square = _first_moments(state, prompt_s)
    limit = state.room * state.service_s * 2 * mean_s / np.maximum(square, EPS**2)
    reached: Floats = -np.expm1(-limit)
    return mean_s * reached


def _first_moments(state: State, prompt_s: Floats) -> tuple[Floats, Floats]:
    """Mean [s] and second moment [s²] of the stall by prompts of the own sojourn, in M/G/1."""
    traffic = state.traffic
    rate, scv = traffic.rate_per_s, traffic.prompt_scv
    mean_s, variance = passage_moments(rate, prompt_s, state.service_s, scv)
    spread = (state.busy * state.stretch) ** 2 * _sojourn_square(state)
    return mean_s, variance + spread


def _sojourn_square(state: State) -> Floats:
    """E[T²] of wait and prompt in M/G/1 (Takács). [s²]."""
    traffic, busy, service_s = state.traffic, state.busy, state.service_s
    line_s = pollaczek_wait_s(traffic.rate_per_s, service_s, traffic.prompt_scv)
    third = service_s**2 * third_moment_frac(traffic.prompt_scv)
    waits = 2 * line_s**2 + busy * third / ((1 + 2) * (1 - busy))
    return waits + 2 * line_s * service_s + service_s**2 * (1 + traffic.prompt_scv)


def _stalled_time(state: State, prompt_s: Floats) -> Delay:
    """Stalls of a life per token of it, over requests.

    Given its length, a life stalls behind its prompt, if the system is not empty then, and through
    prompts that come during its other steps.
    """
    traffic, rate = state.traffic, state.traffic.rate_per_s
    lives, share = _lives(state)
    exposed_s = (lives - 1) * state.token_decode_s
    first_s, first_square = _first_moments(state, prompt_s)
    later_s, variance = passage_moments(rate, exposed_s, state.service_s, traffic.prompt_scv)
    mean_s = first_s + later_s
    square = first_square + 2 * first_s * later_s + variance + later_s**2
    chance = -np.expm1(np.log1p(-state.busy) - rate * exposed_s)
    each = stall(chance, mean_s / lives, square / lives**2)
    log_most, bluntness = _most_per_token(state, lives)

    def tail(time_s: Floats) -> Floats:
        beyond = (np.log(np.maximum(time_s, TINY)) - log_most) / bluntness
        within = 1 / (1 + np.exp(np.minimum(beyond, LARGE)))
        longer: Floats = (share * each.longer_frac(time_s) * within).sum(axis=0)
        return longer

    average_s = (share * mean_s / lives).sum(axis=0)
    spread = variation(average_s, (share * square / lives**2).sum(axis=0))
    guess_s = average_s * length_quantile_frac(spread, traffic.level_frac)
    late = late_s(tail, guess_s, traffic.level_frac)
    return Delay(average_s, np.maximum(late - average_s, 0))


def _lives(state: State) -> tuple[Floats, Floats]:
    """Steps of a life by bins, and the share of each.

    Answers are whole numbers of tokens; one of a single token has no time per token.
    """
    traffic = state.traffic
    bins, share = length_bins(traffic.life_scv, SHORTEST_LIFE, N_LIVES, state.n_dims)
    answer = (traffic.life_tokens + 1) * bins
    several = np.where(answer > 1 + 1 / 2, share, TINY)
    lives: Floats = np.maximum(answer - 1, 1)
    return lives, several / several.sum(axis=0)


def _most_per_token(state: State, lives: Floats) -> tuple[Floats, Floats]:
    """Logarithm of the longest stall per token of a life, and how blunt that limit is.

    Of the prompts of a life only so many find a place: the free ones, and those that fall free as
    the others leave, one in a mean life each. Their lengths make the limit blunt.
    """
    cap, traffic = state.law.grid.cap, state.traffic
    prompts = state.room + (cap - state.room) * lives / traffic.life_tokens
    spread = np.log1p((1 + traffic.prompt_scv) / prompts)
    # a logistic law of that variance
    bluntness = np.sqrt(spread * (1 + 2)) / np.pi
    return np.log(prompts * state.service_s / lives) - spread / 2, bluntness


def gap_quantile_s(state: State) -> Floats:
    """Quantile over steps of the time between two tokens: a step and the stall before it.

    A stall comes between steps, with its first prompts; at the start after the replica had nothing
    to decode, behind its first prompt; or, with the batch full, by one prompt for a place set free.
    """
    traffic, rate = state.traffic, state.traffic.rate_per_s
    come = -np.expm1(-rate * state.token_decode_s)
    together = np.maximum(rate * state.token_decode_s / np.maximum(come, TINY), 1)
    bins, share = length_bins(traffic.prompt_scv, SHORTEST_PROMPT, N_PROMPTS, state.n_dims)
    prompt_s = state.service_s * bins
    first_s = prompt_s * together
    between, start = (
        passage(rate, exposed_s, state.service_s, traffic.prompt_scv)
        for exposed_s in (first_s, prompt_s)
    )
    starts, singles = _starts_per_step(state), _singles_per_step(state)
    below = np.cumsum(share, axis=0) - share

    def tail(time_s: Floats) -> Floats:
        shorter = _shorter_frac(state, time_s / together)
        part = np.clip(shorter - below, 0, share)
        longer = 1 - shorter + (part * between.longer_frac(time_s - first_s)).sum(axis=0)
        behind = (share * start.longer_frac(time_s)).sum(axis=0)
        bounded = (come * longer + starts * behind) * (time_s < state.room * state.service_s)
        longest: Floats = bounded + singles * (1 - _shorter_frac(state, time_s))
        return longest

    late = late_s(tail, _typical_late_s(state, come, starts), traffic.level_frac)
    batch_s = state.law.quantile(state.grid_decode_s, traffic.level_frac) - state.token_decode_s
    wide_s = np.maximum(batch_s, 0) * np.sqrt(state.dispersion)
    gap_s: Floats = state.token_decode_s + np.hypot(late, wide_s)
    return gap_s


def _typical_late_s(state: State, come: Floats, starts: Floats) -> Floats:
    """Quantile over steps of a lognormal stall with the moments of theirs, to begin with. [s]."""
    traffic, rate, service_s = state.traffic, state.traffic.rate_per_s, state.service_s
    scv, alike = traffic.prompt_scv, state.busy * state.stretch
    mean_s, variance = passage_moments(rate, state.token_decode_s, service_s, scv)
    start_s, start_variance = passage_moments(rate, service_s, service_s, scv)
    start_square = start_variance + alike**2 * service_s**2 * (1 + scv)
    total_s = mean_s + starts * start_s
    square = variance + mean_s**2 + starts * start_square
    share = np.minimum(come + starts * state.busy, 1)
    spread = variation(total_s, square * share)
    inner = np.maximum(1 - (1 - traffic.level_frac) / np.maximum(share, TINY), 1 / 2)
    late: Floats = total_s / np.maximum(share, TINY) * length_quantile_frac(spread, inner)
    return late


def _shorter_frac(state: State, time_s: Floats) -> Floats:
    """P(prompt ≤ time_s), for a lognormal prompt."""
    sigma = np.sqrt(np.log1p(state.traffic.prompt_scv))
    over = np.log(np.maximum(time_s, TINY) / state.service_s) + sigma**2 / 2
    shorter: Floats = ndtr(over / np.maximum(sigma, EPS))
    return shorter


def _starts_per_step(state: State) -> Floats:
    """How often per step the replica begins to decode after it had nothing to.

    Prompts of one cluster come in the same step, n of them with mean 1/(1 − ρ) by Borel's law, and
    the replica is empty again when the longest answer ends, after 1 + (1 − o)·log₂ n lives, with o
    the overlap of two. By M/G/∞ nobody decodes with the chance e^(−clusters·that). E[ln n] is
    taken halfway from the harmonic mean 1/(1 − ρ/2) to the arithmetic.
    """
    log_cluster = -(np.log1p(-state.busy) + np.log1p(-state.busy / 2)) / 2
    longest = 1 + (1 - overlap_frac(state.traffic.life_scv)) * log_cluster / np.log(2)
    alone = np.maximum(state.law.seen[..., 0], TINY) ** ((1 - state.busy) * longest)
    per_step = state.traffic.rate_per_s * state.token_decode_s
    starts: Floats = np.minimum(per_step * alone / np.maximum(1 - alone, EPS), 1)
    return starts


def _singles_per_step(state: State) -> Floats:
    """How many prompts per step find the batch full, of clusters taken as exponential."""
    traffic = state.traffic
    limit = state.room * 2 / (state.stretch**2 * (1 + traffic.prompt_scv))
    return np.exp(-limit) * traffic.rate_per_s * state.token_decode_s * state.stretch
