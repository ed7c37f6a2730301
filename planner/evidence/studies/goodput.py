"""Requests per second and chip within limits, prefill and decode together or apart."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.evidence.studies.rigs import Rig, shipped_rig
from planner.evidence.studies.rows import Row, explained, published, tolerance
from planner.facts.catalog import Catalog
from planner.load.lengths import length_quantile_frac
from planner.load.queueing import (
    chunked_replica,
    chunked_saturation_per_s,
    decode_pool,
    decode_pool_saturation_per_s,
    prefill_pool,
)
from planner.physics.layout import Layout
from planner.physics.memory import places
from planner.physics.phases import step_time
from planner.physics.transformer import mixed_work

Floats = NDArray[np.float64]
N_LOADS = 100
LOADS = np.arange(1, N_LOADS) / N_LOADS


@dataclass(frozen=True, slots=True)
class Served:
    """A way to serve at each rate it was tried at: per chip [1/s], quantiles [s]."""

    per_s: Floats
    ttft_s: Floats
    tpot_s: Floats

    def most(self, ttft_s: float, tpot_s: float) -> float:
        """The highest rate within both limits; 0 if none is. [1/s]"""
        within = (self.ttft_s <= ttft_s) & (self.tpot_s <= tpot_s)
        return float(np.where(within, self.per_s, 0).max())

    def at(self, per_s: float) -> tuple[float, float]:
        """Both quantiles at a rate. [s]"""
        return (
            float(np.interp(per_s, self.per_s, self.ttft_s)),
            float(np.interp(per_s, self.per_s, self.tpot_s)),
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """Lengths, their spread, and the level of the quantiles that limits are on."""

    input_tokens: float
    output_tokens: float
    scv: float
    level_frac: float


def _asked(study: Mapping[str, Any], case: Mapping[str, Any]) -> Asked:
    """Lengths of a case, with the spread and the level of its study."""
    lengths = case["input_tokens"].value, case["output_tokens"].value
    return Asked(*lengths, study["length_scv"].value, study["level"].value)


def distserve(catalog: Catalog) -> Iterator[Row]:
    """What a split gains over chunked prefill in DistServe's 66B applications."""
    study, allowed = published(catalog, "distserve_goodput"), tolerance(catalog, "latency")
    for case in study["application"]:
        limits = case["ttft_s"].value, case["tpot_s"].value
        asked = _asked(study, case)
        whole, prefill, decode = _ways(catalog, study, asked, *limits)
        ours = _together(prefill.most(*limits), decode.most(*limits)) / whole.most(*limits)
        name = f"goodput of a split over chunks, {case['name']}"
        row = Row("DistServe", name, case["gain"].value, ours, "1", allowed)
        yield explained(row, case.get("missed", ""))


def mlperf(catalog: Catalog) -> Iterator[Row]:
    """A published pair: the same rate, better time per token, later first one; 1 where it holds."""
    study, allowed = published(catalog, "mlperf_405b"), tolerance(catalog, "exact")
    limits = study["ttft_s"].value, study["tpot_s"].value
    asked = _asked(study, study)
    whole, prefill, decode = _ways(catalog, study, asked, *limits)
    rates = prefill.most(*limits), decode.most(*limits)
    both, split = whole.most(*limits), _together(*rates)
    at = study["at_load"].value * min(both, split)
    ttft_s, tpot_s = whole.at(at)
    late_s = prefill.at(at * rates[0] / split)[0] + decode.at(at * rates[1] / split)[0]
    step_s = decode.at(at * rates[1] / split)[1]
    source, close = "MLPerf v5.1 Llama-405B GB200", tolerance(catalog, "phase")
    row = Row(source, "tokens per second of a split over whole", 1.0, split / both, "1", close)
    yield explained(row, study["missed"])
    directions = (
        ("its time per token is better", step_s < tpot_s, step_s / tpot_s),
        ("its first token is later", late_s > ttft_s, late_s / ttft_s),
    )
    for name, holds, ratio in directions:
        note = f"split over whole {ratio:.2f}"
        row = Row(source, name, 1.0, float(holds), "1", allowed, note)
        yield explained(row, study["missed"])


def _together(prefill_per_s: float, decode_per_s: float) -> float:
    """Rate per chip of both pools, in the proportion in which they keep up with each other."""
    return 1 / (1 / prefill_per_s + 1 / decode_per_s)


