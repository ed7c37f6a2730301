"""Bursty arrivals in closed form against replays of real logs.

`python -m tests.oracle.replay FOLDER > docs/bursts.md` renews that page (a minute or two); FOLDER
holds the whole logs (default: the shipped ones, of which Mooncake is an excerpt).
"""

import csv
import heapq
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from planner.demand.audit import audit
from planner.load.queueing import Bursts, audited_bursts, bursty_pool

TRACES = Path(__file__).parents[2] / "hardware_catalog" / "traces"
SERVERS = (4, 8, 16, 32, 64)
PEAK_LOADS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.14, 1.3, 1.5)
BUSY_LOAD = 0.9
LEVEL = 0.99


@dataclass(frozen=True)
class Log:
    """Arrivals [s] in order and their prompts [tokens]."""

    name: str
    at_s: np.ndarray
    tokens: np.ndarray


@dataclass(frozen=True)
class Case:
    """One replay; times [s]. `load`: mean, `peak`: of the minute with most work."""

    log: str
    servers: int
    load: float
    peak: float
    replayed_s: float
    ours_s: float
    poisson_s: float

    @property
    def error(self) -> float:
        return self.ours_s / self.replayed_s - 1


def read_log(path: Path) -> Log:
    """A log in the layouts of `hardware_catalog/traces/README.md`, read without the planner."""
    with path.open() as lines:
        rows = [json.loads(line) for line in lines] if path.suffix == ".jsonl" else [*csv.DictReader(lines)]
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


def compared(log: Log, bursts: Bursts, scv: float, servers, peaks) -> list[Case]:
    """Replay against the closed form, for each pool size and load."""
    requests, tokens = minutes(log)
    steady = np.full(len(requests), requests.mean())
    calm = {str(w): 1.0 for w in (0.1, 1, 10)} | {"60": 0.0}
    poisson = logged_bursts(steady, steady, calm, lengths_frac=bursts.lengths_frac)
    pools = [(c, peak) for c in servers for peak in peaks]
    speed = np.array([s_per_token(log, c, peak) for c, peak in pools])
    args = speed * log.tokens.mean(), scv, np.array([c for c, _ in pools])
    ours = bursty_pool(bursts, *args, busy_load=BUSY_LOAD, quantile=LEVEL)
    naive = bursty_pool(poisson, *args, busy_load=BUSY_LOAD, quantile=LEVEL)
    return [
        Case(
            log=log.name,
            servers=c,
            load=float(ours.utilization[i]),
            peak=peak,
            replayed_s=replayed_ttft_s(log, c, float(speed[i])),
            ours_s=float(ours.ttft_quantile_s[i]),
            poisson_s=float(naive.ttft_quantile_s[i]),
        )
        for i, (c, peak) in enumerate(pools)
        if ours.stable[i]
    ]
