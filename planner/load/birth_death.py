"""The birth–death law of a server whose speed depends on its batch, in closed form."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from planner.load.checks import Floats

N_POINTS = 8
TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, slots=True)
class BatchGrid:
    """The batches 1…B at which a law is evaluated, shape (..., J), B the largest that fits.

    Neighbours lie 2√b/N_POINTS apart, a quarter of the standard deviation of a Poisson law, and
    stand side by side up to (N_POINTS/2)²: sums over the grid are good to 4 digits.
    n_states: how many batches each stands for, 0 for repeats of B.
    """

    batch: NDArray[np.intp]
    n_states: Floats

    @property
    def cap(self) -> NDArray[np.intp]:
        """The largest batch that fits, shape (...)."""
        return self.batch[..., -1]

    @property
    def is_cap(self) -> NDArray[np.bool_]:
        """Where the grid first reaches the largest batch, shape (..., J)."""
        last: NDArray[np.bool_] = self.batch == self.cap[..., None]
        return last & (self.n_states > 0)

    def read(self, curve: Floats, first: int = 1) -> Floats:
        """A curve over batches first, first + 1, … at the grid, shape (..., J)."""
        return np.take_along_axis(curve, self.batch - first, axis=-1)


def batch_grid(step_s: Floats) -> BatchGrid:
    """The grid of a curve over batches 1…B; steps of +inf do not fit."""
    size = step_s.shape[-1]
    nodes = np.arange(1, np.ceil(N_POINTS * np.sqrt(size)) + 1) / N_POINTS
    nodes = np.unique(np.minimum(np.ceil(nodes**2), size)).astype(np.intp)
    cap = np.isfinite(step_s).sum(axis=-1)[..., None]
    batch = np.minimum(nodes, cap)
    following = np.concatenate([batch[..., 1:], cap], axis=-1)
    upper = np.where(batch < cap, (batch + following) / 2, cap + 1 / 2)
    return BatchGrid(batch, np.diff(upper, axis=-1, prepend=1 / 2))


def log_product(step_s: Floats) -> Floats:
    """Σ_{k<b} ln t(k) for b = 1…B; only differences between batches that fit matter. [1]"""
    logs = np.log(np.where(np.isfinite(step_s), step_s, 1))
    return np.cumsum(logs, axis=-1) - logs


@dataclass(frozen=True, slots=True)
class BatchLaw:
    """Stationary law of the jobs n in a limited-processor-sharing server.

    seen: P(a token runs in a batch of b) at the grid (..., J). By the arrival theorem it is
        P(n = b − 1), with all of n ≥ B − 1 at b = B.
    reached: P(that batch ≤ b). full: P(n ≥ B). load_at_cap: arrivals over departures while
        n ≥ B; stable iff below 1.
    """

    grid: BatchGrid
    seen: Floats
    reached: Floats
    full: Floats
    load_at_cap: Floats

    def mean(self, curve: Floats) -> Floats:
        """Mean over tokens of a curve at the grid (..., J); over time, of the curve at b − 1."""
        mean: Floats = np.einsum("...b,...b->...", self.seen, curve)
        return mean

    def quantile(self, curve: Floats, level: Floats) -> Floats:
        """Quantile over tokens of a non-decreasing curve at the grid: its value at a batch."""
        index = (self.reached < level[..., None]).sum(axis=-1, keepdims=True)
        index = np.minimum(index, self.reached.shape[-1] - 1)
        (low, high), (first, last), (start, end) = (
            _pick(column, index) for column in (self.reached, self.grid.batch, curve)
        )
        gap = np.maximum(last - first, 1)
        part = (level - low) / np.maximum(high - low, TINY)
        value: Floats = start + np.ceil(np.clip(part, 0, 1) * gap) / gap * (end - start)
        return value


def _pick(column: NDArray[Any], index: NDArray[np.intp]) -> tuple[Any, Any]:
    """A column of the grid before and at an index."""
    wide = np.broadcast_to(column, (*index.shape[:-1], column.shape[-1]))
    before = np.take_along_axis(wide, np.maximum(index - 1, 0), axis=-1)
    return before[..., 0], np.take_along_axis(wide, index, axis=-1)[..., 0]


def _share_above(grid: BatchGrid) -> Floats:
    """Share of the states a batch of the grid stands for that lie above it."""
    following = np.concatenate([grid.batch[..., 1:], grid.batch[..., -1:]], axis=-1)
    above = np.maximum(following - grid.batch - 1, 0) / 2
    return above / np.maximum(grid.n_states, 1)


def batch_law(
    tokens_per_s: Floats, log_products: Floats, load_at_cap: Floats, grid: BatchGrid
) -> BatchLaw:
    """M/M/1-LPS(B) with batch-dependent rate: π(n) ∝ Π_{k≤n} λL·t(min(k,B))/min(k,B).

    tokens_per_s: λL (...); log_products: Σ_{k<b} ln t(k) at the grid (..., J); load_at_cap:
    λL·t(B)/B, or what stands for it where a full batch serves otherwise. Log space; the geometric
    tail n ≥ B is summed in closed form. Exact for geometric lengths in continuous time,
    insensitive to their law while B never binds (Kelly, Reversibility and Stochastic Networks,
    1979, ch. 3).
    """
    tail = np.where(load_at_cap < 1, load_at_cap / np.maximum(1 - load_at_cap, TINY), 0)
    log_rate = np.log(np.maximum(tokens_per_s, TINY))[..., None]
    # in place from here on, so that what a block holds stays in the cache
    weight: Floats = _added(log_rate * (grid.batch - 1), log_products - gammaln(grid.batch))
    weight -= weight.max(axis=-1, keepdims=True)
    np.exp(weight, out=weight)
    at_cap = weight[..., -1] * tail
    weight *= grid.n_states
    total = weight.sum(axis=-1) + at_cap
    _add_at_cap(weight, grid, at_cap)
    weight /= total[..., None]
    reached: Floats = np.cumsum(weight, axis=-1)
    reached -= weight * _share_above(grid)
    return BatchLaw(grid, weight, reached, at_cap / total, load_at_cap)


def _added(whole: Floats, part: Floats) -> Floats:
    """The sum of both, in the place of the first where it has the room."""
    shape = np.broadcast_shapes(whole.shape, part.shape)
    return np.add(whole, part, out=whole if whole.shape == shape else None)


def _add_at_cap(weight: Floats, grid: BatchGrid, at_cap: Floats) -> None:
    """Add to the weight of the first point of the grid at which the batch is full, in place."""
    first = np.broadcast_to(grid.is_cap.argmax(axis=-1), at_cap.shape)[..., None]
    held = np.take_along_axis(weight, first, axis=-1)
    np.put_along_axis(weight, first, held + at_cap[..., None], axis=-1)
