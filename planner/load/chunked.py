"""A replica with chunked prefill: prompts ride in chunks beside the decode batch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.load.blocks import in_blocks
from planner.load.checks import Floats, positive
from planner.load.curves import ReplicaCurves, between, replica_curves
from planner.load.first_token import chunked_delay, place_delay, prompt_queue
from planner.load.interplay import (
    Burst,
    Steps,
    carrying_frac,
    mean_steps,
    prompt_burst,
    stretched_s,
)
from planner.load.lengths import length_nodes_frac
from planner.load.own_time import chunked_token_time
from planner.load.results import Replica, answer
from planner.load.spread import share_quantile
from planner.load.traffic import Traffic, checked_traffic
from planner.load.waiting import EPS


@in_blocks("decode_step_s", "mixed_step_s")
def chunked_replica(
    requests_per_s: ArrayLike,
    mean_input_tokens: ArrayLike,
    input_scv: ArrayLike,
    mean_output_tokens: ArrayLike,
    decode_step_s: ArrayLike,
    mixed_step_s: ArrayLike,
    chunk_tokens: ArrayLike,
    *,
    output_scv: ArrayLike = 1.0,
    quantile: ArrayLike = 0.99,
) -> Replica:
    """M/G/1 prompts in chunks, coupled with M/G/1-LPS(B) decode.

    decode_step_s, mixed_step_s: (..., B + 1) over b = 0…B requests in decode [s], without prompts
    and beside a full chunk; +inf where a batch does not fit. Rates and lengths (...) broadcast.
    Prompts are served first come first served, several may share a chunk, a part-filled one costs
    in proportion, and at most B requests are started and unfinished. TTFT is the wait for a place,
    the iteration under way, the prompts ahead and the own chunks. Lengths are lognormal.
    Sources: product form (Kelly 1979), M/G/1 (Pollaczek, Khinchine, Takács), clusters of prompts
    (load.interplay). Good to some 5 % in means and 10–15 % in p99 at 20–85 % load; towards
    saturation waits err by up to a third either way and late tokens to the safe side.
    Raises ValueError on negative, zero, empty, NaN or falling input.
    """
    traffic = checked_traffic(
        requests_per_s, mean_input_tokens, input_scv, mean_output_tokens, output_scv, quantile
    )
    curves = replica_curves(decode_step_s, mixed_step_s)
    chunk = positive("chunk_tokens", chunk_tokens)
    places = _places(traffic, curves, chunk)
    saturation = places.saturation_per_s
    stable = traffic.rate_per_s < saturation
    served = traffic.only(stable)
    chunks = served.prompt_tokens / chunk
    drained_per_s = places.drained_per_s(served.rate_per_s * chunks)
    load_at_cap = served.rate_per_s / drained_per_s
    steps = mean_steps(served, curves, served.rate_per_s * chunks, load_at_cap)
    burst = prompt_burst(served, steps, chunks)
    queue = prompt_queue(served, steps, burst, chunks, served.rate_per_s / saturation)
    taken = served.rate_per_s * steps.token_s * places.prompt_tokens
    place = place_delay(served, steps.law, drained_per_s, burst.dispersion, taken)
    first = chunked_delay(served, queue, burst, chunks)
    ttft_s = first.mean_s + place.mean_s
    token = chunked_token_time(served, steps, burst, queue, ttft_s, chunks)
    tpot_s = token.mean_s + token.excess_s
    return answer(
        Replica,
        stable,
        traffic.rate_per_s / saturation,
        batch_mean=served.rate_per_s * served.life_tokens * token.mean_s,
        ttft_mean_s=ttft_s,
        ttft_quantile_s=ttft_s + np.hypot(first.excess_s, place.excess_s),
        tpot_mean_s=token.mean_s,
        tpot_quantile_s=np.minimum(tpot_s, curves.mixed_s[..., -1]),
        itl_quantile_s=_gap_quantile_s(served, curves, steps, burst),
    )


def chunked_saturation_per_s(
    mean_input_tokens: ArrayLike,
    mean_output_tokens: ArrayLike,
    decode_step_s: ArrayLike,
    mixed_step_s: ArrayLike,
    chunk_tokens: ArrayLike,
    *,
    input_scv: ArrayLike = 1.0,
) -> Floats:
    """Request rate at which a chunked-prefill replica becomes unstable. Returns: [1/s]."""
    traffic = checked_traffic(0, mean_input_tokens, input_scv, mean_output_tokens, 0, 1 / 2)
    curves = replica_curves(decode_step_s, mixed_step_s)
    return _places(traffic, curves, positive("chunk_tokens", chunk_tokens)).saturation_per_s


@dataclass(frozen=True, slots=True)
class _Places:
    """A replica with all places taken.

    A request holds a place for its D decode iterations and the prompt_tokens iterations of its
    prompt, held_tokens = h in all, so that b = B·D/h decode: decode_s, mixed_s at that batch.
    fed_s: time per request where, before that, every chunk is full.
    """

    cap: NDArray[np.intp]
    prompt_tokens: Floats
    held_tokens: Floats
    chunks: Floats
    decode_s: Floats
    mixed_s: Floats
    fed_s: Floats

    @property
    def saturation_per_s(self) -> Floats:
        """Where all places are taken, or before that every chunk is full.

        A request costs h·t_d/B + L_in·(t_m − t_d)/C seconds, or L_in·t_m(b)/C at b = C·D/L_in.
        """
        places_s = self.held_tokens * self.decode_s / self.cap
        places_s = places_s + self.chunks * (self.mixed_s - self.decode_s)
        return 1 / np.where(self.held_tokens < self.cap * self.chunks, self.fed_s, places_s)

    def drained_per_s(self, chunks_per_s: Floats) -> Floats:
        """Rate at which full places fall free beside `chunks_per_s` of prompts."""
        step_s = stretched_s(chunks_per_s, self.decode_s, self.mixed_s)
        return np.maximum(self.cap / (self.held_tokens * step_s), self.saturation_per_s)


def _places(traffic: Traffic, curves: ReplicaCurves, chunk: Floats) -> _Places:
    cap, life, chunks = curves.grid.cap, traffic.life_tokens, traffic.prompt_tokens / chunk
    lengths = length_nodes_frac(traffic.prompt_scv) * np.asarray(chunks)[..., None]
    prompt = np.ceil(lengths - EPS).mean(axis=-1)
    taken = cap * life / (life + prompt)
    return _Places(
        cap=cap,
        prompt_tokens=prompt,
        held_tokens=life + prompt,
        chunks=chunks,
        decode_s=between(curves.decode_curve_s, taken),
        mixed_s=between(curves.mixed_curve_s, taken),
        fed_s=chunks * between(curves.mixed_curve_s, np.minimum(life / chunks, cap)),
    )


def _gap_quantile_s(traffic: Traffic, curves: ReplicaCurves, steps: Steps, burst: Burst) -> Floats:
    """Quantile over iterations: of those that carry prompts, if more than 1 − p do, else of all."""
    level = traffic.level_frac
    carrying = np.maximum(carrying_frac(traffic, burst, steps.decode_s), EPS)
    inner = np.maximum(1 - (1 - level) / carrying, EPS)
    fill = burst.fill_frac / carrying
    square = np.minimum((burst.grain_frac + burst.fill_frac) * fill, fill)
    cost_s = steps.mixed_s - steps.decode_s
    higher_s = (share_quantile(fill, np.maximum(square - fill**2, 0), inner) - fill) * cost_s
    widened = np.sqrt(burst.dispersion)

    def batch_excess_s(at: Floats) -> Floats:
        over_s = steps.law.quantile(curves.decode_s, at) - steps.token_decode_s
        return np.maximum(over_s, 0) * widened

    carried_s = fill * cost_s + np.hypot(np.maximum(higher_s, 0), batch_excess_s(inner))
    gap_s = np.maximum(np.where(carrying > 1 - level, carried_s, 0), batch_excess_s(level))
    return np.minimum(steps.decode_s + gap_s, curves.mixed_s[..., -1])
