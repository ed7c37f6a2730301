"""Lengths of prompts and answers: lognormal, told by their mean and squared variation (SCV).

Fractions here are of the mean length; SCV 0 is a constant length.
"""

import numpy as np
from scipy.special import ndtr, ndtri

from planner.load.checks import Floats

N_LIFE_NODES = 16


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


def overlap_frac(scv: Floats) -> Floats:
    """E[min(X, X')]/E[X] of two lengths: how long two requests that start together stay together.

    2Φ(−σ/√2) for the lognormal; 1 for a constant, about one half at SCV 1.
    """
    return 2 * ndtr(-np.sqrt(np.log1p(scv) / 2))


def third_moment_frac(scv: Floats) -> Floats:
    """E[X³]/E[X]³ of a lognormal length."""
    return (1 + scv) ** 2 * (1 + scv)
