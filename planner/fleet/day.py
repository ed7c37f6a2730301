"""An average day: how far the load of each hour lies from the mean, and what it makes chips draw.

The shape is a von Mises curve, the least assuming one around a clock with a given busiest hour:
every class is busiest in the same hour, as when the fleet is sized.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import cos, tau
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from planner.facts.units import HOURS_PER_DAY
from planner.fleet.pools import Pool

Floats = NDArray[np.float64]
ANGLES = tuple(tau * hour / HOURS_PER_DAY for hour in range(HOURS_PER_DAY))
SHARPEST = 1e3
JUST_OVER = np.nextafter(1.0, 2.0)
HALF_DAY = HOURS_PER_DAY // 2
SHARES = np.array([1, *[2] * (HALF_DAY - 1), 1]) / HOURS_PER_DAY
"""Share of a day that is 0, 1, … 12 hours from its busiest."""


@lru_cache
def load_by_hour(peak_to_mean: float) -> tuple[float, ...]:
    """Load of each hour over the mean, from the busiest on; they average 1.

    r_h ∝ exp(κ cos 2πh/24), κ such that r_0 is the peak; a peak that no hour can hold, at 24 hours
    a day, lasts minutes: its hour then takes all it can. Source: Mardia, Jupp, Directional
    Statistics, 3.5.4.
    """
    if peak_to_mean <= 1:
        return (1.0,) * HOURS_PER_DAY
    sharpest = _curve(SHARPEST)[0]
    if peak_to_mean >= sharpest:
        return tuple(_curve(SHARPEST))
    kappa = brentq(lambda k: _curve(k)[0] - peak_to_mean, 0.0, SHARPEST, xtol=np.finfo(float).eps)
    return tuple(_curve(kappa))


def _curve(kappa: float) -> list[float]:
    heights = np.exp([kappa * (cos(angle) - 1) for angle in ANGLES])
    return [float(height) for height in heights / heights.mean()]


def half_day(pool: Pool) -> Floats:
    """Shares of arithmetic and bandwidth used 0, 1, … 12 hours from the busiest (2, 13). [frac]"""
    return activities(pool, load_by_hour(pool.peak_to_mean)[: HALF_DAY + 1])


def activities(pool: Pool, loads: Sequence[float]) -> Floats:
    """Shares of arithmetic and of bandwidth in use at loads over the mean one (2, loads). [frac]

    On straight lines from rest to the mean load, and from there to the peak.
    """
    known = (0.0, 1.0, max(pool.peak_to_mean, JUST_OVER))
    mean, peak = pool.mean, pool.peak
    return np.array(
        [
            np.interp(loads, known, (0.0, mean.compute_util_frac, peak.compute_util_frac)),
            np.interp(loads, known, (0.0, mean.memory_util_frac, peak.memory_util_frac)),
        ]
    )


def mean(by_distance: Floats) -> Any:
    """Mean over a day of what is given 0, 1, … 12 hours from the busiest (13, …)."""
    return SHARES @ by_distance
