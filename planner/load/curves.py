"""The two step curves of a replica, read where the law of its batch needs them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.load.birth_death import BatchGrid, BatchLaw, batch_grid, batch_law, log_product
from planner.load.checks import Floats, finite, step_curve


@dataclass(frozen=True, slots=True)
class ReplicaCurves:
    """Steps without prompts and beside a full chunk [s]: over b = 0…B, and at the grid.

    *_before_s: with one request less. log_product_s: Σ_{k<b} ln t_d(k).
    """

    grid: BatchGrid
    decode_curve_s: Floats
    mixed_curve_s: Floats
    decode_s: Floats
    mixed_s: Floats
    decode_before_s: Floats
    mixed_before_s: Floats
    log_product_s: Floats

    def law(self, tokens_per_s: Floats, step_s: Floats, load_at_cap: Floats) -> BatchLaw:
        """The law of a batch whose steps at the grid are `step_s`, near the decode curve."""
        stretch = step_s / self.decode_s
        np.log(stretch, out=stretch)
        gap = np.diff(self.grid.batch, axis=-1)
        # trapezoids between the points of the grid: each point weighs by the gaps on both sides
        after = np.pad((gap + 1) / 2, [(0, 0)] * (gap.ndim - 1) + [(0, 1)])
        before = np.pad((gap - 1) / 2, [(0, 0)] * (gap.ndim - 1) + [(1, 0)])
        added = stretch * (after + before)
        np.cumsum(added, axis=-1, out=added)
        stretch *= after
        added -= stretch
        added += self.log_product_s
        return batch_law(tokens_per_s, added, load_at_cap, self.grid)


def replica_curves(
    decode_step_s: ArrayLike, mixed_step_s: ArrayLike | None = None
) -> ReplicaCurves:
    """Checked curves over b = 0…B; without mixed steps both curves are the decode steps.

    ValueError on empty, falling or NaN curves, on curves of different batches, and where a chunk
    would shorten a step. A batch fits if it does on both curves.
    """
    decode = step_curve("decode_step_s", decode_step_s)
    mixed = decode if mixed_step_s is None else step_curve("mixed_step_s", mixed_step_s)
    if decode.shape[-1] != mixed.shape[-1] or decode.shape[-1] < 2:
        raise ValueError(
            "decode_step_s and mixed_step_s must cover the same batches 0…B with B at least 1; "
            f"got {decode.shape[-1]} and {mixed.shape[-1]} steps."
        )
    if np.any(mixed < decode):
        raise ValueError("mixed_step_s must be at least decode_step_s at every batch.")
    return _read(*np.broadcast_arrays(decode, mixed))


def _read(decode: Floats, mixed: Floats) -> ReplicaCurves:
    fits = np.isfinite(decode) & np.isfinite(mixed)
    decode, mixed = finite(np.where(fits, decode, 0)), finite(np.where(fits, mixed, 0))
    grid = batch_grid(np.where(fits, 1, np.inf)[..., 1:])
    return ReplicaCurves(
        grid=grid,
        decode_curve_s=decode,
        mixed_curve_s=mixed,
        decode_s=grid.read(decode, first=0),
        mixed_s=grid.read(mixed, first=0),
        decode_before_s=grid.read(decode, first=1),
        mixed_before_s=grid.read(mixed, first=1),
        log_product_s=grid.read(log_product(np.where(decode > 0, decode, 1)[..., 1:])),
    )


def between(curve_s: Floats, batch: Floats) -> Floats:
    """A curve over b = 0…B at a batch that need not be whole, linear between. [s]."""
    shape = np.broadcast_shapes(curve_s.shape[:-1], batch.shape)
    wide = np.broadcast_to(curve_s, (*shape, curve_s.shape[-1]))
    low = np.broadcast_to(np.floor(batch).astype(np.intp), shape)
    high = np.minimum(low + 1, curve_s.shape[-1] - 1)
    start, end = _pick(wide, low), _pick(wide, high)
    # a batch beyond the last that fits is only ever asked for with weight 0
    return start + (batch - low) * np.maximum(end - start, 0)


def _pick(wide: Floats, index: NDArray[np.intp]) -> Floats:
    return np.take_along_axis(wide, index[..., None], axis=-1)[..., 0]


def rise_s(grid: BatchGrid, step_s: Floats) -> Floats:
    """Growth of a curve at the grid for one more request [s], shape (..., J)."""
    gap = np.diff(grid.batch, axis=-1, append=grid.batch[..., -1:])
    return np.diff(step_s, axis=-1, append=step_s[..., -1:]) / np.maximum(gap, 1)
