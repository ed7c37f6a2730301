"""A pool that only decodes: continuous batching up to a batch cap."""

import numpy as np
from numpy.typing import ArrayLike

from planner.load.birth_death import at_cap, batch_law, finite
from planner.load.checks import Floats, non_negative, open_fraction, positive, step_curve
from planner.load.results import DecodePool, answer
from planner.load.spread import tpot_moments, tpot_quantile_s
from planner.load.waiting import exponential_wait_quantile_s


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
    when n ≥ B and is corrected by (1 + scv)/2 as in M/G/c. A request's own time per token
    averages t over its life, so its quantile lies below t at the quantile of the batch.

    requests_per_s [1/s] (...); mean_output_tokens: iterations a request spends here (...);
    step_s: t(b) [s], b = 1…B on the last axis, non-decreasing, +inf where a batch does not fit.
    Raises ValueError on negative, zero, empty, NaN or falling input.
    """
    rate = non_negative("requests_per_s", requests_per_s)
    tokens = positive("mean_output_tokens", mean_output_tokens)
    curve = step_curve("step_s", step_s)
    scv = non_negative("output_scv", output_scv)
    level = open_fraction("quantile", quantile)
    law = batch_law(rate * tokens, curve)
    moments = tpot_moments(law.seen, curve)
    saturation = decode_pool_saturation_per_s(tokens, curve)
    stable = rate < saturation
    spread = (1 + scv) / 2
    wait_mean_s = law.full * spread / np.where(stable, saturation - rate, 1)
    return answer(
        DecodePool,
        stable,
        rate / saturation,
        batch_mean=rate * tokens * moments.mean_s,
        tpot_mean_s=moments.mean_s,
        tpot_quantile_s=tpot_quantile_s(law.seen, curve, moments, rate, tokens, scv, level),
        wait_mean_s=wait_mean_s,
        wait_quantile_s=exponential_wait_quantile_s(law.full, wait_mean_s, level),
        join_mean_s=(law.seen[..., 1:] * finite(curve)[..., :-1]).sum(axis=-1) / 2,
    )


def decode_pool_saturation_per_s(mean_output_tokens: ArrayLike, step_s: ArrayLike) -> Floats:
    """Request rate at which a decode pool becomes unstable: B/(L·t(B)). Returns: [1/s]"""
    curve = step_curve("step_s", step_s)
    cap = np.isfinite(curve).sum(axis=-1)
    return cap / (positive("mean_output_tokens", mean_output_tokens) * at_cap(curve))
