"""The audit of what serving engines counted."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from planner import text
from planner.demand.logs.diurnal import diurnal
from planner.demand.logs.limits import Limits
from planner.demand.logs.measure import TIME_SHARE_MEASURED
from planner.demand.logs.results import (
    TIME_SHARE_UNKNOWN,
    UNTIMED,
    Arrivals,
    Audit,
    ClassMoments,
    KvUse,
    Lengths,
    Series,
    Share,
)
from planner.demand.metrics.counted import NO_MODEL, Counts
from planner.demand.metrics.histograms import lengths_of
from planner.demand.metrics.tallies import Tally, tally, together
from planner.errors import AuditError
from planner.facts.units import HOUR_S, MINUTE_S

PHASES = (
    "prefill_time_frac is measured: the engines' time in prefill over prefill and decode, summed "
    "over requests; it is not the share of accelerator time."
)
BUCKETED = "Length percentiles are read off histogram buckets and lie within their widths."
SNAPSHOT = (
    "A snapshot counts since the engines started and has no times, so arrivals and hours are "
    "null; a Prometheus server has them."
)
OUTPUT_ESTIMATED = (
    "Output tokens are estimated: (latency - time to first token) / time per output token + 1, "
    "since the engines count none."
)
UNSORTED = (
    "Counters do not tell single arrivals: scv and dispersion below a minute are null; a request "
    "log shows them."
)


def audit_of(source: str, counts: Counts, limits: Limits) -> Audit:
    """Tokens, lengths and arrivals of everything that was counted.

    Raises: AuditError when no request or no token was, or more than any engine can count.
    """
    _check(source, counts, limits)
    tallies = {name: tally(model, counts.n_bins) for name, model in counts.models.items()}
    whole = together(tallies.values(), counts.n_bins)
    if not whole.requests.sum() or not whole.output_tokens.sum():
        raise AuditError(
            f"{source} counts no request with tokens; an audit needs the metrics of vLLM, SGLang "
            "or TensorRT-LLM, such as vllm:prompt_tokens_total and vllm:generation_tokens_total"
        )
    named = sorted(tallies, key=lambda name: (-tallies[name].requests.sum(), name))
    by_hour = _hourly(whole, counts)
    span_s = float(counts.n_bins * counts.bin_s) if counts.starts_at else None
    return Audit.of(
        _share(source, whole),
        starts_at=counts.starts_at,
        dropped={},
        files=1,
        columns={},
        arrivals=_arrivals(whole, counts),
        per_minute=_series(whole, counts),
        by_model=tuple(
            _share(name, tallies[name]) for name in named[: limits.max_labels] if name != NO_MODEL
        ),
        by_class=(),
        by_hour=by_hour,
        diurnal=diurnal(by_hour, counts.starts_at, span_s),
        classes=tuple(
            _moments(name, tallies[name], counts)
            for name in named[: limits.max_parts]
            if tallies[name].requests.sum()
        ),
        caveats=_caveats(whole, counts),
        kv_use=_kv_use(whole),
    )


def _check(source: str, counts: Counts, limits: Limits) -> None:
    """Refuse figures that no engine counts. Raises: AuditError."""
    for model in counts.models.values():
        for part in model.everything():
            if not np.all((part >= 0) & (part <= limits.max_count)):
                raise AuditError(
                    f"{source} counts less than nothing, or more than "
                    f"{text.given(limits.max_count)} of something in one bin; no engine does"
                )


def _lengths(held: Tally) -> tuple[Lengths, Lengths]:
    """Lengths of prompts and answers; their means are those of the token counters."""
    requests = max(float(held.requests.sum()), 1.0)
    return (
        lengths_of(held.input_buckets, float(held.input_tokens.sum()) / requests),
        lengths_of(held.output_buckets, float(held.output_tokens.sum()) / requests),
    )


def _share(name: str, held: Tally) -> Share:
    """Tokens and lengths of one model, or of all."""
    inputs, outputs = round(held.input_tokens.sum()), round(held.output_tokens.sum())
    cached = None if held.cached_tokens is None else min(round(held.cached_tokens.sum()), inputs)
    lengths = _lengths(held)
    return Share(
        name=name,
        requests=round(held.requests.sum()),
        input_tokens=inputs,
        output_tokens=outputs,
        cached_tokens=cached,
        fresh_tokens=None if cached is None else inputs - cached,
        decode_to_prefill_token_ratio=outputs / inputs if inputs else None,
        prefill_time_frac=held.prefill_time_frac,
        input_lengths=lengths[0],
        output_lengths=lengths[1],
    )


def _hourly(held: Tally, counts: Counts) -> tuple[Share, ...]:
    """Tokens by clock hour in UTC; hours without requests are left out."""
    if counts.starts_at is None:
        return ()
    offset_s = counts.starts_at.minute * MINUTE_S + counts.starts_at.second
    hour = (offset_s + np.arange(counts.n_bins) * counts.bin_s) // HOUR_S
    full = counts.starts_at.replace(minute=0, second=0, microsecond=0)
    return tuple(
        _hour(full + timedelta(hours=int(n)), held, hour == n)
        for n in np.unique(hour)
        if round(held.requests[hour == n].sum())
    )


def _hour(when: datetime, held: Tally, inside: NDArray[np.bool_]) -> Share:
    """The tokens of one hour."""
    inputs = round(held.input_tokens[inside].sum())
    outputs = round(held.output_tokens[inside].sum())
    cached = None if held.cached_tokens is None else round(held.cached_tokens[inside].sum())
    return Share(
        name=f"{when:%Y-%m-%dT%H:%MZ}",
        requests=round(held.requests[inside].sum()),
        input_tokens=inputs,
        output_tokens=outputs,
        cached_tokens=cached,
        fresh_tokens=None if cached is None else inputs - cached,
        decode_to_prefill_token_ratio=outputs / inputs if inputs else None,
        prefill_time_frac=None,
    )


def _arrivals(held: Tally, counts: Counts) -> Arrivals:
    """Rate and peak from counts in bins; nothing is known of what happens inside a bin."""
    if counts.starts_at is None:
        return UNTIMED
    span_s = float(counts.n_bins * counts.bin_s)
    mean = float(held.requests.sum()) / span_s
    peak = int(np.argmax(held.requests))
    rate = float(held.requests[peak]) / counts.bin_s
    known = counts.bin_s == MINUTE_S and counts.n_bins > 1
    unevenness = float(held.requests.var() / held.requests.mean()) if known else None
    return replace(
        UNTIMED,
        span_s=span_s,
        mean_per_s=mean,
        peak_minute_per_s=rate,
        peak_minute=peak * counts.bin_s // MINUTE_S,
        peak_to_mean=rate / mean if mean else None,
        dispersion={**UNTIMED.dispersion, str(MINUTE_S): unevenness},
    )


def _series(held: Tally, counts: Counts) -> Series:
    """Requests and tokens over time."""
    if counts.starts_at is None:
        return Series(MINUTE_S, (), (), (), ())
    minutes = tuple(range(0, counts.n_bins * counts.bin_s // MINUTE_S, counts.bin_s // MINUTE_S))
    bins = (held.requests, held.input_tokens, held.output_tokens)
    return Series(
        counts.bin_s, minutes, *(tuple(np.rint(part).astype(int).tolist()) for part in bins)
    )


def _moments(name: str, held: Tally, counts: Counts) -> ClassMoments:
    """One model as a class of the scenario."""
    inputs, outputs = _lengths(held)
    arrivals, told = _arrivals(held, counts), _share(name, held)
    cached = told.cached_tokens
    return ClassMoments(
        name="all requests" if name == NO_MODEL else name,
        model="" if name == NO_MODEL else name,
        requests=told.requests,
        input_tokens=inputs.mean,
        input_scv=inputs.scv,
        output_tokens=outputs.mean,
        output_scv=outputs.scv,
        cache_hit_frac=cached / told.input_tokens if cached and told.input_tokens else None,
        requests_per_s=arrivals.mean_per_s,
        peak_to_mean=arrivals.peak_to_mean,
        arrival_scv=None,
    )


def _kv_use(held: Tally) -> KvUse | None:
    """Mean and highest share of the KV cache in use, over engines and time."""
    if not held.kv_use:
        return None
    return KvUse(mean_frac=float(np.mean(held.kv_use)), max_frac=max(held.kv_use))


def _caveats(held: Tally, counts: Counts) -> tuple[str, ...]:
    """What the reader must know of counters, and the reason beside each null."""
    timed = counts.starts_at is not None
    known = {
        f"Counted by the engines themselves in {counts.n_series} series.": True,
        UNSORTED: timed,
        SNAPSHOT: not timed,
        f"Requests are counted in bins of {counts.bin_s} s, so the peak minute is an average "
        "of one.": timed and counts.bin_s > MINUTE_S,
        BUCKETED: held.input_buckets is not None,
        "Length percentiles are null: the engines kept no histogram of lengths.": (
            held.input_buckets is None
        ),
        OUTPUT_ESTIMATED: held.output_estimated,
        "decode_to_prefill_token_ratio is null: no engine counts input tokens.": (
            not held.input_tokens.sum()
        ),
        "cached_tokens is null: the engines do not count what a prefix cache served.": (
            held.cached_tokens is None
        ),
        PHASES: held.by_phase,
        TIME_SHARE_MEASURED: held.prefill_time_frac is not None and not held.by_phase,
        TIME_SHARE_UNKNOWN: held.prefill_time_frac is None,
        "by_class is empty: metrics name no class.": True,
    }
    return tuple(said for said, holds in known.items() if holds)
