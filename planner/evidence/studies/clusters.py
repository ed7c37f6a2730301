"""How many machines a published cluster takes: SPAD's simulated clusters and Splitwise's pools."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.evidence.studies.rows import Row, explained, published, tolerance
from planner.facts.catalog import Catalog
from planner.load.lengths import length_nodes_frac, length_quantile_frac
from planner.load.queueing import chunked_replica, decode_pool, prefill_pool

Floats = NDArray[np.float64]
N_STEPS = 64
LEVELS = ("p90", "p99")


@dataclass(frozen=True, slots=True)
class Cluster:
    """One trace on machines of eight H100 with given latencies, under one set of limits.

    prefill_s, decode_s: times over prompt tokens and over the batch. limits: slowdowns by name.
    """

    study: Mapping[str, Any]
    trace: Mapping[str, Any]
    limits: Mapping[str, Any]
    prefill_s: Callable[[Any], Floats]
    decode_s: Callable[[Any], Floats]

    def number(self, name: str) -> float:
        """A number of the trace, else of the study; its unit stands beside it. [as published]"""
        return float((self.trace if name in self.trace else self.study)[name].value)

    def allowed(self, kind: str) -> list[tuple[float, float]]:
        """Level and largest slowdown of each limit on a kind of latency."""
        return [(self.study[level].value, self.limits[f"{level}_{kind}"].value) for level in LEVELS]

    @property
    def prompts_s(self) -> Floats:
        """Equally likely times of prompts, alone. [s]"""
        lengths = length_nodes_frac(np.array(self.number("input_scv")))
        return self.prefill_s(lengths * self.number("input_tokens"))

    @property
    def steps_s(self) -> Floats:
        """Decode steps over the batches that a machine's cache has room for. [s]"""
        context = self.number("input_tokens") + self.number("output_tokens") / 2
        most = int(self.number("cache_tokens") / context)
        return self.decode_s(np.arange(1, most + 1))

    def n_prefill(self, speed: float = 1.0) -> int:
        """Machines that keep prompts within their slowdowns; `speed` over an H100's."""
        mean_s, alone_s = float(self.prompts_s.mean()) / speed, self.prompts_s
        return self._least(lambda n: self.in_time(n, mean_s, alone_s, alone_s / speed))

    def in_time(self, n: int, mean_s: float, alone_s: Floats, own_s: Floats) -> bool:
        """Whether n machines keep the shares of prompts that are slowed down more than allowed."""
        levels = np.arange(1, N_STEPS**2) / N_STEPS**2
        scv = self.number("input_scv")
        pool = prefill_pool(self.number("requests_per_s"), mean_s, scv, n, quantile=levels)
        if not np.all(pool.stable):
            return False
        waits = np.asarray(pool.wait_quantile_s)
        for level, slowdown in self.allowed("ttft"):
            patience = slowdown * alone_s - own_s
            late = 1 - np.searchsorted(waits, patience) / len(waits)
            if np.mean(np.where(patience < 0, 1, late)) > 1 - level:
                return False
        return True

    def n_decode(self, speed: float = 1.0) -> int:
        """Machines that keep answers within their slowdowns."""
        steps, lives = self.steps_s, self.number("output_tokens") - 1

        def enough(n: int) -> bool:
            rate, scv = self.number("requests_per_s") / n, self.number("output_scv")
            for level, slowdown in self.allowed("tbt"):
                pool = decode_pool(rate, lives, steps / speed, output_scv=scv, quantile=level)
                if not pool.stable or pool.tpot_quantile_s > slowdown * steps[0]:
                    return False
            return True

        return self._least(enough)

    def n_whole(self) -> int:
        """Machines that do both phases in chunks, at the best of the study's chunks."""
        return min(self._n_chunked(case["tokens"].value) for case in self.study["chunks"])

    def _n_chunked(self, chunk: float) -> int:
        decode = np.concatenate([self.steps_s[:1], self.steps_s])
        mean, scv = self.number("input_tokens"), self.number("input_scv")
        added = float(self.prefill_s(mean)) * chunk / mean
        limits = zip(self.allowed("tbt"), self.allowed("ttft"), strict=True)
        each = [(level, tbt, ttft) for (level, tbt), (_, ttft) in limits]

        def enough(n: int) -> bool:
            for level, tbt, ttft in each:
                replica = chunked_replica(
                    self.number("requests_per_s") / n,
                    mean,
                    scv,
                    self.number("output_tokens"),
                    decode,
                    decode + added,
                    chunk,
                    output_scv=self.number("output_scv"),
                    quantile=level,
                )
                longest = max(float(length_quantile_frac(np.array(scv), np.array(level))), 1)
                alone_s = float(self.prefill_s(mean * longest))
                if not replica.stable or replica.ttft_quantile_s > ttft * alone_s:
                    return False
                if replica.tpot_quantile_s > tbt * decode[0]:
                    return False
            return True

        return self._least(enough)

    def _least(self, enough: Callable[[int], bool]) -> int:
        """The fewest machines that are enough, up to the study's most."""
        most = int(self.number("most_machines"))
        return next((n for n in range(1, most) if enough(n)), most)


