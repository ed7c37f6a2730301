"""Time from arrival to first token on a replica that also decodes: means and excesses.

An excess is what the quantile of a part adds to its mean; independent parts add as squares, which
is exact for normal laws and close for the lognormal sums met here.
"""

from dataclasses import dataclass

import numpy as np

from planner.load.birth_death import TINY, BatchLaw
from planner.load.checks import Floats
from planner.load.interplay import Burst, Steps, carrying_frac
from planner.load.lengths import length_nodes_frac, length_quantile_frac, third_moment_frac
from planner.load.traffic import Traffic
from planner.load.waiting import EPS, place_wait_s, pollaczek_wait_s, wait_quantile_s, waiting_scv


@dataclass(frozen=True, slots=True)
class Delay:
    """Mean [s] and what the quantile adds to it [s]."""

    mean_s: Floats
    excess_s: Floats


def place_delay(
    traffic: Traffic, law: BatchLaw, drained_per_s: Floats, spread: Floats, held: Floats
) -> Delay:
    """Wait for a place in a batch that, full, lets requests go at `drained_per_s`.

    `held` places are taken by prompts under way. The product form's P(full) is spread by a
    dispersion z: P^(1/z), for the same large deviation.
    """
    log_load = np.log(np.maximum(law.load_at_cap, TINY))
    log_full = (np.log(np.maximum(law.full, TINY)) - held * log_load) / spread
    full = np.where(law.full > 0, np.exp(np.minimum(log_full, 0)), 0)
    cap = law.grid.cap
    mean_s = place_wait_s(full, traffic.rate_per_s, drained_per_s, traffic.life_scv, cap)
    tail_s = wait_quantile_s(full, mean_s, traffic.level_frac)
    return Delay(mean_s, np.maximum(tail_s - mean_s, 0))


@dataclass(frozen=True, slots=True)
class PromptQueue:
    """Prompts in chunks, as one more finds them [s].

    residual_s: the iteration under way; ahead_s: chunks of prompts ahead; service_s: own chunks;
    mixed_s: a chunk while prompts are under way; busy_frac: ρ, share of time that they are;
    idle_frac: share of time with no request at all.
    """

    residual_s: Floats
    ahead_s: Floats
    service_s: Floats
    decode_s: Floats
    mixed_s: Floats
    busy_frac: Floats
    idle_frac: Floats


def prompt_queue(
    traffic: Traffic, steps: Steps, burst: Burst, chunks: Floats, utilization: Floats
) -> PromptQueue:
    """M/G/1 of prompts served by chunks that start with each iteration.

    While prompts are under way the decode batch is crowded by their own clusters, and t_m with it;
    they are never under way for more of the time than the replica is utilized.
    The line is the M/G/1 wait, less the chunk under way, which the residual counts, plus what came
    ahead in the same iteration.
    """
    rate = traffic.rate_per_s
    drift = np.maximum(1 - rate * traffic.life_tokens * steps.slope_s, EPS)
    room = np.maximum(steps.law.grid.cap - steps.requests, 0)
    crowd = np.minimum((burst.dispersion - 1) / drift, room)
    mixed_s = steps.mixed_s + crowd * steps.mixed_slope_s
    cost_s = mixed_s - steps.decode_s
    service_s = chunks * mixed_s
    busy = np.minimum(rate * service_s, utilization)
    idle = steps.law.seen[..., 0] * (1 - busy)
    step_s = steps.decode_s / (1 - burst.share_frac)
    residual_s = (1 - idle) * (step_s + burst.fill_variance * cost_s**2 / step_s) / 2
    line_s = pollaczek_wait_s(rate, busy / np.maximum(rate, TINY), traffic.prompt_scv)
    counted_s = busy * (mixed_s + busy * cost_s) / 2
    ahead_s = busy * residual_s + line_s * np.exp(-counted_s / np.maximum(line_s, TINY))
    return PromptQueue(residual_s, ahead_s, service_s, steps.decode_s, mixed_s, busy, idle)


