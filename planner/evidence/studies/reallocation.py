"""SPAD's clusters when another trace or model comes: machines change roles, H100 for comparison.

A machine in the phase that it is not made for runs at the speed that the paper gives it there, and
decodes at most what its own memory holds. Roles go to machines so that the cluster serves the most;
Splitwise's H100 then need as many machines as serve the same.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np

from planner.evidence.studies.clusters import Cluster, published_cluster
from planner.evidence.studies.rigs import shipped_rig
from planner.evidence.studies.rows import Row, explained, published, tolerance
from planner.facts.catalog import Catalog
from planner.load.queueing import decode_pool
from planner.physics.layout import Layout
from planner.physics.memory import places

SOURCE = "SPAD reallocation"
PREFILL, DECODE, REFERENCE = "spad-prefill", "spad-decode", "spad-h100"
N_HALVINGS = 14


@dataclass(frozen=True)
class Case:
    """One cluster of SPAD's machines under one trace and model.

    h100: the trace on H100 replicas. n_replicas: of a machine. held_tokens: caches of a replica by
    chip. prefill_frac, decode_frac: speeds of the chips over H100.
    """

    h100: Cluster
    n_replicas: int
    held_tokens: Mapping[str, float]
    prefill_frac: Mapping[str, float]
    decode_frac: Mapping[str, float]

    @cached_property
    def _prefill_rates(self) -> dict[int, float]:
        return {0: 0.0}

    def prefill_per_s(self, n: float) -> float:
        """Most requests that n replicas prefill in time, linear between whole ones. [1/s]"""
        low = int(n)
        first, second = self._whole_prefill_per_s(low), self._whole_prefill_per_s(low + 1)
        return first + (second - first) * (n - low)

    def _whole_prefill_per_s(self, n: int) -> float:
        known = self._prefill_rates
        if n not in known:
            prompts = self.h100.prompts_s
            most = n / float(prompts.mean())
            known[n] = _most(
                most, lambda rate: self._at(rate).in_time(n, prompts.mean(), prompts, prompts)
            )
        return known[n]

    def decode_per_s(self, chip: str) -> float:
        """Most requests that one replica of a chip decodes in time. [1/s]"""
        held = self._at(1.0, self.held_tokens[chip])
        steps, lives = held.steps_s, held.number("output_tokens") - 1
        speed, scv = self.decode_frac[chip], held.number("output_scv")

        def enough(rate: float) -> bool:
            for level, slowdown in held.allowed("tbt"):
                pool = decode_pool(rate, lives, steps / speed, output_scv=scv, quantile=level)
                if not pool.stable or pool.tpot_quantile_s > slowdown * steps[0]:
                    return False
            return True

        return _most(len(steps) / lives / float(steps[-1]) * speed, enough)

    def most_per_s(self, n_prefill: int, n_decode: int) -> float:
        """Most requests that machines of the two chips serve, whichever role each takes. [1/s]"""
        chips = {PREFILL: n_prefill * self.n_replicas, DECODE: n_decode * self.n_replicas}
        decode = {chip: self.decode_per_s(chip) for chip in chips}
        best = 0.0
        for moved in range(-chips[PREFILL], chips[DECODE] + 1):
            reading = {PREFILL: chips[PREFILL] + min(moved, 0), DECODE: max(moved, 0)}
            equal = sum(n * self.prefill_frac[chip] for chip, n in reading.items())
            written = sum((n - reading[chip]) * decode[chip] for chip, n in chips.items())
            if written > best:
                best = max(best, min(written, self.prefill_per_s(equal)))
        return best

    def h100_machines(self, rate: float) -> float:
        """H100 machines that Splitwise's pools need at a rate. [1]"""
        readers = next(n for n in count(1) if self._whole_prefill_per_s(n) >= rate)
        writers = np.ceil(rate / self.decode_per_s(REFERENCE))
        return float(readers + writers) / self.n_replicas

    def _at(self, rate: float, held_tokens: float | None = None) -> Cluster:
        """The H100 cluster at another rate, with room for other caches."""
        trace = dict(self.h100.trace)
        trace["requests_per_s"] = replace(self.h100.study["requests_per_s"], value=rate)
        if held_tokens is not None:
            trace["cache_tokens"] = replace(self.h100.study["cache_tokens"], value=held_tokens)
        return replace(self.h100, trace=trace)