def clusters(catalog: Catalog) -> Iterator[Row]:
    """SPAD's machine counts and the savings that follow from them."""
    study, allowed = published(catalog, "spad_clusters"), tolerance(catalog, "machines")
    for trace in study["trace"]:
        counts = {}
        for limits in study["slo"]:
            held = published_cluster(catalog, study, trace, limits)
            counts[limits["name"]] = held.n_prefill(), held.n_decode(), held.n_whole()
            name = f"{trace['name']}, {limits['name']}"
            prefill, decode, whole = counts[limits["name"]]
            for kind, ours in (("split", prefill + decode), ("whole", whole)):
                told = trace[kind][limits["name"]].value
                row = Row(SOURCE, f"{kind} machines, {name}", told, ours, "1", allowed)
                yield explained(row, study[f"missed_{kind}"])
        yield from _normal(catalog, study, trace, counts["normal"])


SOURCE = "SPAD clusters"


def _normal(
    catalog: Catalog, study: Mapping[str, Any], trace: Mapping[str, Any], counts: tuple[int, ...]
) -> Iterator[Row]:
    """The other systems at normal limits: capped decode, SPAD's chips, and what they save."""
    limits = next(each for each in study["slo"] if each["name"] == "normal")
    held, name = published_cluster(catalog, study, trace, limits), trace["name"]
    prefill, decode, whole = counts
    special = held.n_prefill(held.number("prefill_frac")), held.n_decode(held.number("decode_frac"))
    allowed, points = tolerance(catalog, "machines"), tolerance(catalog, "saving")
    note = "a cap of half of TDP slows no decode step; total of both pools"
    told = trace["capped"].value
    row = Row(SOURCE, f"capped machines, {name}", told, prefill + decode, "1", allowed, note)
    yield explained(row, study["missed_split"])
    row = Row(SOURCE, f"SPAD machines, {name}", trace["spad"].value, sum(special), "1", allowed)
    yield explained(row, study["missed_split"])
    cost = special[0] * held.number("prefill_cost_frac")
    cost = cost + special[1] * held.number("decode_cost_frac")
    savings = (
        ("hardware_saving", "hardware saving", 1 - cost / (prefill + decode)),
        ("software_saving", "software-only saving", 1 - (prefill + decode) / whole),
    )
    for key, called, ours in savings:
        told = trace[key].value
        row = Row(SOURCE, f"{called}, {name}", told, ours, "frac", points, absolute=True)
        yield explained(row, study["missed_saving"])


def pools(catalog: Catalog) -> Iterator[Row]:
    """How Splitwise divides forty H100 machines, in proportion to the work of each phase."""
    study, allowed = published(catalog, "spad_clusters"), tolerance(catalog, "pools")
    for trace in study["trace"]:
        held = published_cluster(catalog, study, trace, study["slo"][0], table="splitwise")
        prefill_s = float(held.prompts_s.mean())
        steps = held.steps_s
        decode_s = (held.number("output_tokens") - 1) * steps[-1] / len(steps)
        told, machines = trace["pools_of_40"].value, study["machines"].value
        ours = machines * prefill_s / (prefill_s + decode_s)
        note = "of 40; at full decode batches"
        row = Row("Splitwise", f"prefill machines, {trace['name']}", told, ours, "1", allowed, note)
        yield explained(row, study["missed_pools"])


def published_cluster(
    catalog: Catalog,
    study: Mapping[str, Any],
    trace: Mapping[str, Any],
    limits: Mapping[str, Any],
    *,
    table: str = "spad_latency",
) -> Cluster:
    """A cluster with the published latencies of BLOOM-176B on an H100 machine."""
    held = published(catalog, table)
    return Cluster(
        study,
        trace,
        limits,
        prefill_s=_curve(held["prefill"], "context_tokens", batch=1),
        decode_s=_curve(held["decode"], "batch"),
    )


def _curve(
    cases: list[Mapping[str, Any]], by: str, batch: float | None = None
) -> Callable[[Any], Floats]:
    """Times of BLOOM-176B on H100 between and beyond the published ones, linear."""
    mine = [
        (case[by].value, case["time_s"].value)
        for case in cases
        if (case["model"], case["chip"]) == ("bloom-176b", "h100-sxm")
        and batch in (None, case["batch"].value)
    ]
    at, times = np.array(sorted(mine)).T

    def read(where: Any) -> Floats:
        index = np.clip(np.searchsorted(at, where), 1, len(at) - 1)
        slope = (times[index] - times[index - 1]) / (at[index] - at[index - 1])
        return np.asarray(times[index - 1] + slope * (np.asarray(where) - at[index - 1]))

    return read
