"""Electrical power of a chip and of the server around it: nameplate, cap, draw."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def activity_frac(
    compute_util_frac: ArrayLike,
    memory_util_frac: ArrayLike,
    *,
    compute_weight: ArrayLike,
    memory_weight: ArrayLike,
) -> Floats:
    """How far between idle and TDP a chip draws, from how busy arithmetic and memory are.

    Linear, saturating at 1, as in roofline power models (Choi et al., IPDPS 2013). Returns: [frac]
    """
    busy = np.multiply(compute_weight, compute_util_frac) + np.multiply(
        memory_weight, memory_util_frac
    )
    return np.asarray(np.minimum(busy, 1))


def chip_draw_w(
    idle_w: ArrayLike, tdp_w: ArrayLike, activity: ArrayLike, cap_frac: ArrayLike = 1
) -> Floats:
    """min(cap, idle + (TDP − idle)·activity). Returns: [W]"""
    free_w = np.add(idle_w, np.multiply(np.subtract(tdp_w, idle_w), activity))
    return np.minimum(np.multiply(cap_frac, tdp_w), free_w)


def harmless_cap_frac(
    idle_w: ArrayLike,
    tdp_w: ArrayLike,
    peak_activity: ArrayLike,
    *,
    margin: ArrayLike,
    floor: ArrayLike,
) -> Floats:
    """The lowest cap that does not bind at peak, with a margin and above the lowest settable cap.

    Returns: [frac of TDP]
    """
    draw_frac = np.divide(chip_draw_w(idle_w, tdp_w, peak_activity), tdp_w)
    return np.asarray(np.clip(draw_frac * np.add(1, margin), floor, 1))
