"""A request's own time per token beside prompts in chunks: its mean, and what a quantile adds."""

import numpy as np

from planner.load.checks import Floats
from planner.load.first_token import Delay, PromptQueue
from planner.load.interplay import Burst, Steps
from planner.load.lengths import length_nodes_frac
from planner.load.spread import batch_excess_s, decayed_frac, left_frac, share_quantile
from planner.load.traffic import Traffic
from planner.load.waiting import EPS


def chunked_token_time(
    traffic: Traffic, steps: Steps, burst: Burst, queue: PromptQueue, ttft_s: Floats, chunks: Floats
) -> Delay:
    """Time per token of a request that averages the fill of chunks, and the batch, over its life.

    A request begins decode when its prompt ends, so it finds the prompts that came during its own
    wait, λ·TTFT of them (what a departure leaves behind: Kleinrock 1975, ch. 5), not the fewer
    that a random iteration finds: its first chunks are filled to ρ, later ones to φ. Over a life
    of l iterations the fill keeps of its variance what averaging leaves, and turns from
    all-or-nothing to sharp.
    """
    cost_s = steps.token_mixed_s - steps.token_decode_s
    fill = np.clip(traffic.rate_per_s * chunks * steps.token_s, 0, 1)
    found = np.maximum(queue.busy_frac - fill, 0)
    surplus_chunks = _surplus_chunks(traffic, steps, queue, ttft_s, chunks)
    settling = found / np.maximum(surplus_chunks, EPS)
    nodes = length_nodes_frac(traffic.life_scv)
    lives = nodes * traffic.life_tokens[..., None]
    surplus = found[..., None] * decayed_frac(lives * settling[..., None])
    mean_fill = fill + (nodes * surplus).mean(axis=-1)
    own = np.minimum(fill[..., None] + surplus, 1)
    left = left_frac(lives / burst.memory_tokens[..., None])
    spread = own * (1 - own) * left * np.asarray(burst.lumpy_frac)[..., None]
    high = _late_share(own, spread, traffic.level_frac)
    rate = traffic.rate_per_s * traffic.life_tokens
    law, scv, level = steps.law, traffic.life_scv, traffic.level_frac
    batch_s = batch_excess_s(law, steps.step_s, steps.slope_s, rate, scv, level, burst.dispersion)
    excess_s = np.hypot(np.maximum(high - mean_fill, 0) * cost_s, batch_s)
    return Delay(steps.token_s + cost_s * (mean_fill - fill), excess_s)


def _late_share(mean: Floats, variance: Floats, level: Floats) -> Floats:
    """Quantile of shares whose mean and variance go with the length of life (..., nodes).

    Short lives hold the tail, so it is the later of two: the quantile of the shorter half of
    lives, and of all lives at half the tail.
    """
    shorter = slice(mean.shape[-1] // 2)
    return np.maximum(
        _mixed_quantile(mean, variance, (1 + level) / 2),
        _mixed_quantile(mean[..., shorter], variance[..., shorter], level),
    )


def _mixed_quantile(mean: Floats, variance: Floats, level: Floats) -> Floats:
    """Quantile of a mixture of equally likely shares, as of one share of its two moments."""
    return share_quantile(mean.mean(axis=-1), variance.mean(axis=-1) + mean.var(axis=-1), level)


def _surplus_chunks(
    traffic: Traffic, steps: Steps, queue: PromptQueue, ttft_s: Floats, chunks: Floats
) -> Floats:
    """Full chunks that a long life sees beyond its share.

    Prompts found at its start, less those a random iteration finds, and what comes meanwhile.
    """
    behind = traffic.rate_per_s * ttft_s * chunks
    fresh = queue.busy_frac * chunks * (1 - traffic.prompt_scv) / 2
    by_iteration = (behind - fresh) * steps.token_s / steps.token_mixed_s
    stretch = steps.token_s / steps.token_decode_s
    return np.maximum(behind - by_iteration, 0) * stretch
