"""When requests come: rate, peak minute and burstiness, all counted from the first arrival."""

from dataclasses import dataclass, fields

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from planner.demand.logs.clock import MICROSECONDS
from planner.demand.logs.groups import Key, groups
from planner.demand.logs.results import DISPERSION_WINDOWS_S, Arrivals
from planner.facts.units import MINUTE_S


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes with at least one arrival, in order; arrays of one length [k].

    Times are whole microseconds, so that sums come out the same in whatever order they are taken.
    """

    minute: NDArray[np.int64]
    requests: NDArray[np.int64]
    input_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    first_us: NDArray[np.int64]
    last_us: NDArray[np.int64]
    squared_gaps_us2: NDArray[np.int64]

    def only(self, index: int) -> "Minutes":
        """One of the minutes."""
        return Minutes(*(getattr(self, f.name)[index : index + 1] for f in fields(self)))


def busy_minutes(
    rows: ir.Table, by: tuple[str, ...] = (), *, gaps: bool = True
) -> dict[Key, Minutes]:
    """Requests, tokens and gaps of each minute since the first arrival, for each group.

    Gaps are taken inside each minute, so that no database has to sort the whole log at once;
    without `gaps` they are left at nothing.
    """
    minutely = rows.mutate(minute=rows.since_us // (MINUTE_S * MICROSECONDS))
    keys = [*by, "minute"]
    inside = ibis.window(group_by=[minutely[key] for key in keys], order_by=minutely.since_us)
    before_us = minutely.since_us.lag().over(inside) if gaps else minutely.since_us
    gap_us = minutely.since_us - before_us
    table = (
        minutely.mutate(squared_gap_us2=gap_us * gap_us)
        .group_by(keys)
        .aggregate(
            requests=lambda t: t.count(),
            input_tokens=lambda t: t.input_tokens.sum(),
            output_tokens=lambda t: t.output_tokens.sum(),
            first_us=lambda t: t.since_us.min(),
            last_us=lambda t: t.since_us.max(),
            squared_gaps_us2=lambda t: t.squared_gap_us2.sum().fill_null(0),
        )
        .order_by(keys)
    )
    names = [field.name for field in fields(Minutes)]
    return {
        key: Minutes(*(part[name] for name in names)) for key, part in groups(table, by).items()
    }


def arrivals(minutes: Minutes, span_s: float) -> Arrivals:
    """Rate, peak and burstiness of the rows behind `minutes`, over a log of `span_s` seconds."""
    mean_per_s = int(minutes.requests.sum()) / span_s if span_s > 0 else None
    peak = int(np.argmax(minutes.requests))
    peak_per_s = _peak_per_s(int(minutes.requests[peak]), mean_per_s)
    return Arrivals(
        span_s=span_s,
        mean_per_s=mean_per_s,
        peak_minute_per_s=peak_per_s,
        peak_minute=int(minutes.minute[peak]),
        peak_to_mean=peak_per_s / mean_per_s if peak_per_s and mean_per_s else None,
        scv=gap_scv(minutes),
        peak_minute_scv=gap_scv(minutes.only(peak)),
        dispersion={},
    )


def _peak_per_s(busiest: int, mean_per_s: float | None) -> float | None:
    """Rate of the busiest minute; of a log shorter than a minute, its mean rate."""
    return None if mean_per_s is None else max(mean_per_s, busiest / MINUTE_S)


def gap_scv(minutes: Minutes) -> float | None:
    """Squared coefficient of variation of the gaps between arrivals, inside minutes and between.

    Null for fewer than two gaps or when all arrivals coincide.
    """
    n_gaps = int(minutes.requests.sum()) - 1
    span_us = float(minutes.last_us[-1] - minutes.first_us[0])
    if n_gaps < 2 or span_us <= 0:
        return None
    inside_us2 = minutes.squared_gaps_us2.astype(np.float64).sum()
    between_us = (minutes.first_us[1:] - minutes.last_us[:-1]).astype(np.float64)
    return max(0.0, float(inside_us2 + between_us @ between_us) * n_gaps / span_us**2 - 1)


def dispersions(
    rows: ir.Table, minutes: Minutes | None, span_s: float | None
) -> dict[str, float | None]:
    """Index of dispersion in windows of each length; null without times.

    minutes: of the same rows, which tell the windows of a minute without another look at the log.
    """
    return {
        str(w): None if span_s is None else dispersion(rows, minutes, w, span_s)
        for w in DISPERSION_WINDOWS_S
    }


def dispersion(
    rows: ir.Table, minutes: Minutes | None, window_s: float, span_s: float
) -> float | None:
    """Variance over mean of arrivals in the whole windows since the first arrival. [1]

    Null for fewer than two whole windows.
    """
    window_us = round(window_s * MICROSECONDS)
    windows = round(span_s * MICROSECONDS) // window_us
    if windows < 2:
        return None
    if minutes is not None and window_s == MINUTE_S:
        inside = minutes.requests[minutes.minute < windows]
        total, squares = int(inside.sum()), int((inside * inside).sum())
    else:
        total, squares = _counted(rows, window_us, windows)
    mean = total / windows
    return float((squares / windows - mean**2) / mean)


def _counted(rows: ir.Table, window_us: int, windows: int) -> tuple[int, int]:
    """Arrivals in the first so many windows, and the sum of their squares."""
    window = rows.since_us // window_us
    counts = rows.mutate(window=window).filter(lambda t: t.window < windows)
    counts = counts.group_by("window").aggregate(n=lambda t: t.count())
    sums = counts.aggregate(total=counts.n.sum(), squares=(counts.n * counts.n).sum())
    (found,) = sums.to_pyarrow().to_pylist()
    return int(found["total"]), int(found["squares"])
