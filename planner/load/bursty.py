"""A prefill pool under bursty arrivals: waits over a whole log, in closed form.

The minutes of the log are known, so their backlog is carried on as a fluid (Lindley's recursion).
Inside a minute bursts follow from the index of dispersion by length of window: a request waits
longer than x where the work that came in some window t behind it exceeds what the servers do in
t + x (network calculus, with the beta law of `shares` for the work). Where bursts do not reach,
Poisson arrivals at the minute's rate wait as `prefill_pool` says; the larger of both counts. How
close this comes to replays of real logs stands in docs/bursts.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.facts.units import MINUTE_S
from planner.load.bursts import Bursts
from planner.load.checks import Floats, non_negative, open_fraction, positive, whole_servers
from planner.load.lengths import gamma_third_moment_frac, longer_frac, measured_longer_frac
from planner.load.results import BurstyPool, Flags, answer
from planner.load.shares import FRACTIONS, SMALLEST
from planner.load.waiting import EPS, erlang_c, wait_quantile_s, wait_tail, waiting_scv

N_HALVINGS = 40
N_STEPS = 96


def bursty_pool(
    bursts: Bursts,
    service_mean_s: ArrayLike,
    service_scv: ArrayLike,
    n_servers: ArrayLike,
    *,
    busy_load: float,
    quantile: float = 0.99,
) -> BurstyPool:
    """G/GI/c, first come first served, over a whole log: waits and TTFT of all its requests.

    service_mean_s [s] and n_servers broadcast; service_scv: of the lengths, one number.
    busy_load: load above which a minute is hot, and answered on the safe side (see below).
    Raises ValueError on negative, zero-service or non-finite input. Where the mean load reaches 1
    the answer is infinite. Meant for services much shorter than a minute.
    """
    mean_s, servers = np.broadcast_arrays(
        positive("service_mean_s", service_mean_s), whole_servers("n_servers", n_servers)
    )
    scv = non_negative("service_scv", service_scv)
    level = float(open_fraction("quantile", quantile))
    busy = float(positive("busy_load", busy_load))
    pool = _minutes(bursts, mean_s.ravel(), scv, servers.ravel(), busy)
    grid_s, tails = _wait_tails(bursts, pool)
    weight = bursts.requests / bursts.requests.sum()
    both = tails @ weight
    wait_s = np.trapezoid(both, grid_s, axis=-1)
    found = {
        "wait_mean_s": wait_s,
        "wait_median_s": _grid_quantile_s(grid_s, both, 1 / 2),
        "wait_quantile_s": _grid_quantile_s(grid_s, both, level),
        "ttft_mean_s": wait_s + pool.mean_s,
        "ttft_median_s": _ttft_quantile_s(bursts, pool, grid_s, tails, 1 / 2),
        "ttft_quantile_s": _ttft_quantile_s(bursts, pool, grid_s, tails, level),
    }
    shaped = {name: value.reshape(mean_s.shape) for name, value in found.items()}
    mean_load, peak = pool.load.mean(axis=-1), pool.load.max(axis=-1)
    return answer(
        BurstyPool,
        (mean_load < 1).reshape(mean_s.shape),
        mean_load.reshape(mean_s.shape),
        peak_utilization=peak.reshape(mean_s.shape),
        **shaped,
    )


@dataclass(frozen=True, slots=True)
class _Minutes:
    """Pools (a) through minutes (k): work and backlog [server-seconds], loads, and hot minutes.

    mean_s: service over the log; service_s: of the minute's own requests.
    settled_load: what the waits inside a minute have had time to settle to.
    """

    mean_s: Floats
    service_s: Floats
    scv: Floats
    servers: Floats
    work_s: Floats
    load: Floats
    settled_load: Floats
    backlog_s: Floats
    hot: Flags


def _minutes(
    bursts: Bursts, mean_s: Floats, scv: Floats, servers: Floats, busy_load: float
) -> _Minutes:
    """Loads and fluid backlogs at the start of each minute.

    A queue settles within a minute up to the load where its relaxation time (1 + SCV)/2·E[S]/c
    over (1 − √ρ)² is a minute (Morse 1955 for M/M/1); to the mean load it settles in any case.
    """
    work_s = mean_s[:, None] * bursts.work_requests
    room_s = MINUTE_S * servers[:, None]
    load = work_s / room_s
    mean_load = load.mean(axis=-1, keepdims=True)
    relaxed = 1 - np.sqrt(np.minimum((1 + scv) / 2 * mean_s / (MINUTE_S * servers), 1))[:, None]
    most = np.minimum(np.maximum(relaxed**2, mean_load), 1 - EPS)
    backlog_s = np.zeros_like(work_s)
    for minute in range(1, work_s.shape[-1]):
        left_s = backlog_s[:, minute - 1] + work_s[:, minute - 1] - room_s[:, 0]
        backlog_s[:, minute] = np.maximum(left_s, 0)
    hot = (load > busy_load * (1 + EPS)) | (backlog_s > 0)
    settled = np.minimum(load, most)
    own_s = mean_s[:, None] * bursts.length_frac
    return _Minutes(mean_s, own_s, scv, servers, work_s, load, settled, backlog_s, hot)


def _wait_tails(bursts: Bursts, pool: _Minutes) -> tuple[Floats, Floats]:
    """Waits x [s], shape (a, x), and P(wait > x) by minute, shape (a, x, k)."""
    servers = pool.servers[:, None]
    waits_frac = erlang_c(servers, pool.settled_load * servers)
    free = servers * (1 - pool.settled_load)
    mean_s = waits_frac * pool.mean_s[:, None] / free * (1 + pool.scv) / 2
    bend = waiting_scv(pool.settled_load, pool.scv, gamma_third_moment_frac(pool.scv))
    late_s = wait_quantile_s(waits_frac, mean_s, np.asarray(1 - SMALLEST), bend)
    longest_s = np.maximum(late_s, (pool.backlog_s + pool.work_s) / servers).max(axis=-1)
    longest_s = longest_s + pool.mean_s
    steps = np.linspace(0, -np.log(SMALLEST), N_STEPS)
    grid_s = longest_s[:, None] * np.expm1(steps) / np.expm1(steps[-1])
    x_s = grid_s[..., None]
    settled = wait_tail(x_s, waits_frac[:, None], mean_s[:, None], bend[:, None])
    before_s = np.append(np.zeros_like(x_s[:, :1]), x_s[:, :-1], axis=1)
    hot = pool.hot[:, None]
    later_s = np.where(hot, before_s, x_s) - np.where(hot, mean_s[:, None], 0)
    return grid_s, np.maximum(settled, _burst_tails(bursts, pool, later_s))


def _burst_tails(bursts: Bursts, pool: _Minutes, x_s: Floats) -> Floats:
    """P(wait > x) by the work of some window behind the arrival, shape (a, x, k).

    Servers that were free take c − 1 requests at once. Hot minutes carry their backlog and the
    counting noise of arrivals and lengths, and get no credit for free servers: the safe side.
    """
    noise_scv = (1 + pool.scv) / np.maximum(bursts.requests, 1)
    hot_minutes = np.flatnonzero(pool.hot.any(axis=0))
    cold = bursts.inside.log_tails()
    warm = bursts.inside.with_noise(noise_scv[hot_minutes]).log_tails(safe=True)
    table = np.concatenate([cold[None], warm])
    row = np.zeros(len(bursts.requests), dtype=np.intp)
    row[hot_minutes] = 1 + np.arange(len(hot_minutes))
    row = np.where(pool.hot, row, 0)[:, None]
    servers = pool.servers[:, None, None]
    free_s = np.where(pool.hot, 0, (pool.servers - 1)[:, None] * pool.mean_s[:, None])[:, None]
    work_s = np.maximum(pool.work_s, EPS)[:, None]
    log_tail = np.full(np.broadcast_shapes(x_s.shape, work_s.shape), -np.inf)
    for window, t_s in enumerate(bursts.inside.window_s):
        share = (servers * (x_s + t_s) + free_s - pool.backlog_s[:, None]) / work_s
        log_tail = np.maximum(log_tail, _looked_up(table[:, window], row, share))
    tails: Floats = np.exp(log_tail)
    return tails


def _looked_up(table: Floats, row: NDArray[np.intp], share: Floats) -> Floats:
    """Log P(share exceeded) from a table by row and `FRACTIONS`, linear between them."""
    place = 1 - np.log(np.maximum(share, FRACTIONS[0])) / np.log(FRACTIONS[0])
    place = np.minimum(place, 1) * (len(FRACTIONS) - 1)
    left = np.minimum(place.astype(np.intp), len(FRACTIONS) - 2)
    low, high = table[row, left], table[row, left + 1]
    between = low + (place - left) * (high - low)
    inside: Floats = np.where(share >= 1, -np.inf, between)
    return np.where(share <= 0, 0, inside)


def _grid_quantile_s(grid_s: Floats, tail: Floats, level: float) -> Floats:
    """Where the tail falls to 1 − level, by pool."""
    pairs = zip(grid_s, tail, strict=True)
    return np.array([np.interp(1 - level, row[::-1], x_s[::-1]) for x_s, row in pairs])


def _ttft_quantile_s(
    bursts: Bursts, pool: _Minutes, grid_s: Floats, tails: Floats, level: float
) -> Floats:
    """Quantile of wait plus own service; in hot minutes services are as long as theirs are."""
    weight = bursts.requests / bursts.requests.sum()
    waiting = -np.diff(tails, axis=1, append=0) * weight
    at_once = (1 - tails[:, 0]) * weight
    middle_s = (grid_s + np.append(grid_s[:, 1:], grid_s[:, -1:], axis=1)) / 2
    any_hot = pool.hot.any(axis=-1, keepdims=True)
    mean_s = pool.mean_s[:, None]
    own_s = np.where(any_hot, np.maximum(pool.service_s, mean_s), mean_s)

    def late_frac(ttft_s: Floats) -> Floats:
        left_s = ttft_s[:, None, None] - middle_s[..., None]
        late = (waiting * _longer_frac(bursts, pool.scv, left_s / own_s[:, None])).sum(axis=(1, 2))
        alone = _longer_frac(bursts, pool.scv, ttft_s[:, None] / own_s)
        found: Floats = late + (at_once * alone).sum(axis=-1)
        return found

    low_s, high_s = np.zeros(len(own_s)), grid_s[:, -1] + own_s.max(axis=-1) / SMALLEST
    for _ in range(N_HALVINGS):
        middle = (low_s + high_s) / 2
        above = late_frac(middle) > 1 - level
        low_s, high_s = np.where(above, middle, low_s), np.where(above, high_s, middle)
    found_s: Floats = high_s
    return found_s


def _longer_frac(bursts: Bursts, scv: Floats, length_frac: Floats) -> Floats:
    """Share of lengths above `length_frac` of their mean: measured, else lognormal."""
    if bursts.lengths_frac:
        return measured_longer_frac(length_frac, bursts.lengths_frac)
    return longer_frac(length_frac, scv)
