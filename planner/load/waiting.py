"""Waiting lines: Erlang's formula, corrections for two moments, tails of a wait."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma, gammaincc, gammaln

from planner.load.birth_death import TINY
from planner.load.checks import Floats

EPS = np.sqrt(np.finfo(np.float64).eps)


def erlang_c(n_servers: Floats, offered: Floats) -> Floats:
    """P(wait) in M/M/c with offered load a = λE[S] < c (Erlang 1917); c need not be whole.

    Through Erlang B as a ratio of the Poisson pmf to its cdf, safe for any number of servers.
    """
    load = np.minimum(offered, n_servers)
    log_pmf = n_servers * np.log(np.maximum(load, TINY)) - load - gammaln(n_servers + 1)
    blocked = np.exp(log_pmf) * (load > 0) / gammaincc(n_servers + 1, load)
    waits: Floats = blocked / (1 - load / n_servers * (1 - blocked))
    return waits


def pollaczek_wait_s(rate: Floats, mean_s: Floats, scv: Floats) -> Floats:
    """E[W] of M/G/1: λE[S²]/(2(1−ρ)) (Pollaczek–Khinchine), for ρ < 1. [s]."""
    return rate * mean_s**2 * (1 + scv) / (2 * (1 - rate * mean_s))


def waiting_scv(load: Floats, scv: Floats, third_moment_frac: Floats) -> Floats:
    """SCV of the wait of those who wait in M/G/1 (Takács), from E[S³]/E[S]³; 1 in M/M/1."""
    residual = (1 + 1 / (1 + 2)) * third_moment_frac / (1 + scv) ** 2
    return 2 * load + (1 - load) * residual - 1


def wait_quantile_s(
    waits_frac: Floats, mean_s: Floats, level: Floats, scv: Floats | float = 1.0
) -> Floats:
    """Quantile of a wait that is 0 with P = 1 − C, else Weibull with the given SCV. [s].

    At SCV 1 this is the exponential tail E[W]/C·ln(C/(1−p)); 0 where C ≤ 1 − p.
    waits_frac: C; mean_s: E[W] over all. A Weibull of SCV v has a shape near 1/√v.
    """
    waits = waits_frac > 1 - level
    share = np.where(waits, waits_frac, 1)
    power = np.sqrt(scv)
    tail = np.log(share / (1 - level)) ** power / gamma(1 + power)
    return np.where(waits, mean_s / share * tail, 0)


def wait_tail(wait_s: Floats, waits_frac: Floats, mean_s: Floats, scv: Floats | float) -> Floats:
    """P(wait > wait_s) of the wait whose quantiles `wait_quantile_s` gives; mean_s over all. [1]"""
    power = np.sqrt(scv)
    typical_s = np.maximum(mean_s, TINY) / np.maximum(waits_frac, TINY)
    tail: Floats = waits_frac * np.exp(-((wait_s / typical_s * gamma(1 + power)) ** (1 / power)))
    return tail


def length_spread_factor(scv: Floats, n_servers: Floats | NDArray[np.intp], load: Floats) -> Floats:
    """E[W] of M/G/c over that of M/M/c: (1 + scv)/(2scv + (1 − scv)/d) (Kimura 1986).

    d is the factor of constant service: c/(c + 1) in light traffic, 1/2 in heavy, linear in
    between; so (1 + scv)/2 for one server.
    """
    constant = load / 2 + (1 - load) * n_servers / (n_servers + 1)
    return (1 + scv) / (2 * scv + (1 - scv) / constant)


def place_wait_s(
    full_frac: Floats, rate: Floats, saturation: Floats, scv: Floats, cap: NDArray[np.intp]
) -> Floats:
    """Mean wait for a place in a batch that is full with P = full_frac; 0 if unstable. [s]."""
    drained_per_s = np.maximum(saturation - rate, 0)
    factor = length_spread_factor(scv, cap, np.minimum(rate / saturation, 1))
    safe = np.where(drained_per_s > 0, drained_per_s, 1)
    return np.where(drained_per_s > 0, full_frac * factor / safe, 0)


def pooled_wait_frac(
    load: Floats, n_queues: Floats, arrival_scv: Floats | float, scv: Floats | float
) -> Floats:
    """Wait left when requests go where they can start first, not to a random queue.

    The M/M/c over the M/M/1 wait at equal load, C/(cρ), times the burstiness of arrivals over that
    of a Poisson stream (Allen–Cunneen): the same routing that the shared prefill queue assumes.
    """
    whole = np.maximum(np.floor(n_queues), 1)
    pooled = erlang_c(whole, whole * load) / (whole * load)
    left: Floats = pooled * (arrival_scv + scv) / (1 + scv)
    return left