def chunked_delay(traffic: Traffic, queue: PromptQueue, burst: Burst, chunks: Floats) -> Delay:
    """Residual, prompts ahead and own chunks, the last one partly filled by later prompts."""
    cost_s = queue.mixed_s - queue.decode_s
    ahead = queue.ahead_s / queue.mixed_s
    rest = _unfilled_frac(traffic, chunks, queue.busy_frac, ahead)
    last_starts_s = queue.ahead_s + queue.service_s - queue.mixed_s * (1 - rest)
    later = traffic.rate_per_s * (queue.residual_s + np.maximum(last_starts_s, 0))
    filled = rest * -np.expm1(-later * np.minimum(chunks / np.maximum(rest, TINY), 1))
    mean_s = queue.residual_s + queue.ahead_s + queue.service_s
    mean_s = mean_s + rest * queue.decode_s + filled * cost_s
    return Delay(mean_s, _chunked_excess_s(traffic, queue, burst, chunks))


def _unfilled_frac(traffic: Traffic, chunks: Floats, busy: Floats, ahead: Floats) -> Floats:
    """Mean unfilled share of a prompt's last chunk: E[⌈X⌉ − X] of its chunks X.

    Behind others X is taken as exponential.
    """
    lengths = length_nodes_frac(traffic.prompt_scv) * np.asarray(chunks)[..., None]
    alone = (np.ceil(lengths - EPS) - lengths).mean(axis=-1)
    total = chunks + ahead / np.maximum(busy, TINY)
    behind = -1 / np.expm1(-1 / total) - total
    unfilled: Floats = (1 - busy) * alone + busy * behind
    return unfilled


def _chunked_excess_s(traffic: Traffic, queue: PromptQueue, burst: Burst, chunks: Floats) -> Floats:
    """Excess of prompts ahead and of the own length, in chunks, priced as one; and the residual."""
    ahead = queue.ahead_s / queue.mixed_s
    line = _line_quantile_s(traffic, queue) / queue.mixed_s
    longer = chunks * (length_quantile_frac(traffic.prompt_scv, traffic.level_frac) - 1)
    excess = np.hypot(np.maximum(line - ahead, 0), np.maximum(longer, 0))
    cost_s = queue.mixed_s - queue.decode_s

    def chunks_s(number: Floats) -> Floats:
        return queue.decode_s * np.maximum(number + 1 / 2, 1) + cost_s * number

    served_s = chunks_s(chunks + ahead + excess) - chunks_s(chunks + ahead)
    return np.hypot(served_s, _residual_excess_s(traffic, queue, burst))


def _line_quantile_s(traffic: Traffic, queue: PromptQueue) -> Floats:
    """Quantile of the wait behind prompts ahead, of those found ahead with their own chance."""
    service_s, scv = queue.service_s, traffic.prompt_scv
    typical_s = service_s * (1 + scv) / (2 * (1 - queue.busy_frac))
    whole_s = service_s * queue.mixed_s / (service_s + queue.mixed_s) / 2
    found = np.minimum(queue.ahead_s / (typical_s + whole_s), queue.busy_frac)
    bend = waiting_scv(queue.busy_frac, scv, third_moment_frac(scv))
    return wait_quantile_s(found, queue.ahead_s, traffic.level_frac, bend)


def _residual_excess_s(traffic: Traffic, queue: PromptQueue, burst: Burst) -> Floats:
    """The rest of an iteration is at most the whole of one that carries prompts."""
    carrying = carrying_frac(traffic, burst, queue.decode_s)
    filled = burst.fill_frac / np.maximum(carrying, TINY)
    longest_s = queue.decode_s + (queue.mixed_s - queue.decode_s) * filled
    longer_s = np.maximum(longest_s * traffic.level_frac - queue.residual_s, 0)
    return longer_s * (1 - queue.idle_frac)
