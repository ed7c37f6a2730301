"""Bursty arrivals in closed form against replays of real logs.

`python -m tests.oracle.replay FOLDER > docs/bursts.md` renews that page (a minute or two); FOLDER
holds the whole logs (default: the shipped ones, of which Mooncake is an excerpt).
"""

import csv
import heapq
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from planner.demand.audit import audit
from planner.load.bursts import Bursts, audited_bursts, busiest_minute, logged_bursts
from planner.load.lengths import length_quantile_frac
from planner.load.queueing import PrefillPool, bursty_pool, prefill_pool

TRACES = Path(__file__).parents[2] / "hardware_catalog" / "traces"
SERVERS = (4, 8, 16, 32, 64)
PEAK_LOADS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.14, 1.3, 1.5)
BUSY_LOAD = 0.9
LEVEL = 0.99
LEVELS = (0.5, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Log:
    """Arrivals [s] in order and their prompts [tokens]."""

    name: str
    at_s: np.ndarray
    tokens: np.ndarray


@dataclass(frozen=True)
class Case:
    """One replay: loads on the mean and in the minute with most work; p99 [s].

    own_s: of the service alone.
    """

    log: str
    servers: int
    load: float
    peak: float
    own_s: float
    replayed_s: float
    ours_s: float
    poisson_s: float

    @property
    def error(self) -> float:
        return self.ours_s / self.replayed_s - 1

    @property
    def poisson_error(self) -> float:
        return self.poisson_s / self.replayed_s - 1


def read_log(path: Path) -> Log:
    """A log in the layouts of `hardware_catalog/traces/README.md`, read without the planner."""
    with path.open() as lines:
        rows = (
            [json.loads(line) for line in lines]
            if path.suffix == ".jsonl"
            else [*csv.DictReader(lines)]
        )
    if "TIMESTAMP" in rows[0]:
        at = [datetime.fromisoformat(row["TIMESTAMP"][:26]).timestamp() for row in rows]
        tokens = [row["ContextTokens"] for row in rows]
    elif "timestamp" in rows[0]:
        at, tokens = [row["timestamp"] / 1e3 for row in rows], [row["input_length"] for row in rows]
    else:
        at = [float(row["seconds"]) for row in rows]
        tokens = [row["input_tokens"] for row in rows]
    order = np.argsort(at, kind="stable")
    at_s = np.array(at)[order]
    return Log(path.stem, at_s - at_s[0], np.array(tokens, dtype=float)[order])


def minutes(log: Log) -> tuple[np.ndarray, np.ndarray]:
    """Requests and tokens by minute."""
    minute = (log.at_s // 60).astype(int)
    return np.bincount(minute), np.bincount(minute, weights=log.tokens)


def waits_s(at_s: np.ndarray, service_s: np.ndarray, servers: int) -> np.ndarray:
    """Waits in GI/GI/c, first come first served (Kiefer and Wolfowitz 1955)."""
    free_s = [0.0] * servers
    waits = []
    for at, service in zip(at_s.tolist(), service_s.tolist(), strict=True):
        start = max(at, free_s[0])
        waits.append(start - at)
        heapq.heapreplace(free_s, start + service)
    return np.array(waits)


def replayed_ttft_s(log: Log, servers: int, s_per_token: float, level: float = LEVEL) -> float:
    service_s = log.tokens * s_per_token
    return float(np.quantile(waits_s(log.at_s, service_s, servers) + service_s, level))


def s_per_token(log: Log, servers: int, peak: float) -> float:
    """The speed at which the minute with most work loads its servers to `peak`."""
    return peak * 60 * servers / minutes(log)[1].max()


def measured_bursts(log: Log) -> Bursts:
    """What an audit would say of a log, counted here."""
    requests, tokens = minutes(log)
    lengths = {
        q: float(np.quantile(log.tokens, q) / log.tokens.mean()) for q in (0.5, 0.9, 0.95, 0.99)
    }
    return logged_bursts(requests, tokens, dispersion(log), lengths_frac=lengths)


def dispersion(log: Log) -> dict[str, float]:
    """Variance over mean of the arrivals in whole windows."""
    found = {}
    for window in ("0.1", "1", "10", "60"):
        width_us = round(float(window) * 1e6)
        at_us = np.round(log.at_s * 1e6).astype(int)
        whole = at_us[-1] // width_us
        counts = np.bincount(at_us // width_us, minlength=whole)[:whole]
        found[window] = float(counts.var() / counts.mean())
    return found


def scv(log: Log) -> float:
    return float(log.tokens.var() / log.tokens.mean() ** 2)


def compared(
    log: Log, bursts: Bursts, servers: Sequence[int] = SERVERS, peaks: Sequence[float] = PEAK_LOADS
) -> list[Case]:
    """Replay against the closed form and against Poisson arrivals at the mean rate."""
    pools = [(c, peak) for c in servers for peak in peaks]
    speed = np.array([s_per_token(log, c, peak) for c, peak in pools])
    mean_s, n_servers = speed * log.tokens.mean(), np.array([c for c, _ in pools])
    ours = bursty_pool(bursts, mean_s, scv(log), n_servers, busy_load=BUSY_LOAD, quantile=LEVEL)
    rate = ours.utilization * n_servers / mean_s
    calm = prefill_pool(rate, mean_s, scv(log), n_servers, quantile=LEVEL)
    return [
        Case(
            log=log.name,
            servers=c,
            load=float(ours.utilization[i]),
            peak=peak,
            own_s=float(np.quantile(log.tokens, LEVEL) * speed[i]),
            replayed_s=replayed_ttft_s(log, c, float(speed[i])),
            ours_s=float(ours.ttft_quantile_s[i]),
            poisson_s=float(together_s(calm, i, mean_s[i], scv(log))),
        )
        for i, (c, peak) in enumerate(pools)
        if ours.stable[i]
    ]


def together_s(pool: PrefillPool, i: int, mean_s: float, spread: float) -> float:
    """Wait and own lognormal service: their excesses over the means add as squares."""
    longer_s = mean_s * (length_quantile_frac(np.array(spread), np.array(LEVEL)) - 1)
    late_s = max(pool.wait_quantile_s[i] - pool.wait_mean_s[i], 0)
    return pool.wait_mean_s[i] + mean_s + np.hypot(late_s, longer_s)


def thinned(log: Log, seed: int) -> Log:
    """Every other request, at random: half as many users."""
    kept = np.random.default_rng(seed).random(len(log.at_s)) < 0.5
    return Log(
        f"{log.name}, half of the users", log.at_s[kept] - log.at_s[kept][0], log.tokens[kept]
    )


def doubled(log: Log) -> Log:
    """The log on top of itself, a third of its length later: two tenants."""
    span = log.at_s[-1]
    at_s = np.concatenate([log.at_s, (log.at_s + span / 3) % span])
    order = np.argsort(at_s, kind="stable")
    return Log(f"{log.name}, two tenants", at_s[order], np.tile(log.tokens, 2)[order])


def half(log: Log, *, second: bool) -> Log:
    """One half of the time."""
    middle = log.at_s[-1] / 2
    kept = (log.at_s >= middle) == second
    at_s = log.at_s[kept]
    return Log(
        f"{log.name}, {'second' if second else 'first'} half", at_s - at_s[0], log.tokens[kept]
    )


def with_constant(log: Log) -> Log:
    """A constant part of half a mean prompt in each service."""
    return Log(f"{log.name}, constant part", log.at_s, log.tokens + log.tokens.mean() / 2)


def derived(log: Log) -> Iterator[Log]:
    """Logs on which the closed form was not developed."""
    yield thinned(log, seed=1)
    yield doubled(log)
    yield half(log, second=False)
    yield half(log, second=True)
    yield with_constant(log)


def main() -> None:
    """Print the page."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else TRACES
    paths = sorted(path for path in folder.iterdir() if path.suffix in {".csv", ".jsonl"})
    whole, others, peaks = [], [], []
    for path in paths:
        log = read_log(path)
        whole += compared(log, audited_bursts(audit(path)))
        peaks.append(peak_minute(log, audited_bursts(audit(path))))
        for other in derived(log):
            others += compared(other, measured_bursts(other))
    page = [INTRO, *summary(whole), OTHERS, *summary(others), CAUSES + PEAK.rstrip(), *peaks]
    sys.stdout.write("\n".join([*page, ALL, *HEAD, *full(whole), ""]))


def peak_minute(log: Log, bursts: Bursts) -> str:
    """Errors of the p99 of requests that come in the minute with most work, a row of the page."""
    _, tokens = minutes(log)
    inside = (log.at_s // 60).astype(int) == tokens.argmax()
    gaps = np.diff(log.at_s[inside])
    rate = tokens.max() / log.tokens.mean() / 60
    errors: list[tuple[float, float]] = []
    for c in SERVERS:
        for peak in (load for load in PEAK_LOADS if load <= BUSY_LOAD):
            service_s = log.tokens * s_per_token(log, c, peak)
            ttft_s = waits_s(log.at_s, service_s, c) + service_s
            mean_s = service_s.mean()
            ours = bursty_pool(busiest_minute(bursts), mean_s, scv(log), c, busy_load=BUSY_LOAD)
            uneven = gaps.var() / gaps.mean() ** 2
            calm = prefill_pool([rate], mean_s, scv(log), c, arrival_scv=uneven)
            found = np.array([ours.ttft_quantile_s, together_s(calm, 0, mean_s, scv(log))])
            errors.append(tuple(found / np.quantile(ttft_s[inside], LEVEL) - 1))
    both = np.array(errors).T
    shown = (f"{np.median(abs(e)):.0%} | {e.min():+.0%} to {e.max():+.0%}" for e in both)
    return f"| {log.name} | {' | '.join(shown)} |"


def summary(cases: list[Case]) -> Iterator[str]:
    """By log: share within 25 % below a busy peak minute, and the lowest error above it."""
    yield from SUMMARY
    for name in dict.fromkeys(case.log for case in cases):
        mine = [case for case in cases if case.log == name]
        calm = [case for case in mine if case.peak <= BUSY_LOAD]
        error = np.array([case.error for case in calm])
        waiting = [abs(case.error) for case in calm if case.replayed_s > 1.05 * case.own_s]
        busy = np.array([case.error for case in mine if case.peak > BUSY_LOAD])
        poisson = min(case.poisson_error for case in calm)
        near = np.mean(np.abs(error) <= 0.25)
        yield (
            f"| {name} | {near:.0%} of {len(error)} | {len(waiting)} | {np.median(waiting):.0%}"
            f" | {error.min():+.0%} to {error.max():+.0%} | {poisson:+.0%}"
            f" | {np.mean(busy >= 0):.0%} of {len(busy)} | {busy.min():+.1%} to {busy.max():+.0%} |"
        )


def full(cases: list[Case]) -> Iterator[str]:
    """Every case."""
    for case in cases:
        yield (
            f"| {case.log} | {case.servers} | {case.load:.0%} | {case.peak:.0%}"
            f" | {case.replayed_s:.3g} | {case.ours_s:.3g} | {case.error:+.0%}"
            f" | {case.poisson_error:+.0%} |"
        )


SUMMARY = (
    "| log | within 25 % | that wait | their median | errors | Poisson | not below | above 90 % |",
    "|---|---|---|---|---|---|---|---|",
)
HEAD = (
    "| log | servers | mean load | peak minute | replayed p99 [s] | ours [s] | error | Poisson |",
    "|---|---|---|---|---|---|---|---|",
)
INTRO = """# Bursty arrivals: closed form against replays

`planner.load.queueing.bursty_pool` against replays of real request logs: every request at its own
time with its own prompt, served first come first served by 4 to 64 servers at a constant time per
prompt token (`tests/oracle/replay.py`, which shares no queueing with the planner). Printed by
`python -m tests.oracle.replay FOLDER`; the everyday suite holds the logs in
`hardware_catalog/traces` to the same limits, at some of the loads.

**What is compared**: p99 of the time to first token (wait and own service) over all requests of the
log. The load of the peak minute, by work, is set to 20 to 150 %; it is 1.3 times (Mooncake) to 4.2
times (code) the mean load. The last table but one is of the peak minute alone, which sizing uses.

**Target**: within 25 % where the peak minute is loaded at most 90 %; above that never below.

**What the closed form knows**: an audit. Requests and prompt tokens by minute, the index of
dispersion in windows of 0.1, 1, 10 and 60 s, mean, spread and four percentiles of the prompts; for
the pool, seconds per mean prompt and servers. No number was fitted to a log, but the shapes of two
corrections were chosen among a few with the four whole logs in view. So the second table holds logs
made from them afterwards. One rule was changed after that (how a dispersion goes on between two
windows, for batches at regular times, a case of the tests); it moved the tables by a few points.

*that wait*: cases whose replayed p99 is over 5 % above the p99 of the own service; in the others
any queueing formula is right that knows the lengths. *Poisson*: lowest error of Poisson arrivals
at the mean rate, in the same cases. *not below*, *above 90 %*: cases above the replay and errors
there; a mean load of 100 % has no answer.

"""
OTHERS = """
## On logs made from them

Half of the users (every other request at random), two tenants (the log on top of itself, a third of
its length later), half of the time, and services with a constant part of half a mean prompt.
"""
CAUSES = """
## How it works

1. The minutes are known: their backlog is carried on as a fluid (Lindley's recursion).
2. Inside a minute, a request waits longer than x where some window of t seconds behind it brought
   more work than the servers do in t + x. The share of a minute's work in a window follows a beta
   law with mean t/60 and the variance that the index of dispersion leaves inside minutes.
3. Where no burst reaches, Poisson arrivals at the minute's rate wait as in `prefill_pool`.
4. Minutes above 90 % or with a backlog are answered on the safe side: counting noise is added, free
   servers count for nothing, the chance that some window exceeds is that of Brownian motion, the
   settled wait is added, and services are as long as that minute's own.

## Where it misses, and why

- **Parts of the code log.** p99 is decided by its largest one or two bursts: 88 requests are one in
  a hundred, and 429 of the 8,819 come within 12 s of minute 14. Such a log is one draw of what its
  dispersion allows. We think that this is why the second half (of 4,400 requests) and the two
  tenants are answered too high, on the safe side; the whole hour and its first half are not.
- **Small pools near 80 to 90 % of a peak minute** (conversation) are answered up to
  30 % low: minutes at 80 to 90 % follow each other, and queues not yet drained are handed on.
- **Above 90 %** the answer is up to some 60 % too high for a whole log, more for a made one: the
  price of the safe side. One made log is missed by 2 %.
- Medians and means are by-products: close in calm logs, up to several times too high where
  minutes are hot.
  Services must be much shorter than a minute.
"""
PEAK = """
## The peak minute alone

p99 of the requests that come in the minute with most work, as `bursty_pool(busiest_minute(...))`
takes it (the minute lasts), beside `prefill_pool` with the squared variation of the gaps in that
minute and lognormal lengths. The replay has one such minute, with 200 to 750 requests, so it is a
small sample, and a queue that takes longer than a minute to build up does not.

| log | ours, median size | errors | by gaps, median size | errors |
|---|---|---|---|---|
"""
ALL = """
## Every case of the whole logs
"""

if __name__ == "__main__":
    main()
