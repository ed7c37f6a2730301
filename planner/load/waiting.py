"""Waiting lines: Erlang's formulas, two-moment corrections and exponential tails."""

import numpy as np
from scipy.special import gammaln, pdtr

from planner.load.checks import Floats


def erlang_c(n_servers: Floats, offered: Floats) -> Floats:
    """P(wait) in M/M/c with offered load a = λE[S] < c (Erlang 1917). Arrays broadcast.

    Through Erlang B as a ratio of the Poisson pmf to its cdf, safe for any number of servers.
    """
    load = np.minimum(offered, n_servers)
    log_pmf = n_servers * np.log(np.maximum(load, np.finfo(np.float64).tiny)) - load
    blocked = np.exp(log_pmf - gammaln(n_servers + 1)) / pdtr(n_servers, load)
    return blocked / (1 - load / n_servers * (1 - blocked))


def exponential_wait_quantile_s(waits_frac: Floats, mean_s: Floats, quantile: Floats) -> Floats:
    """Quantile of a wait that is 0 with P = 1 − C and else exponential: E[W]/C·ln(C/(1−p)).

    0 where C ≤ 1 − p. waits_frac: C; mean_s: E[W] over all requests. Returns [s].
    """
    waits = waits_frac > 1 - quantile
    safe = np.where(waits, waits_frac, 1)
    return np.where(waits, mean_s / safe * np.log(safe / (1 - quantile)), 0)


def pollaczek_wait_s(rate: Floats, mean_s: Floats, scv: Floats) -> Floats:
    """E[W] of M/G/1: λE[S²]/(2(1−ρ)) (Pollaczek–Khinchine); meaningless at ρ ≥ 1. [s]"""
    slack = np.maximum(1 - rate * mean_s, np.finfo(np.float64).eps)
    return rate * mean_s**2 * (1 + scv) / (2 * slack)
