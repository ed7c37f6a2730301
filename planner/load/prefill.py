"""A pool of servers that prefill whole prompts."""

import numpy as np
from numpy.typing import ArrayLike

from planner.load.blocks import in_blocks
from planner.load.checks import Floats, non_negative, open_fraction, positive, whole_servers
from planner.load.lengths import gamma_third_moment_frac
from planner.load.results import PrefillPool, answer
from planner.load.waiting import EPS, erlang_c, wait_quantile_s, waiting_scv


@in_blocks()
def prefill_pool(
    requests_per_s: ArrayLike,
    service_mean_s: ArrayLike,
    service_scv: ArrayLike,
    n_servers: ArrayLike,
    *,
    arrival_scv: ArrayLike = 1.0,
    quantile: ArrayLike = 0.99,
) -> PrefillPool:
    """GI/G/c, first come first served: waits of a prefill pool of `n_servers`.

    Mean by Allen–Cunneen, C·E[S]/(c(1−ρ))·(Ca²+Cs²)/2; exact for M/M/c and M/G/1. C is Erlang's,
    for other than Poisson arrivals of the servers and load shrunk by the peakedness
    1 + (Ca²−1)/(1+Cs²) (Hayward), and below Ca² = 1 the mean shrinks as Kraemer and
    Langenbach-Belz found. The tail E[W]/C·ln(C/(1−p)), 0 when C ≤ 1−p, is bent to the SCV of an
    M/G/1 wait: exact for M/M/c, lighter for constant service. One request per server at a time.

    requests_per_s [1/s], service_mean_s [s], *_scv squared coefficients of variation broadcast.
    Raises ValueError on negative, zero-service or non-finite input.
    """
    rate = non_negative("requests_per_s", requests_per_s)
    mean_s = positive("service_mean_s", service_mean_s)
    scv = non_negative("service_scv", service_scv)
    servers = whole_servers("n_servers", n_servers)
    arrivals = non_negative("arrival_scv", arrival_scv)
    level = open_fraction("quantile", quantile)
    utilization = rate * mean_s / servers
    stable = utilization < 1
    # unstable rows run as if empty, so that the formulas stay finite; they are masked at the end
    load = np.where(stable, utilization, 0)
    peaked = np.maximum(1 + (arrivals - 1) / (1 + scv), EPS)
    waits_frac = erlang_c(servers / peaked, load * servers / peaked)
    wait_s = waits_frac * mean_s / (servers * (1 - load)) * _spread(arrivals, scv, load)
    bend = waiting_scv(load, scv, gamma_third_moment_frac(scv))
    tail_s = wait_quantile_s(waits_frac, wait_s, level, bend)
    return answer(PrefillPool, stable, utilization, wait_mean_s=wait_s, wait_quantile_s=tail_s)


def prefill_pool_saturation_per_s(service_mean_s: ArrayLike, n_servers: ArrayLike) -> Floats:
    """Request rate at which a prefill pool becomes unstable: c/E[S]. Returns: [1/s]."""
    return whole_servers("n_servers", n_servers) / positive("service_mean_s", service_mean_s)


def _spread(arrivals: Floats, scv: Floats, load: Floats) -> Floats:
    """(Ca² + Cs²)/2, less for arrivals steadier than Poisson (Kraemer, Langenbach-Belz 1976)."""
    steady = np.maximum(1 - arrivals, 0) ** 2
    both = np.maximum(load * (arrivals + scv), EPS)
    spread: Floats = (arrivals + scv) / 2 * np.exp(-2 * (1 - load) * steady / ((1 + 2) * both))
    return spread
