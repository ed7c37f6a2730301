"""Lengths of prompts and answers: lognormal, told by their mean and squared variation (SCV).

Fractions here are of the mean length; SCV 0 is a constant length.
"""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr, ndtri

from planner.load.checks import Floats

N_LIFE_NODES = 16
BIN_WIDTH = 0.75
"""Width of a bin of lengths, in standard deviations of their logarithm: sums are good to 1 %."""


def length_quantile_frac(scv: Floats, level: Floats) -> Floats:
    """Quantile of a length over its mean: exp(σz − σ²/2), σ² = ln(1 + scv)."""
    sigma = np.sqrt(np.log1p(scv))
    frac: Floats = np.exp(sigma * ndtri(level) - sigma**2 / 2)
    return frac


def length_nodes_frac(scv: Floats) -> Floats:
    """Equally likely lengths over their mean, shape (..., nodes); they average to 1."""
    levels = (np.arange(N_LIFE_NODES) + 1 / 2) / N_LIFE_NODES
    nodes = length_quantile_frac(np.asarray(scv)[..., None], levels)
    mean: Floats = nodes.mean(axis=-1, keepdims=True)
    return nodes / mean


def length_bins(scv: Floats, shortest: float, n_bins: int, n_dims: int) -> tuple[Floats, Floats]:
    """Lengths over their mean [1] by bins, shape (bins, ...), and the share of them in each [frac].

    shortest: the middle of the first bin, in standard deviations of the logarithm; the first and
    the last bin hold what lies beyond. For laws that turn on the shortest or the longest lengths.
    n_dims: dimensions of what the bins meet.
    """
    middles = shortest + BIN_WIDTH * np.arange(n_bins)
    share = np.diff(ndtr(middles[:-1] + BIN_WIDTH / 2), prepend=0, append=1)
    sigma = np.sqrt(np.log1p(scv))
    shape = (n_bins, *[1] * n_dims)
    return np.exp(sigma * middles.reshape(shape) - sigma**2 / 2), share.reshape(shape)


def overlap_frac(scv: Floats) -> Floats:
    """E[min(X, X')]/E[X] of two lengths: how long two requests that start together stay together.

    2Φ(−σ/√2) for the lognormal; 1 for a constant, about one half at SCV 1.
    """
    return 2 * ndtr(-np.sqrt(np.log1p(scv) / 2))


def third_moment_frac(scv: Floats) -> Floats:
    """E[X³]/E[X]³ of a lognormal length."""
    return (1 + scv) ** 2 * (1 + scv)


def gamma_third_moment_frac(scv: Floats) -> Floats:
    """E[X³]/E[X]³ of a gamma law, as of services by their mean and SCV alone."""
    return (1 + scv) * (1 + 2 * scv)


def longer_frac(length_frac: Floats, scv: Floats) -> Floats:
    """Share of lognormal lengths above `length_frac` of their mean."""
    sigma = np.maximum(np.sqrt(np.log1p(scv)), np.finfo(np.float64).eps)
    log_length = np.log(np.maximum(length_frac, np.finfo(np.float64).tiny))
    frac: Floats = ndtr(-(log_length + sigma**2 / 2) / sigma)
    return frac


def measured_longer_frac(length_frac: Floats, quantiles_frac: Mapping[float, float]) -> Floats:
    """The same from measured quantiles over the mean, by level: exponential between and beyond.

    Raises ValueError unless two or more levels lie inside (0, 1) and quantiles rise with them.
    """
    levels = np.array(sorted(quantiles_frac))
    at = np.array([quantiles_frac[level] for level in levels])
    inside = len(levels) > 1 and levels[0] > 0 and levels[-1] < 1
    if not (inside and np.isfinite(at).all() and at[0] > 0 and (np.diff(at) > 0).all()):
        raise ValueError("quantiles must rise with two or more levels between 0 and 1.")
    knots, log_share = np.append(0, at), np.append(0, np.log1p(-levels))
    falls = (log_share[-2] - log_share[-1]) / (at[-1] - at[-2])
    beyond = np.maximum(length_frac - at[-1], 0)
    frac: Floats = np.exp(np.interp(length_frac, knots, log_share) - falls * beyond)
    return frac
