"""A pool that only decodes: continuous batching up to a batch cap."""

import numpy as np
from numpy.typing import ArrayLike

from planner.load.birth_death import BatchGrid, batch_grid, batch_law, log_product
from planner.load.blocks import in_blocks
from planner.load.checks import Floats, finite, non_negative, open_fraction, positive, step_curve
from planner.load.results import DecodePool, answer
from planner.load.spread import batch_excess_s
from planner.load.waiting import place_wait_s, wait_quantile_s


@in_blocks("step_s")
def decode_pool(
    requests_per_s: ArrayLike,
    mean_output_tokens: ArrayLike,
    step_s: ArrayLike,
    *,
    output_scv: ArrayLike = 1.0,
    quantile: ArrayLike = 0.99,
) -> DecodePool:
    """M/G/1-LPS(B): limited processor sharing whose speed depends on the batch.

    With n requests present, b = min(n, B) run and each gets a token per iteration of t(b)
    seconds. Means follow from the birth–death product form and Little's law; a wait arises only
    when n ≥ B and is corrected for the SCV of lengths as in M/G/c. A request's own time per token
    averages t over its life, so its quantile lies below t at the quantile of the batch. Sources:
    Kelly 1979 (product form), Kimura 1986 (waits). Good to 1 % in mean and 5 % in late time per
    token at 20–85 % load, and to some 20 % in waits of short batches.

    requests_per_s [1/s] (...); mean_output_tokens: iterations a request spends here (...);
    step_s: t(b) [s], b = 1…B on the last axis, non-decreasing, +inf where a batch does not fit.
    Raises ValueError on negative, zero, empty, NaN or falling input.
    """
    rate = non_negative("requests_per_s", requests_per_s)
    tokens = positive("mean_output_tokens", mean_output_tokens)
    curve = step_curve("step_s", step_s)
    scv = non_negative("output_scv", output_scv)
    level = open_fraction("quantile", quantile)
    grid = batch_grid(curve)
    step = grid.read(finite(curve))
    saturation = _saturation_per_s(tokens, grid, step)
    stable = rate < saturation
    tokens_per_s = np.where(stable, rate, 0) * tokens
    products = grid.read(log_product(curve))
    law = batch_law(tokens_per_s, products, np.where(stable, rate / saturation, 0), grid)
    before = grid.read(finite(curve), first=2)
    mean_s = law.mean(step)
    slope_s = mean_s - law.mean(np.where(grid.batch > 1, before, step))
    wait_s = place_wait_s(law.full, rate, saturation, scv, grid.cap)
    excess_s = batch_excess_s(law, step, slope_s, tokens_per_s, scv, level)
    return answer(
        DecodePool,
        stable,
        rate / saturation,
        batch_mean=tokens_per_s * mean_s,
        tpot_mean_s=mean_s,
        tpot_quantile_s=mean_s + excess_s,
        wait_mean_s=wait_s,
        wait_quantile_s=wait_quantile_s(law.full, wait_s, level),
        join_mean_s=law.mean(np.where(grid.batch > 1, before, 0)) / 2,
    )


def decode_pool_saturation_per_s(mean_output_tokens: ArrayLike, step_s: ArrayLike) -> Floats:
    """Request rate at which a decode pool becomes unstable: B/(L·t(B)). Returns: [1/s]."""
    curve = step_curve("step_s", step_s)
    grid = batch_grid(curve)
    tokens = positive("mean_output_tokens", mean_output_tokens)
    return _saturation_per_s(tokens, grid, grid.read(finite(curve)))


def _saturation_per_s(tokens: Floats, grid: BatchGrid, step: Floats) -> Floats:
    return grid.cap / (tokens * step[..., -1])
