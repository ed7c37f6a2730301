"""An average day of a log."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from planner.demand.logs.results import HourOfDay, Share
from planner.facts.units import HOUR_S, HOURS_PER_DAY


def diurnal(
    by_hour: Sequence[Share], starts_at: datetime | None, span_s: float | None
) -> tuple[HourOfDay, ...]:
    """Mean rate and ratio of each hour of the day that the log covers.

    by_hour: dated, as a log with dates has them; nothing is known of another. The first and the
    last hour count only as far as the log reaches into them.
    """
    if starts_at is None or not span_s:
        return ()
    full = starts_at.replace(minute=0, second=0, microsecond=0)
    offset_s = (starts_at - full).total_seconds()
    edges = np.arange(int((offset_s + span_s) // HOUR_S) + 2) * HOUR_S
    inside_s = np.diff(np.clip(edges, offset_s, offset_s + span_s))
    of_day = (starts_at.hour + np.arange(len(inside_s))) % HOURS_PER_DAY
    watched_s = np.bincount(of_day, inside_s, HOURS_PER_DAY)
    slot = [datetime.fromisoformat(share.name).hour for share in by_hour]
    requests, inputs, outputs = (
        np.bincount(slot, [getattr(share, name) for share in by_hour], HOURS_PER_DAY)
        for name in ("requests", "input_tokens", "output_tokens")
    )
    return tuple(
        HourOfDay(
            hour=hour,
            requests_per_s=float(requests[hour] / watched_s[hour]),
            decode_to_prefill_token_ratio=(
                float(outputs[hour] / inputs[hour]) if inputs[hour] else None
            ),
        )
        for hour in range(HOURS_PER_DAY)
        if watched_s[hour] > 0
    )
