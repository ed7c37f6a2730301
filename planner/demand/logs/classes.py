"""Workload classes: the moments of each kind of request, as a scenario takes them."""

from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir

from planner.demand.logs.arrivals import Minutes, arrivals, busy_minutes
from planner.demand.logs.groups import Key
from planner.demand.logs.lengths import lengths
from planner.demand.logs.peaks import minutes_with_peak_gaps, minutes_with_sampled_gaps
from planner.demand.logs.results import UNTIMED, Arrivals, ClassMoments, Lengths, Share
from planner.demand.logs.shares import NO_NAME, OTHERS, share, sums, together

WHOLE_LOG = "all requests"
"""The only class of a log that names neither classes nor models."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Lengths and arrivals of some rows of a log."""

    input_lengths: Lengths
    output_lengths: Lengths
    minutes: Minutes | None
    arrivals: Arrivals


def profiles(
    rows: ir.Table,
    span_s: float | None,
    by: tuple[str, ...] = (),
    *,
    coarse: bool,
    stride: int = 1,
) -> dict[Key, Profile]:
    """Lengths and arrivals of each group of rows, over a log of `span_s` seconds.

    span_s: None where the log has no times. The gaps of groups are those of their peak minute,
    those of the whole log are taken from every `stride`-th minute.
    """
    inputs, outputs = (
        lengths(rows, name, by, coarse=coarse) for name in ("input_tokens", "output_tokens")
    )
    minutes = {} if span_s is None else _minutes(rows, by, stride)
    timed = {key: arrivals(found, span_s or 0) for key, found in minutes.items()}
    return {
        key: Profile(inputs[key], outputs[key], minutes.get(key), timed.get(key, UNTIMED))
        for key in inputs
    }


def _minutes(rows: ir.Table, by: tuple[str, ...], stride: int) -> dict[Key, Minutes]:
    """Minutes with the gaps that are worth their cost."""
    if by:
        return minutes_with_peak_gaps(rows, by)
    return busy_minutes(rows) if stride == 1 else minutes_with_sampled_gaps(rows, stride)


def class_moments(
    rows: ir.Table,
    by: tuple[str, ...],
    whole: tuple[Share, Profile],
    n_most: int,
    *,
    coarse: bool,
) -> tuple[ClassMoments, ...]:
    """Moments of each class and model of a log, the busiest first, small ones together.

    by: the columns among label and model that the log has. whole: all of it, where it has neither.
    """
    total, profile = whole
    if not by:
        return (_moments(replace(total, name=WHOLE_LOG), "", profile),)
    span_s, found = profile.arrivals.span_s, sums(rows, *by)
    keys = [tuple(sum_[column] for column in by) for sum_ in found]
    most, rest = found[:n_most], found[n_most:]
    named = rows.filter(_any_of(rows, by, keys[:n_most])) if rest else rows
    measured = profiles(named, span_s, by, coarse=coarse)
    moments = [
        _moments(share(", ".join(key), sum_), sum_.get("model", ""), measured[key])
        for key, sum_ in zip(keys, most, strict=False)
    ]
    if rest:
        others = profiles(rows.filter(~_any_of(rows, by, keys[:n_most])), span_s, coarse=coarse)
        moments.append(_moments(share(OTHERS, together(rest)), "", others[()]))
    return tuple(moments)


def _any_of(rows: ir.Table, by: tuple[str, ...], keys: list[Key]) -> ir.BooleanValue:
    """Do rows belong to one of the groups?"""
    return ibis.or_(
        *(
            ibis.and_(*(rows[column] == value for column, value in zip(by, key, strict=True)))
            for key in keys
        )
    )


def _moments(total: Share, model: str, measured: Profile) -> ClassMoments:
    """Moments of a class from its totals, lengths and arrivals."""
    timed, cached = measured.arrivals, total.cached_tokens
    known = cached is not None and total.input_tokens > 0
    return ClassMoments(
        name=total.name,
        model="" if model == NO_NAME else model,
        requests=total.requests,
        input_tokens=measured.input_lengths.mean,
        input_scv=measured.input_lengths.scv,
        output_tokens=measured.output_lengths.mean,
        output_scv=measured.output_lengths.scv,
        cache_hit_frac=(cached or 0) / total.input_tokens if known else None,
        requests_per_s=timed.mean_per_s,
        peak_to_mean=timed.peak_to_mean,
        arrival_scv=timed.peak_minute_scv,
    )
