"""How far one request's own time per token strays from the mean: averaging over its life."""

import numpy as np
from scipy.special import ndtri

from planner.load.birth_death import TINY, BatchLaw
from planner.load.checks import Floats
from planner.load.lengths import length_nodes_frac


def left_frac(lives: Floats) -> Floats:
    """Variance left after averaging over `lives`, x, of an exponential correlation time.

    2(x − 1 + e^−x)/x²: 1 at x → 0 and 2/x for long lives.
    """
    # below this x the closed form loses its digits to cancellation
    x = np.maximum(lives, np.finfo(np.float64).eps ** (1 / (1 + 2)))
    left: Floats = np.minimum(2 * (x + np.expm1(-x)) / x**2, 1)
    return left


def decayed_frac(lives: Floats) -> Floats:
    """Mean over `lives` decay times of what decays exponentially: (1 − e^−x)/x."""
    x = np.maximum(lives, TINY)
    return -np.expm1(-x) / x


def batch_excess_s(
    law: BatchLaw,
    step_s: Floats,
    slope_s: Floats,
    rate: Floats,
    scv: Floats,
    level: Floats,
    dispersion: Floats | float = 1.0,
) -> Floats:
    """What the batch a request runs in adds to its own quantile of time per token, over the mean.

    A token's step has the quantile of t(b); a request averages it over its life of mean L tokens.
    Others leave once per L tokens and arrive at λt, so the batch forgets over
    L·(1 + scv)/2/(1 − λL·t′) tokens. rate: λL [tokens/s]; dispersion: variance of the batch over
    that of the law. Never beyond the full batch. Returns: [s]
    """
    forgotten = np.maximum(1 - rate * slope_s, 0) * 2 / (1 + scv)
    lives = length_nodes_frac(scv) * forgotten[..., None]
    kept = np.sqrt(left_frac(lives).mean(axis=-1) * dispersion)
    mean_s = law.mean(step_s)
    excess_s = kept * (law.quantile(step_s, level) - mean_s)
    room_s = np.maximum(step_s[..., -1] - mean_s, 0)
    within_s: Floats = np.clip(excess_s, 0, room_s)
    return within_s


def share_quantile(mean: Floats, variance: Floats, level: Floats) -> Floats:
    """Quantile of a share between 0 and 1 of known mean and variance. [frac]

    arcsin √x is nearly normal (Anscombe 1948), for sharp laws with variance c/4, c = v/(m(1 − m));
    c/(2(2 − c)) keeps close to the Beta law up to all-or-nothing at c = 1.
    """
    angle = np.arcsin(np.sqrt(mean))
    bluntness = variance / np.maximum(mean * (1 - mean), TINY)
    widened = np.sqrt(bluntness / (2 * (2 - bluntness)))
    share: Floats = np.sin(np.clip(angle + ndtri(level) * widened, 0, np.pi / 2)) ** 2
    return share
