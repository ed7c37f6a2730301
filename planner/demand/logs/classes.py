"""Workload classes: the moments of each kind of request, as a scenario takes them."""

from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from planner.demand.logs.arrivals import Minutes, arrivals, busy_minutes
from planner.demand.logs.lengths import lengths
from planner.demand.logs.limits import Limits
from planner.demand.logs.results import UNTIMED, Arrivals, ClassMoments, Lengths
from planner.demand.logs.shares import NO_NAME, OTHERS, share, sums

WHOLE_LOG = "all requests"
"""The only class of a log that names neither classes nor models."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Lengths and arrivals of some rows of a log."""

    input_lengths: Lengths
    output_lengths: Lengths
    minutes: Minutes | None
    arrivals: Arrivals


def profile(rows: ir.Table, span_s: float | None, windows_s: tuple[int, ...] = ()) -> Profile:
    """Lengths and arrivals of rows, over a log of `span_s` seconds (None: no times).

    windows_s: lengths of the windows for the index of dispersion.
    """
    minutes = None if span_s is None else busy_minutes(rows)
    timed = UNTIMED if minutes is None else arrivals(rows, minutes, span_s or 0, windows_s)
    return Profile(lengths(rows, "input_tokens"), lengths(rows, "output_tokens"), minutes, timed)


def class_moments(
    rows: ir.Table, keys: tuple[str, ...], whole: Profile, span_s: float | None, limits: Limits
) -> tuple[ClassMoments, ...]:
    """Moments of each class and model of a log, the busiest first, small ones together.

    keys: the columns among label and model that the log has.
    """
    parts = _with_parts(rows, keys, limits.max_parts)
    found = sums(parts, "part")
    if len(found) == 1:
        return (_moments(found[0], whole),)
    return tuple(
        _moments(sum_, profile(parts.filter(parts.part == sum_["part"]), span_s)) for sum_ in found
    )


def _with_parts(rows: ir.Table, keys: tuple[str, ...], n_most: int) -> ir.Table:
    """Rows with `part`, the class and model they belong to, or that they belong to the others."""
    names = [rows[key].fill_null(NO_NAME) for key in keys] or [ibis.literal(WHOLE_LOG)]
    parts = rows.mutate(part=ibis.literal(", ").join(names))
    most = [sum_["part"] for sum_ in sums(parts, "part")[:n_most]]
    return parts.mutate(part=ibis.ifelse(parts.part.isin(most), parts.part, OTHERS))


def _moments(sum_: dict[str, Any], measured: Profile) -> ClassMoments:
    """Moments of the rows that `sum_` adds up."""
    total = share(sum_["part"], sum_)
    cached, timed = total.cached_tokens, measured.arrivals
    known = cached is not None and total.input_tokens > 0
    hit_frac = (cached or 0) / total.input_tokens if known else None
    return ClassMoments(
        name=total.name,
        model=_only_model(sum_),
        requests=total.requests,
        input_tokens=measured.input_lengths.mean,
        input_scv=measured.input_lengths.scv,
        output_tokens=measured.output_lengths.mean,
        output_scv=measured.output_lengths.scv,
        cache_hit_frac=hit_frac,
        requests_per_s=timed.mean_per_s,
        peak_to_mean=timed.peak_to_mean,
        arrival_scv=timed.peak_minute_scv,
    )


def _only_model(sum_: dict[str, Any]) -> str:
    """The model of all rows of a group, or nothing where they name several or none."""
    first = sum_["first_model"]
    return str(first) if first is not None and first == sum_["last_model"] else ""
