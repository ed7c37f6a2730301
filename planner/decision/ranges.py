"""Ranges of a sampled figure, and how far they may be off because there are only so many draws."""

from typing import Any

import numpy as np

LEVELS = (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))


def quantiles(samples: Any) -> dict[str, Any]:
    """P10, P50, P90 of samples; a single number stands as P50."""
    if np.ndim(samples) == 0:
        return {"p10": None, "p50": float(samples), "p90": None}
    found = np.quantile(samples, [level for _, level in LEVELS])
    return {name: float(value) for (name, _), value in zip(LEVELS, found, strict=True)}


def standard_errors(samples: Any) -> dict[str, float] | None:
    """Standard error of P10, P50 and P90; None for a single number.

    Half the distance between the order statistics one binomial deviation, √(q(1 − q)/n), below and
    above a quantile q (Woodruff, Journal of the American Statistical Association 47, 1952): exact
    for draws made at random, too large rather than too small for a Latin hypercube.
    """
    if np.ndim(samples) == 0:
        return None
    level = np.array([level for _, level in LEVELS])
    apart = np.sqrt(level * (1 - level) / np.size(samples))
    low, high = np.quantile(samples, np.clip([level - apart, level + apart], 0, 1))
    return {name: float(error) for (name, _), error in zip(LEVELS, (high - low) / 2, strict=True)}


def ranged(samples: Any, n_samples: int = 0) -> dict[str, Any]:
    """P10, P50 and P90 with their standard errors.

    n_samples: of the plan; a figure that no draw moves then has a range of no width.
    """
    drawn = np.ndim(samples) == 0 and n_samples
    values = np.broadcast_to(samples, (n_samples,)) if drawn else samples
    return {**quantiles(values), "standard_error": standard_errors(values)}


def share_error_frac(share_frac: float, n: int) -> float:
    """Standard error of the share of n draws: √(p(1 − p)/n). Returns: [frac]"""
    return float(np.sqrt(share_frac * (1 - share_frac) / n))
