"""What a replica could carry if nobody ever waited: bounds that spare most configurations a look.

In a fluid of requests the batch stands still at its mean. Queues only make things worse, so a pool
needs at least as many replicas as these bounds say, and one that is late here is late for good.
"""

import numpy as np
from numpy.typing import NDArray

from planner.fleet.curves import Curves
from planner.load.lengths import length_quantile_frac

Floats = NDArray[np.float64]


def decode_bound_per_s(curves: Curves, tpot_s: Floats) -> Floats:
    """Requests that a replica can decode while steps take at most `tpot_s` a token (rows,). [1/s]

    Of b requests in a group each is done after its iterations: b/(L·t(b)). 0 where even a batch of
    one is too slow.
    """
    limit_s = (tpot_s * curves.tokens_per_step)[:, None]
    rate = curves.batch / (curves.iterations[:, None] * curves.decode_s)
    return curves.grid.groups * _most(rate, curves.decode_s, limit_s)


def whole_bound_per_s(curves: Curves, tpot_s: Floats) -> Floats:
    """The same for replicas that also prefill, each prompt adding s seconds to steps (rows,). [1/s]

    λ·s of the time goes to prompts, so b = λ·L·t/(1 − λ·s), and a step takes b/(λ·L). Prompts in
    chunks are fed no faster than full chunks in every step. 0 where pools are split.
    """
    limit_s = (tpot_s * curves.tokens_per_step)[:, None]
    lives, prompt_s = curves.iterations[:, None], _prompt_s(curves)
    rate = curves.batch / (lives * curves.decode_s + curves.batch * prompt_s)
    step_s = curves.batch / (rate * lives)
    chunks = _chunks(curves)[:, None]
    fed = np.where(_chunked(curves)[:, None], 1 / (chunks * curves.mixed_s), 1 / prompt_s)
    return curves.grid.groups * _most(np.minimum(rate, fed), step_s, limit_s)


def _chunked(curves: Curves) -> NDArray[np.bool_]:
    """Rows whose prompts come in chunks."""
    flags = [row.software.chunked_prefill for row in curves.grid.offers]
    return curves.grid.of_offer(flags) > 0


def _chunks(curves: Curves) -> Floats:
    """Chunks of a mean prompt (rows,); nan where pools are split."""
    chunk = curves.grid.chunk_tokens
    return curves.fresh_tokens / np.where(chunk > 0, chunk, np.nan)


def _prompt_s(curves: Curves) -> Floats:
    """What a mean prompt adds to the steps of a batch: its chunks, or itself whole. [s]"""
    added_s = _chunks(curves)[:, None] * (curves.mixed_s - curves.decode_s)
    whole_s = np.where(np.isnan(added_s), np.nan, curves.prefill_s[:, None])
    return np.where(_chunked(curves)[:, None], added_s, whole_s)


def _most(rate: Floats, step_s: Floats, limit_s: Floats) -> Floats:
    """The highest rate among batches whose steps keep a limit, read between two of them."""
    within = step_s <= limit_s
    last = within.sum(axis=1)
    following = np.minimum(last, rate.shape[1] - 1)
    rows = np.arange(len(rate))
    before, after = np.maximum(last - 1, 0), following
    gap = step_s[rows, after] - step_s[rows, before]
    part = np.where(gap > 0, (limit_s[:, 0] - step_s[rows, before]) / np.where(gap > 0, gap, 1), 0)
    between = rate[rows, before] + np.clip(part, 0, 1) * (rate[rows, after] - rate[rows, before])
    most = np.maximum(np.where(within, rate, 0).max(axis=1), between)
    return np.where(last > 0, most, 0.0)


def own_prefill_s(curves: Curves, level_frac: float) -> Floats:
    """The quantile of a prompt's own time in a pool that only prefills, with nobody ahead. [s]"""
    longest = (curves.prefill_s + curves.load_s) * _longest(curves, level_frac)
    return longest + curves.host_s


def own_prompt_s(curves: Curves, level_frac: float) -> Floats:
    """The same on a replica that also decodes, where it takes more than it adds to steps. [s]"""
    return _prompt_s(curves)[:, 0] * _longest(curves, level_frac) + curves.load_s + curves.host_s


def _longest(curves: Curves, level_frac: float) -> Floats:
    """The quantile of a prompt's length over its mean, 1 at least (rows,)."""
    scv = curves.grid.of_offer([row.demand.source.input_scv for row in curves.grid.offers])
    return np.maximum(length_quantile_frac(scv, np.asarray(level_frac)), 1)