def _ways(
    catalog: Catalog, study: Mapping[str, Any], asked: Asked, ttft_s: float, tpot_s: float
) -> tuple[Served, Served, Served]:
    """The best of the study's layouts for both phases together, for prefill and for decode."""
    rigs = [
        shipped_rig(
            catalog,
            study["model"],
            study["chip"],
            Layout(tp=case["tp"].value),
            weights=study["weights"],
        )
        for case in study["tensor_parallel"]
    ]
    limits = ttft_s, tpot_s
    number = catalog.number
    chunks = [
        number(f"estimates.serving.chunk_tokens{end}").value for end in ("_least", "", "_most")
    ]
    whole = [_whole(catalog, rig, asked, chunk) for rig in rigs for chunk in chunks]
    return (
        max(whole, key=lambda way: way.most(*limits)),
        max((_prefill(rig, asked) for rig in rigs), key=lambda way: way.most(*limits)),
        max((_decode(catalog, rig, asked) for rig in rigs), key=lambda way: way.most(*limits)),
    )


def _steps_s(catalog: Catalog, rig: Rig, asked: Asked) -> Floats:
    """Decode steps over b = 0…B, B what memory and the engine allow. [s]"""
    serving, context = "estimates.serving", asked.input_tokens + asked.output_tokens / 2
    number = catalog.number
    fit = places(
        rig.held,
        rig.layout,
        rig.machine.memory_bytes,
        context,
        memory_frac=number(f"{serving}.memory_usable_frac").value,
        free_frac=1 / (1 + number(f"{serving}.paging_waste_frac").value),
        reserve_bytes=0.0,
    )
    most = int(np.minimum(fit, number(f"{serving}.max_batch").value))
    return np.asarray(rig.decode(np.maximum(np.arange(most + 1), 1), context).total_s)


def _whole(catalog: Catalog, rig: Rig, asked: Asked, chunk: float) -> Served:
    decode = _steps_s(catalog, rig, asked)
    batch, context = (
        np.arange(len(decode), dtype=float),
        asked.input_tokens + asked.output_tokens / 2,
    )
    work = mixed_work(rig.held, batch, context, chunk, asked.input_tokens / 2)
    mixed = np.maximum(step_time(rig.held, rig.machine, rig.layout, work).total_s, decode)
    shape = decode, np.maximum.accumulate(mixed), chunk
    lengths = asked.input_tokens, asked.output_tokens
    full = chunked_saturation_per_s(*lengths, *shape, input_scv=asked.scv)
    found = chunked_replica(
        LOADS * full,
        asked.input_tokens,
        asked.scv,
        asked.output_tokens,
        *shape,
        output_scv=asked.scv,
        quantile=asked.level_frac,
    )
    chips = rig.layout.n_chips
    return Served(
        LOADS * full / chips, np.asarray(found.ttft_quantile_s), np.asarray(found.tpot_quantile_s)
    )


def _prefill(rig: Rig, asked: Asked) -> Served:
    own_s = float(rig.prefill(asked.input_tokens).total_s)
    pool = prefill_pool(LOADS / own_s, own_s, asked.scv, 1, quantile=asked.level_frac)
    longest = max(float(length_quantile_frac(np.array(asked.scv), np.array(asked.level_frac))), 1)
    over_s = np.asarray(pool.wait_quantile_s) - np.asarray(pool.wait_mean_s)
    late_s = np.hypot(np.maximum(over_s, 0), own_s * (longest - 1))
    ttft_s = np.asarray(pool.wait_mean_s) + own_s + late_s
    return Served(LOADS / own_s / rig.layout.n_chips, ttft_s, np.zeros(len(LOADS)))


def _decode(catalog: Catalog, rig: Rig, asked: Asked) -> Served:
    steps, lives = _steps_s(catalog, rig, asked)[1:], asked.output_tokens - 1
    full = decode_pool_saturation_per_s(lives, steps)
    pool = decode_pool(LOADS * full, lives, steps, output_scv=asked.scv, quantile=asked.level_frac)
    chips = rig.layout.n_chips
    return Served(
        LOADS * full / chips,
        np.asarray(pool.wait_quantile_s) + steps[0],
        np.asarray(pool.tpot_quantile_s),
    )
