"""Arrivals in bursts, as an audit tells of them: the minutes of a log and what is inside them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from planner.demand.logs.results import Audit, Lengths
from planner.facts.units import MINUTE_S
from planner.load.checks import Floats, non_negative, positive
from planner.load.lengths import measured_longer_frac
from planner.load.shares import Unevenness, inside_minutes, unevenness
from planner.load.waiting import EPS

LEVELS = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Bursts:
    """Arrivals of a log, by minute (k,): requests, and their work in requests of mean length.

    inside: bursts inside minutes. lengths_frac: quantiles of a length over its mean by level, as
    measured; empty where lengths are lognormal.
    """

    requests: Floats
    work_requests: Floats
    inside: Unevenness
    lengths_frac: Mapping[float, float]

    @property
    def length_frac(self) -> Floats:
        """Mean length of each minute's requests over that of the log."""
        return np.where(self.requests > 0, self.work_requests / np.maximum(self.requests, EPS), 1)


def logged_bursts(
    requests: ArrayLike,
    work: ArrayLike,
    dispersion: Mapping[str, float],
    *,
    lengths_frac: Mapping[float, float] | None = None,
) -> Bursts:
    """Arrivals of a log.

    requests, work: by minute, shape (k,); work in any unit, as prompt tokens. dispersion: index of
    dispersion by length of window in seconds, the minute ("60") among them. lengths_frac: measured
    quantiles of the work of a request over its mean, by level.
    Raises ValueError on negative, non-finite or empty input.
    """
    counts, amount = non_negative("requests", requests), non_negative("work", work)
    if counts.ndim != 1 or counts.shape != amount.shape or not counts.sum() * amount.sum():
        raise ValueError("requests and work must be lists of one length, by minute, not all 0.")
    within = inside_minutes(dispersion)
    typical = float((counts**2).sum() / counts.sum())
    relative = amount * counts.sum() / amount.sum()
    lengths = dict(lengths_frac or {})
    if lengths:
        measured_longer_frac(np.ones(()), lengths)
    return Bursts(counts, relative, unevenness(within, typical), lengths)


def audited_bursts(audit: Audit) -> Bursts:
    """Arrivals of an audited log.

    Raises ValueError where the log has no times, is too short to tell bursts from chance, or too
    long to be kept by minutes.
    """
    series, found = audit.per_minute, audit.arrivals.dispersion
    known = {window: value for window, value in found.items() if value is not None}
    if len(known) < len(found) or series.bin_s != MINUTE_S:
        raise ValueError(
            f"{audit.source} must hold times over some minutes, kept minute by minute."
        )
    lengths = _quantiles_frac(audit.input_lengths)
    return logged_bursts(series.requests, series.input_tokens, known, lengths_frac=lengths)


def busiest_minute(bursts: Bursts) -> Bursts:
    """The minute with most work as if it lasted, as sizing takes it."""
    work = bursts.work_requests.max(keepdims=True)
    return replace(bursts, requests=work, work_requests=work)


def minute_bursts(requests_per_s: float, dispersion: Mapping[str, float]) -> Bursts:
    """A lasting minute of `requests_per_s`.

    dispersion: inside that minute, by length of window in seconds (1 for Poisson arrivals).
    Raises ValueError on negative, non-finite or empty input.
    """
    requests = np.atleast_1d(positive("requests_per_s", requests_per_s)) * MINUTE_S
    return Bursts(requests, requests, unevenness(dispersion, float(requests[0])), {})


def _quantiles_frac(lengths: Lengths) -> dict[float, float]:
    """Measured quantiles over the mean that rise with their level; none if they hardly do."""
    found: dict[float, float] = {}
    for name, level in LEVELS.items():
        frac = getattr(lengths, name) / lengths.mean if lengths.mean > 0 else 0
        if frac > max(found.values(), default=0):
            found[level] = frac
    return found if len(found) > 1 else {}
