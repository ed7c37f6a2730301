"""A pool of servers that prefill whole prompts."""

from numpy.typing import ArrayLike

from planner.load.checks import Floats, non_negative, open_fraction, positive, whole_servers
from planner.load.results import PrefillPool, answer
from planner.load.waiting import erlang_c, exponential_wait_quantile_s


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

    Mean by Allen–Cunneen, C·E[S]/(c(1−ρ))·(Ca²+Cs²)/2 with C Erlang's; tail E[W]/C·ln(C/(1−p)),
    0 when C ≤ 1−p. Exact mean for M/M/c and M/G/1. Arrays broadcast.

    requests_per_s [1/s], service_mean_s [s], *_scv squared coefficients of variation.
    Raises ValueError on negative, zero-service or non-finite input.
    """
    rate = non_negative("requests_per_s", requests_per_s)
    mean_s = positive("service_mean_s", service_mean_s)
    scv = non_negative("service_scv", service_scv)
    servers = whole_servers("n_servers", n_servers)
    spread = (non_negative("arrival_scv", arrival_scv) + scv) / 2
    utilization = rate * mean_s / servers
    stable = utilization < 1
    waits_frac = erlang_c(servers, _where_stable(utilization) * servers)
    slack = 1 - _where_stable(utilization)
    wait_mean_s = waits_frac * mean_s / (servers * slack) * spread
    wait_quantile_s = exponential_wait_quantile_s(
        waits_frac, wait_mean_s, open_fraction("quantile", quantile)
    )
    return answer(
        PrefillPool, stable, utilization, wait_mean_s=wait_mean_s, wait_quantile_s=wait_quantile_s
    )


def prefill_pool_saturation_per_s(service_mean_s: ArrayLike, n_servers: ArrayLike) -> Floats:
    """Request rate at which a prefill pool becomes unstable: c/E[S]. Returns: [1/s]"""
    return whole_servers("n_servers", n_servers) / positive("service_mean_s", service_mean_s)


def _where_stable(utilization: Floats) -> Floats:
    """Utilization with unstable entries as 0, so that the formulas stay finite; masked later."""
    return utilization * (utilization < 1)
