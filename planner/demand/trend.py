"""How requests and their ratio have drifted, where a log is long enough to tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy import special

from planner.demand.logs.limits import Limits
from planner.demand.logs.results import Audit, Range
from planner.demand.workload import RATIO_MONTHS
from planner.facts.units import HOUR_S, HOURS_PER_DAY, HOURS_PER_YEAR, MONTHS_PER_YEAR

DAYS_PER_WEEK = 7
DAYS_AHEAD = RATIO_MONTHS / MONTHS_PER_YEAR * HOURS_PER_YEAR / HOURS_PER_DAY
UPPER_80 = 0.9
"""Quantile at the upper end of a central 80% interval."""
MOST_LOG = 20.0
"""Beyond this a drift is no forecast; it keeps the factors finite."""
MOST_LIKE = 0.95
"""Highest likeness of neighbouring days that the widening believes."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trend:
    """Factors on requests and on the decode:prefill ratio over 18 months, with 80% ranges."""

    requests: Range
    ratio: Range
    n_days: int


def trend(found: Audit, limits: Limits) -> Trend | None:
    """The drift of a dated log over its whole days; None where it is too short to tell.

    Log-linear in time with an effect for each day of the week, by least squares; the error of the
    slope is widened for days that resemble the day before, as for an autoregression of order one.
    """
    if found.starts_at is None or found.arrivals.span_s is None:
        return None
    days = _daily(found)
    if days is None or days.shape[1] < limits.trend_days:
        return None
    weekday = datetime.fromisoformat(found.starts_at).weekday() + 1 + np.arange(days.shape[1])
    usable = (days > 0).all(axis=0)
    if usable.sum() < limits.trend_days:
        return None
    requests, inputs, outputs = days
    when = np.flatnonzero(usable)
    of_week = weekday[usable] % DAYS_PER_WEEK
    return Trend(
        requests=_factor(when, of_week, np.log(requests[usable])),
        ratio=_factor(when, of_week, np.log(outputs[usable] / inputs[usable])),
        n_days=int(usable.sum()),
    )


def _daily(found: Audit) -> Floats | None:
    """Requests, input and output tokens of each whole UTC day after the first [3, days]."""
    series, starts = found.per_minute, datetime.fromisoformat(str(found.starts_at))
    midnight = starts.replace(hour=0, minute=0, second=0, microsecond=0)
    day_s = HOURS_PER_DAY * HOUR_S
    if series.bin_s > day_s:
        return None
    at_s = (starts - midnight).total_seconds() + np.arange(len(series.requests)) * series.bin_s
    day = (at_s // day_s).astype(np.int64)
    columns: Sequence[Sequence[int]] = (series.requests, series.input_tokens, series.output_tokens)
    sums = np.array([np.bincount(day, column) for column in columns])
    return sums[:, 1:-1]


def _factor(when: NDArray[np.int64], weekday: NDArray[np.int64], logs: Floats) -> Range:
    """The factor over 18 months that a log-linear drift comes to, with its 80% range."""
    effects = (weekday[:, None] == np.arange(1, DAYS_PER_WEEK)).astype(np.float64)
    effects = effects[:, effects.any(axis=0)]
    design = np.column_stack([np.ones(len(when)), when - when.mean(), effects])
    solution, *_ = np.linalg.lstsq(design, logs, rcond=None)
    left = logs - design @ solution
    freedom = len(logs) - design.shape[1]
    variance = float(left @ left) / freedom
    error = np.sqrt(variance * np.linalg.pinv(design.T @ design)[1, 1]) * _widening(left)
    slope = float(solution[1])
    reach = float(special.stdtrit(freedom, UPPER_80)) * float(error)
    ahead = DAYS_AHEAD * np.array([slope - reach, slope, slope + reach])
    return Range(*np.exp(ahead.clip(-MOST_LOG, MOST_LOG)).tolist())


def _widening(left: Floats) -> float:
    """How much wider an error is when each day leans on the one before."""
    power = float(left @ left)
    lag = float(left[1:] @ left[:-1]) / power if power > 0 else 0.0
    lag = min(max(lag, 0.0), MOST_LIKE)
    return float(np.sqrt((1 + lag) / (1 - lag)))
