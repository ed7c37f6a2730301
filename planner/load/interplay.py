"""How prompts in chunks and a decode batch slow each other: the state that both latencies need.

Counted in iterations, decode is a many-server queue: a request lives D iterations whatever their
length. What couples it to the prompts:

- the share r = λ·L_in·(t_m − t_d)/C of time that prompts take stretches t_d to t_d/(1 − r);
- chunks are filled to φ = λ·L_in·t/C on average;
- prompts end in clusters: while one is under way others arrive, r of them for each, and so on, so
  that arrivals to decode have the index of dispersion (1 + r²·SCV)/(1 − r)² of a cluster process
  (Hawkes, Oakes 1974; here with the SCV of prompt lengths).
"""

from dataclasses import dataclass

import numpy as np

from planner.load.birth_death import TINY, BatchLaw
from planner.load.checks import Floats
from planner.load.curves import ReplicaCurves, rise_s
from planner.load.lengths import overlap_frac
from planner.load.traffic import Traffic
from planner.load.waiting import EPS


@dataclass(frozen=True, slots=True)
class Steps:
    """The law of the decode batch, and mean steps by token (token_*) and by time [s].

    step_s: steps at the law's grid, prompts included; token_s: their mean; slope_s and
    mixed_slope_s: growth of it and of t_m for one more request; requests: mean number in decode.
    """

    law: BatchLaw
    step_s: Floats
    token_s: Floats
    token_decode_s: Floats
    token_mixed_s: Floats
    decode_s: Floats
    mixed_s: Floats
    slope_s: Floats
    mixed_slope_s: Floats
    requests: Floats


def stretched_s(chunks_per_s: Floats, decode_s: Floats, mixed_s: Floats) -> Floats:
    """A decode step with the prompts that ride on it: t_d/(1 − r), at most t_m. [s]."""
    step = np.asarray(1 - chunks_per_s * (mixed_s - decode_s))
    np.maximum(step, TINY, out=step)
    np.divide(decode_s, step, out=step)
    return np.minimum(step, mixed_s, out=step)


def mean_steps(
    traffic: Traffic, curves: ReplicaCurves, chunks_per_s: Floats, load_at_cap: Floats
) -> Steps:
    """Steps of a replica that is offered `chunks_per_s` full chunks.

    No more prompts end in an iteration than fit its chunk, however long it is.
    """
    offered = np.asarray(chunks_per_s)[..., None]
    step = stretched_s(offered, curves.decode_s, curves.mixed_s)
    rate = traffic.rate_per_s * traffic.life_tokens
    law = curves.law(rate, np.minimum(step, 1 / np.maximum(offered, TINY)), load_at_cap)
    token_s, token_mixed_s = law.mean(step), law.mean(curves.mixed_s)
    mixed_s = law.mean(curves.mixed_before_s)
    return Steps(
        law=law,
        step_s=step,
        token_s=token_s,
        token_decode_s=law.mean(curves.decode_s),
        token_mixed_s=token_mixed_s,
        decode_s=law.mean(curves.decode_before_s),
        mixed_s=mixed_s,
        slope_s=law.mean(rise_s(curves.grid, step)),
        mixed_slope_s=token_mixed_s - mixed_s,
        requests=rate * token_s,
    )


@dataclass(frozen=True, slots=True)
class Burst:
    """How the prompts come.

    share_frac: r; fill_frac: φ; grain_frac: L_in(1 + SCV)/C, the chunks of a typical prompt under
    way; memory_tokens: iterations over which the fill forgets; dispersion: variance of the decode
    batch over that of its product form.
    """

    share_frac: Floats
    fill_frac: Floats
    grain_frac: Floats
    memory_tokens: Floats
    dispersion: Floats

    @property
    def lumpy_frac(self) -> Floats:
        """1 where a chunk is all or nothing (long prompts), near 0 where many prompts share it."""
        return self.grain_frac / (1 + self.grain_frac)

    @property
    def fill_variance(self) -> Floats:
        """Variance of the fill of one chunk. [1]"""
        return self.fill_frac * (1 - self.fill_frac) * self.lumpy_frac


def prompt_burst(traffic: Traffic, steps: Steps, chunks: Floats) -> Burst:
    """How prompts of `chunks` chunks come, at the mean steps of the replica."""
    per_s = traffic.rate_per_s * chunks
    share = np.minimum(per_s * (steps.mixed_s - steps.decode_s), 1 - EPS)
    fill = np.minimum(per_s * steps.decode_s / (1 - share), 1 - EPS)
    grain = chunks * (1 + traffic.prompt_scv)
    memory = (1 + grain) / (2 * (1 - fill) * (1 - share) ** 2)
    forgotten = traffic.life_tokens / (traffic.life_tokens + memory)
    return Burst(share, fill, grain, memory, dispersion(traffic, share, forgotten))


def dispersion(traffic: Traffic, share: Floats, forgotten: Floats | float) -> Floats:
    """Variance of the decode batch over that of Poisson arrivals, for clusters of prompts. [1]

    Requests of one cluster overlap in decode for part of their lives; clusters longer than a life
    count as far as it forgets them.
    """
    clusters = (1 + share**2 * traffic.prompt_scv) / (1 - share) ** 2 - 1
    return 1 + clusters * overlap_frac(traffic.life_scv) * forgotten


def carrying_frac(traffic: Traffic, burst: Burst, decode_s: Floats) -> Floats:
    """Share of iterations that carry prompt tokens: full chunks, or new prompts that share one."""
    step_s = decode_s / (1 - burst.share_frac)
    return np.maximum(burst.fill_frac, -np.expm1(-traffic.rate_per_s * step_s))
