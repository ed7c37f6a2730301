"""Refusals of bad queueing input, each one sentence in the caller's words."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner import text

Floats: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = float | Floats


def non_negative(name: str, value: ArrayLike) -> Floats:
    """`value` as floats. ValueError unless every element is finite and ≥ 0."""
    array = np.asarray(value, dtype=np.float64)
    _require(np.isfinite(array) & (array >= 0), name, array, "finite and at least 0")
    return array


def positive(name: str, value: ArrayLike) -> Floats:
    """`value` as floats. ValueError unless every element is finite and > 0."""
    array = np.asarray(value, dtype=np.float64)
    _require(np.isfinite(array) & (array > 0), name, array, "finite and above 0")
    return array


def at_least_one(name: str, value: ArrayLike) -> Floats:
    """`value` as floats. ValueError unless every element is finite and ≥ 1."""
    array = np.asarray(value, dtype=np.float64)
    _require(np.isfinite(array) & (array >= 1), name, array, "finite and at least 1")
    return array


def whole_servers(name: str, value: ArrayLike) -> Floats:
    """`value` as floats. ValueError unless every element is a whole number ≥ 1."""
    array = at_least_one(name, value)
    _require(array == np.floor(array), name, array, "a whole number")
    return array


def open_fraction(name: str, value: ArrayLike) -> Floats:
    """`value` as floats. ValueError unless every element lies strictly between 0 and 1."""
    array = np.asarray(value, dtype=np.float64)
    _require((array > 0) & (array < 1), name, array, "strictly between 0 and 1")
    return array


def step_curve(name: str, value: ArrayLike) -> Floats:
    """A step-time curve [s], shape (..., B), as floats.

    ValueError if it is empty, has a step that is NaN or not above 0, falls as the batch
    grows, or allows no batch at all. Steps of +inf mark batches that do not fit.
    """
    curve = np.asarray(value, dtype=np.float64)
    if curve.ndim == 0 or curve.shape[-1] == 0:
        raise ValueError(f"{name} must hold at least one step time; it is empty.")
    _require(curve > 0, name, curve, "above 0 seconds (+inf where the batch does not fit)")
    _require(np.isfinite(curve[..., 0]), name, curve[..., 0], "finite at the smallest batch")
    # inf >= inf holds, so trailing steps that do not fit pass
    _require(curve[..., 1:] >= curve[..., :-1], name, curve[..., 1:], "non-decreasing in the batch")
    return curve


def _require(ok: NDArray[np.bool_], name: str, array: Floats, allowed: str) -> None:
    if not np.all(ok):
        worst = np.broadcast_to(array, ok.shape)[~ok].flat[0]
        raise ValueError(f"{name} must be {allowed}; got {text.given(worst)}.")


def finite(curve: Floats) -> Floats:
    """The curve with steps that do not fit as 0, for sums that skip them."""
    return np.where(np.isfinite(curve), curve, 0)
