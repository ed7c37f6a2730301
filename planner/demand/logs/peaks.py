"""The busiest minute of each group of requests, and how bursty it was."""

from dataclasses import replace

import ibis
import ibis.expr.types as ir
import numpy as np

from planner.demand.logs.arrivals import MINUTE_S, Minutes, busy_minutes
from planner.demand.logs.clock import MICROSECONDS
from planner.demand.logs.groups import Key


def minutes_with_peak_gaps(rows: ir.Table, by: tuple[str, ...]) -> dict[Key, Minutes]:
    """Minutes of each group, gaps measured in its busiest one alone.

    Sorting every arrival of every group would cost more than all the rest of an audit.
    """
    found = busy_minutes(rows, by, gaps=False)
    peaks = {key: int(np.argmax(minutes.requests)) for key, minutes in found.items()}
    minute = rows.since_us // (MINUTE_S * MICROSECONDS)
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
