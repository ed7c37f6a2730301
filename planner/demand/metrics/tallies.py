"""What the counters of one model come to: requests and tokens per bin, and times."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from planner.demand.metrics.counted import Buckets, Floats, ModelCounts
from planner.demand.metrics.names import Measure

ASKED = (Measure.LATENCY, Measure.TTFT, Measure.INPUT_LENGTHS)
"""Histograms with one entry a request, where no counter of requests is kept."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Requests and tokens in each bin [k], lengths in buckets, and seconds in total.

    ahead_s of within_s: time in prefill of prefill and decode (by_phase), else time to first
    token of latency; null where the engines tell neither. kv_use: every reading [frac].
    """

    requests: Floats
    input_tokens: Floats
    output_tokens: Floats
    cached_tokens: Floats | None
    input_buckets: Buckets | None
    output_buckets: Buckets | None
    ahead_s: float
    within_s: float
    by_phase: bool
    output_estimated: bool
    kv_use: tuple[float, ...]

    @property
    def prefill_time_frac(self) -> float | None:
        """Measured share of request-seconds in prefill."""
        return min(self.ahead_s / self.within_s, 1.0) if self.within_s > 0 else None


def tally(model: ModelCounts, n_bins: int) -> Tally:
    """The counters of one model, gaps filled from its histograms."""
    nothing = np.zeros(n_bins)
    held = model.histograms
    counted = [held[measure].counts for measure in ASKED if measure in held]
    requests = model.counters.get(Measure.REQUESTS, counted[0] if counted else nothing)
    inputs = _tokens(model, Measure.INPUT, Measure.INPUT_LENGTHS)
    outputs = _tokens(model, Measure.OUTPUT, Measure.OUTPUT_LENGTHS)
    estimated = outputs is None and _estimable(model)
    if estimated:
        outputs = _answers(model)
    ahead_s, within_s, by_phase = _times(model)
    return Tally(
        requests=requests,
        input_tokens=nothing if inputs is None else inputs,
        output_tokens=nothing if outputs is None else outputs,
        cached_tokens=model.counters.get(Measure.CACHED),
        input_buckets=held.get(Measure.INPUT_LENGTHS),
        output_buckets=held.get(Measure.OUTPUT_LENGTHS),
        ahead_s=ahead_s,
        within_s=within_s,
        by_phase=by_phase,
        output_estimated=estimated,
        kv_use=tuple(model.kv_use),
    )


def _tokens(model: ModelCounts, counter: Measure, lengths: Measure) -> Floats | None:
    """Tokens per bin from their counter, else from the sum of their histogram."""
    if counter in model.counters:
        return model.counters[counter]
    return model.histograms[lengths].sums if lengths in model.histograms else None


def _estimable(model: ModelCounts) -> bool:
    """Are all three latencies there from which the length of answers follows?"""
    needed = {Measure.LATENCY, Measure.TTFT, Measure.TPOT}
    return needed <= set(model.histograms) and model.histograms[Measure.TPOT].sums.sum() > 0


def _answers(model: ModelCounts) -> Floats:
    """Output tokens per bin: latency = TTFT + (output - 1) TPOT, with the mean TPOT."""
    latency, ttft, tpot = (
        model.histograms[measure] for measure in (Measure.LATENCY, Measure.TTFT, Measure.TPOT)
    )
    mean_tpot_s = tpot.sums.sum() / max(tpot.counts.sum(), 1)
    after_first = np.maximum(latency.sums - ttft.sums, 0) / mean_tpot_s
    return np.asarray(after_first + latency.counts)


def _times(model: ModelCounts) -> tuple[float, float, bool]:
    """Seconds in prefill, seconds in all, and whether the engine told its phases apart."""
    held = {measure: float(buckets.sums.sum()) for measure, buckets in model.histograms.items()}
    prefill, decode = held.get(Measure.PREFILL), held.get(Measure.DECODE)
    if prefill is not None and decode:
        return prefill, prefill + decode, True
    ttft, latency = held.get(Measure.TTFT), held.get(Measure.LATENCY)
    return (ttft, latency, False) if ttft is not None and latency else (0.0, 0.0, False)


def together(tallies: Iterable[Tally], n_bins: int) -> Tally:
    """Several models as one; times only add up where all are told the same way."""
    nothing = np.zeros(n_bins)
    empty = Tally(nothing, nothing, nothing, None, None, None, 0.0, 0.0, True, False, ())
    held = [one for one in tallies if one.requests.sum()]
    by_phase = all(one.by_phase for one in held)
    return reduce(
        lambda a, b: Tally(
            requests=a.requests + b.requests,
            input_tokens=a.input_tokens + b.input_tokens,
            output_tokens=a.output_tokens + b.output_tokens,
            cached_tokens=_added(a.cached_tokens, b.cached_tokens),
            input_buckets=_merged(a.input_buckets, b.input_buckets),
            output_buckets=_merged(a.output_buckets, b.output_buckets),
            ahead_s=a.ahead_s + b.ahead_s,
            within_s=a.within_s + b.within_s,
            by_phase=by_phase,
            output_estimated=a.output_estimated or b.output_estimated,
            kv_use=a.kv_use + b.kv_use,
        ),
        held,
        empty,
    )


def _added(a: Floats | None, b: Floats | None) -> Floats | None:
    """The sum of what is known."""
    if a is None or b is None:
        return b if a is None else a
    return np.asarray(a + b)


def _merged(a: Buckets | None, b: Buckets | None) -> Buckets | None:
    """Two histograms as one; of different edges, those of the first hold what both tell."""
    if a is None or b is None:
        return b if a is None else a
    both = Buckets(len(a.sums))
    for edge in sorted({*a.below} | {*b.below}):
        both.below[edge] = _at(a, edge) + _at(b, edge)
    both.sums, both.counts = a.sums + b.sums, a.counts + b.counts
    return both


def _at(buckets: Buckets, edge: float) -> float:
    """Requests at or below an edge that another histogram has, from the nearest one below it."""
    under = [known for known in buckets.below if known <= edge]
    return buckets.below[max(under)] if under else 0.0
