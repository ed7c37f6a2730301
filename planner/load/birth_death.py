"""The birth–death law of a server whose speed depends on its batch, in closed form."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.load.checks import Floats


@dataclass(frozen=True, slots=True)
class BatchLaw:
    """Stationary law of the jobs n in a limited-processor-sharing server.

    seen: P(a token runs in a batch of b), b = 1…B, shape (..., B). By the arrival theorem it is
        P(n = b − 1), with all of n ≥ B − 1 at b = B.
    full: P(n ≥ B). load_at_cap: arrivals over departures while n ≥ B; stable iff below 1.
    """

    seen: Floats
    full: Floats
    load_at_cap: Floats


def batch_law(tokens_per_s: Floats, step_s: Floats) -> BatchLaw:
    """M/M/1-LPS(B) with batch-dependent rate: π(n) ∝ Π_{k≤n} λL·t(min(k,B))/min(k,B).

    tokens_per_s: λL (...); step_s: t(b) [s], (..., B), +inf beyond the largest batch that fits.
    Log space; the geometric tail n ≥ B is summed in closed form. Exact for geometric lengths in
    continuous time, insensitive to their law while B never binds (Kelly, Reversibility and
    Stochastic Networks, 1979, ch. 3).
    """
    batch = np.arange(1, step_s.shape[-1] + 1)
    fits = np.isfinite(step_s)
    cap = fits.sum(axis=-1)[..., None]
    token_s = np.where(fits, step_s, 1) / batch
    load_at_cap = tokens_per_s * at_cap(step_s) / cap[..., 0]
    tail = np.where(load_at_cap < 1, 1 - load_at_cap, 1)
    log_token_s = np.log(token_s)
    start = np.cumsum(log_token_s, axis=-1) - log_token_s
    log_tokens = np.log(np.maximum(tokens_per_s, np.finfo(np.float64).tiny))
    log_weight = np.where(fits, log_tokens[..., None] * (batch - 1) + start, -np.inf)
    log_weight = log_weight - np.where(batch == cap, np.log(tail)[..., None], 0)
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    seen = weight / weight.sum(axis=-1, keepdims=True)
    full = (seen * (batch == cap)).sum(axis=-1) * load_at_cap
    return BatchLaw(seen, full, load_at_cap)


def at_cap(curve: Floats) -> Floats:
    """The curve at its largest batch that fits (its last finite value), shape (...)."""
    last = np.isfinite(curve).sum(axis=-1) - 1
    return np.take_along_axis(curve, last[..., None], axis=-1)[..., 0]


def finite(curve: Floats) -> Floats:
    """The curve with steps that do not fit as 0, for sums weighted by a law that skips them."""
    return np.where(np.isfinite(curve), curve, 0)


def quantile_index(law: Floats, quantile: Floats) -> NDArray[np.intp]:
    """First index at which the cumulative law (..., B) reaches `quantile` (...)."""
    reached = np.cumsum(law, axis=-1) >= quantile[..., None]
    return np.where(reached.any(axis=-1), reached.argmax(axis=-1), law.shape[-1] - 1)
