"""Electrical power of a chip and of the server around it: nameplate, cap, draw."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def work_rate(
    compute_util_frac: ArrayLike,
    moved_bytes_per_s: ArrayLike,
    span_w: ArrayLike,
    n_experts: ArrayLike,
    *,
    memory_j_per_byte: ArrayLike,
    compute_weight: ArrayLike,
    expert_order: ArrayLike,
) -> Floats:
    """How hard a chip works, before its power limit flattens it: 1 is about as much as TDP allows.

    Energy of memory traffic over the span between idle and TDP [W], plus the share of peak
    arithmetic. A byte costs the same joules on every chip measured; arithmetic in many small
    experts keeps more of a chip awake than its FLOP tell, as a power of their number. The numbers
    are fitted (`calibration.toml`). Returns: [1]
    """
    moved = np.multiply(memory_j_per_byte, moved_bytes_per_s) / span_w
    spread = np.maximum(n_experts, 1.0) ** np.asarray(expert_order)
    return np.asarray(moved + np.multiply(compute_weight, compute_util_frac) * spread)


def activity_frac(rate: ArrayLike, bend_order: ArrayLike) -> Floats:
    """How far between idle and TDP a chip draws: x/(1 + xᵖ)^(1/p), 0 at rest, 1 at most. [frac]

    The larger the order p, the straighter it runs into its limit. Concave: a mean over unlike
    phases is the mean of their draws, not the draw of their mean.
    """
    x, p = np.asarray(rate, float), np.asarray(bend_order)
    return np.asarray(x / (1 + x**p) ** (1 / p))


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
