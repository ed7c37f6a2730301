"""How long requests are, read off the buckets of a histogram."""

import math

import numpy as np

from planner.demand.logs.results import PERCENTILES, Lengths
from planner.demand.metrics.counted import Buckets


def lengths_of(buckets: Buckets | None, mean: float) -> Lengths:
    """Lengths of requests [tokens]; nulls but for the mean where no histogram was kept.

    Percentiles interpolate inside a bucket, as Prometheus's histogram_quantile does; one beyond
    the last finite edge is that edge. The scv takes each bucket as evenly filled.
    """
    unknown = Lengths(mean=mean, scv=None, max=None, **dict.fromkeys(PERCENTILES))
    if buckets is None:
        return unknown
    edges = sorted(edge for edge in buckets.below if math.isfinite(edge))
    below = np.maximum.accumulate([buckets.below[edge] for edge in edges] or [0.0])
    total = max(buckets.below.get(math.inf, 0.0), float(below[-1]))
    if not edges or total <= 0:
        return unknown
    lows, highs = np.array([0.0, *edges[:-1]]), np.array(edges)
    inside = np.diff(below, prepend=0.0)
    quantiles = {
        name: float(np.interp(q * total, np.concatenate([[0.0], below]), np.array([0.0, *edges])))
        for name, q in PERCENTILES.items()
    }
    return Lengths(mean=mean, scv=_scv(lows, highs, inside), max=None, **quantiles)


def _scv(lows: np.ndarray, highs: np.ndarray, inside: np.ndarray) -> float | None:
    """Squared variation of a histogram whose buckets are evenly filled."""
    counted = float(inside.sum())
    middles = (lows + highs) / 2
    mean = float(inside @ middles) / counted if counted else 0.0
    # The mean square of an even spread from a to b is (a² + ab + b²) / 3.
    squares = float(inside @ np.mean([lows**2, lows * highs, highs**2], axis=0)) if counted else 0.0
    return max(0.0, squares / counted / mean**2 - 1) if mean > 0 else None
