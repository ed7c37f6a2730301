"""Gaps between arrivals where measuring all of them would cost more than all the rest.

Sorting every arrival of a log, or of every group in it, is what no database does cheaply.
"""

from dataclasses import replace

import ibis
import ibis.expr.types as ir
import numpy as np

from planner.demand.logs.arrivals import Minutes, busy_minutes
from planner.demand.logs.clock import MICROSECONDS
from planner.demand.logs.groups import Key
from planner.facts.units import MINUTE_S


def minutes_with_peak_gaps(rows: ir.Table, by: tuple[str, ...]) -> dict[Key, Minutes]:
    """Minutes of each group, gaps measured in its busiest one alone."""
    found = busy_minutes(rows, by, gaps=False)
    peaks = {key: int(np.argmax(minutes.requests)) for key, minutes in found.items()}
    minute = _minute(rows)
    chosen = [
        ibis.and_(
            minute == int(found[key].minute[peak]),
            *(rows[column] == value for column, value in zip(by, key, strict=True)),
        )
        for key, peak in peaks.items()
    ]
    inside = busy_minutes(rows.filter(ibis.or_(*chosen)), by)
    return {key: _with(found[key], peak, inside[key]) for key, peak in peaks.items()}


def _with(minutes: Minutes, peak: int, inside: Minutes) -> Minutes:
    """The minutes of a group with the gaps of its busiest one."""
    gaps = minutes.squared_gaps_us2.copy()
    gaps[peak] = inside.squared_gaps_us2[0]
    return replace(minutes, squared_gaps_us2=gaps)


def minutes_with_sampled_gaps(rows: ir.Table, stride: int) -> dict[Key, Minutes]:
    """Minutes of a whole log, gaps measured in every `stride`-th one and in the busiest.

    Any other minute is taken to be as uneven, gap for gap, as the measured ones together.
    """
    (minutes,) = busy_minutes(rows, gaps=False).values()
    peak = int(minutes.minute[np.argmax(minutes.requests)])
    minute = _minute(rows)
    chosen = rows.filter(ibis.or_(minute == peak, minute % stride == 0))
    (inside,) = busy_minutes(chosen).values()
    places = np.searchsorted(minutes.minute, inside.minute)
    n_gaps = max(int((inside.requests - 1).sum()), 1)
    gaps = (minutes.requests - 1) * float(inside.squared_gaps_us2.sum() / n_gaps)
    gaps[places] = inside.squared_gaps_us2
    return {(): replace(minutes, squared_gaps_us2=gaps.astype(np.int64))}


def _minute(rows: ir.Table) -> ir.IntegerValue:
    """The minute of each row since the first arrival."""
    return rows.since_us // (MINUTE_S * MICROSECONDS)