def _most(bound: float, enough: Callable[[float], bool]) -> float:
    """The largest value below a bound that is enough, by halving; 0 where none is."""
    low, high = 0.0, bound
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if enough(middle) else (low, middle)
    return low


def reallocations(catalog: Catalog) -> Iterator[Row]:
    """What SPAD's clusters save against H100 under a workload that they were not built for."""
    study, base = published(catalog, "spad_reallocation"), published(catalog, "spad_clusters")
    chips, allowed = catalog.accelerators, tolerance(catalog, "reallocation")
    reference_w = chips[REFERENCE].tdp_w
    for told in study["case"]:
        case = _case(catalog, study, told)
        machines = [int(told[f"{role}_machines"].value) for role in ("prefill", "decode")]
        equal = case.h100_machines(case.most_per_s(*machines))
        cost = [base[f"{role}_cost_frac"].value for role in ("prefill", "decode")]
        watts = [chips[name].tdp_w.value / reference_w.value for name in (PREFILL, DECODE)]  # type: ignore[union-attr]
        for kind, each in (("cost", cost), ("tdp", watts)):
            ours = 1 - float(np.dot(machines, each)) / equal
            row = Row(
                SOURCE,
                f"{told['name']}: {kind} saving",
                told[f"{kind}_saving"].value,
                ours,
                "frac",
                allowed,
                absolute=True,
                signed=True,
            )
            yield explained(row, study["missed"])


def _case(catalog: Catalog, study: Mapping[str, Any], told: Mapping[str, Any]) -> Case:
    base = published(catalog, "spad_clusters")
    trace = next(each for each in base["trace"] if each["name"] == told["trace"])
    limits = next(each for each in base["slo"] if each["name"] == study["limits"])
    about = next(each for each in study["layouts"] if each["model"] == told["model"])
    h100 = published_cluster(catalog, base, trace, limits)
    layout = Layout(tp=about["tp"].value, ep=about["ep"].value)
    names = (PREFILL, DECODE, REFERENCE)
    given = study["cache_tokens"].get(told["model"], {})
    held = {name: each.value for name, each in given.items()}
    if not held:
        h100, held = _modelled(catalog, study, h100, about, layout)
    speeds = {
        role: {name: getattr(catalog.accelerators[name], f"{role}_perf_frac") for name in names}
        for role in ("prefill", "decode")
    }
    return Case(
        h100=h100,
        n_replicas=round(study["chips"].value / layout.n_chips),
        held_tokens=held,
        prefill_frac={name: each.value for name, each in speeds["prefill"].items()},
        decode_frac={name: each.value for name, each in speeds["decode"].items()},
    )


def _modelled(
    catalog: Catalog,
    study: Mapping[str, Any],
    h100: Cluster,
    about: Mapping[str, Any],
    layout: Layout,
) -> tuple[Cluster, dict[str, float]]:
    """The cluster with our latencies of a model, and the caches that each chip has room for."""
    rig = shipped_rig(catalog, about["model"], "h100-sxm", layout, weights=about["weights"])
    context = h100.number("input_tokens") + h100.number("output_tokens") / 2
    most = catalog.number("estimates.serving.max_batch").value

    def held_tokens(chip: str) -> float:
        fit = places(
            rig.held,
            layout,
            catalog.fact(f"accelerators.{chip}.memory_bytes").value,
            context,
            memory_frac=study["memory_usable_frac"].value,
            free_frac=1.0,
            reserve_bytes=0.0,
        )
        return float(np.minimum(fit, most)) * context

    timed = replace(
        h100,
        prefill_s=lambda tokens: np.asarray(rig.prefill(tokens).total_s),
        decode_s=lambda batch: np.asarray(rig.decode(batch, context).total_s),
    )
    return timed, {name: held_tokens(name) for name in (PREFILL, DECODE, REFERENCE)}
