"""How far one request's own time per token strays from the mean: averaging over its life."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from planner.load.birth_death import finite, quantile_index
from planner.load.checks import Floats

N_LIFE_NODES = 16


@dataclass(frozen=True, slots=True)
class TokenMoments:
    """Mean [s], variance [s²] of the step a random token sees, and the curve's mean slope [s]."""

    mean_s: Floats
    variance_s2: Floats
    slope_s: Floats


def tpot_moments(seen: Floats, step_s: Floats) -> TokenMoments:
    """Moments of t(b) under the law `seen` (..., B) of the batch a token runs in."""
    curve = finite(step_s)
    mean_s = (seen * curve).sum(axis=-1)
    variance_s2 = (seen * (curve - mean_s[..., None]) ** 2).sum(axis=-1)
    steps = np.diff(curve, append=curve[..., -1:])
    slope_s = (seen * np.maximum(steps, 0)).sum(axis=-1)
    return TokenMoments(mean_s, variance_s2, slope_s)


def life_nodes(scv: Floats) -> Floats:
    """Quantiles of a lognormal life with mean 1 at equally likely levels, shape (..., nodes)."""
    levels = (np.arange(N_LIFE_NODES) + 1 / 2) / N_LIFE_NODES
    sigma = np.sqrt(np.log1p(scv))[..., None]
    return np.exp(sigma * ndtri(levels) - sigma**2 / 2)


def averaged_frac(lives: Floats) -> Floats:
    """Variance left after averaging an exponentially correlated process over `lives` of its
    correlation times: 2(x − 1 + e^−x)/x², 1 at x → 0 and 2/x for long lives."""
    x = np.maximum(lives, np.sqrt(np.finfo(np.float64).eps))
    return np.minimum(2 * (x + np.expm1(-x)) / x**2, 1)


def shrink_frac(correlation_lives: Floats, scv: Floats, quantile: Floats) -> Floats:
    """Excess of a request's own quantile over the mean, as a share of a single token's.

    correlation_lives: mean life over the correlation time of the batch (...).
    """
    lives = life_nodes(scv) * correlation_lives[..., None]
    return np.sqrt(averaged_frac(lives).mean(axis=-1))


def tpot_quantile_s(
    seen: Floats,
    step_s: Floats,
    moments: TokenMoments,
    rate: Floats,
    tokens: Floats,
    scv: Floats,
    quantile: Floats,
) -> Floats:
    """Quantile over requests of each one's mean time per token [s], never below the mean.

    Others leave once per L tokens and arrive at λt, so a change in the batch fades over
    L·(1+scv)/2/(1 − λL·t′) tokens; a request of l tokens averages over its life.
    """
    level = np.broadcast_to(quantile, seen.shape[:-1])
    index = quantile_index(seen, level)
    curve = np.broadcast_to(finite(step_s), seen.shape)
    instant_s = np.take_along_axis(curve, index[..., None], axis=-1)[..., 0]
    fading = np.maximum(1 - rate * tokens * moments.slope_s, 0) * 2 / (1 + scv)
    kept = shrink_frac(np.broadcast_to(fading, level.shape), scv, level)
    return moments.mean_s + kept * np.maximum(instant_s - moments.mean_s, 0)
