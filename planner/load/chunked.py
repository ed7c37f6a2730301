"""A replica with chunked prefill: prompts ride in chunks beside the decode batch."""

import numpy as np
from numpy.typing import ArrayLike

from planner.load.checks import Floats, positive
from planner.load.curves import ReplicaCurves, between, replica_curves
from planner.load.first_token import chunked_delay, place_delay, prompt_queue
from planner.load.interplay import Burst, Steps, carrying_frac, mean_steps, prompt_burst
from planner.load.lengths import length_nodes_frac
from planner.load.own_time import chunked_token_time
from planner.load.results import Replica, answer
from planner.load.spread import share_quantile
from planner.load.traffic import Traffic, checked_traffic
from planner.load.waiting import EPS


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
    Raises ValueError on negative, zero, empty, NaN or falling input.
    """
    traffic = checked_traffic(
        requests_per_s, mean_input_tokens, input_scv, mean_output_tokens, output_scv, quantile
    )
    curves = replica_curves(decode_step_s, mixed_step_s)
    chunk = positive("chunk_tokens", chunk_tokens)
    saturation = _saturation_per_s(traffic, curves, chunk)
    stable = traffic.rate_per_s < saturation
    served = traffic.only(stable)
    steps = _steps(served, curves, chunk)
    burst = prompt_burst(served, steps, chunk)
    chunks = served.prompt_tokens / chunk
    queue = prompt_queue(served, steps, burst, chunk)
    iterations = _prompt_iterations(served, chunk)
    cap_s = (served.life_tokens + iterations) * steps.step_s[..., -1]
    held = served.rate_per_s * steps.token_s * iterations
    place = place_delay(served, steps.law, curves.grid.cap / cap_s, burst.dispersion, held)
    first = chunked_delay(served, queue, burst, chunks)
    ttft_s = first.mean_s + place.mean_s
    token = chunked_token_time(served, steps, burst, queue, ttft_s, chunk)
    tpot_s = token.mean_s + token.excess_s
    return answer(
        Replica,
        stable,
        traffic.rate_per_s / saturation,
        batch_mean=steps.requests,
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
    return _saturation_per_s(traffic, curves, positive("chunk_tokens", chunk_tokens))


def _saturation_per_s(traffic: Traffic, curves: ReplicaCurves, chunk: Floats) -> Floats:
    """Either all B places are taken, or every chunk is full.

    A request holds a place for its D decode iterations and those of its prompt, h in all; with
    every place taken b = B·D/h decode and it costs h·t_d(b)/B + L_in·(t_m − t_d)/C seconds. With
    every chunk full b = C·D/L_in decode and it costs L_in·t_m(b)/C.
    """
    cap, life, chunks = curves.grid.cap, traffic.life_tokens, traffic.prompt_tokens / chunk
    held = life + _prompt_iterations(traffic, chunk)
    taken = cap * life / held
    decode_s, mixed_s = between(curves.decode_curve_s, taken), between(curves.mixed_curve_s, taken)
    places_s = held * decode_s / cap + chunks * (mixed_s - decode_s)
    fed_s = chunks * between(curves.mixed_curve_s, np.minimum(life / chunks, cap))
    return 1 / np.where(held < cap * chunks, fed_s, places_s)


def _prompt_iterations(traffic: Traffic, chunk: Floats) -> Floats:
    """Iterations that a prompt takes when alone: E[⌈L_in/C⌉]."""
    chunks = np.asarray(traffic.prompt_tokens / chunk)[..., None]
    whole: Floats = np.ceil(length_nodes_frac(traffic.prompt_scv) * chunks - EPS).mean(axis=-1)
    return whole


def _steps(traffic: Traffic, curves: ReplicaCurves, chunk: Floats) -> Steps:
    chunks_per_s = traffic.rate_per_s * traffic.prompt_tokens / chunk
    return mean_steps(traffic, curves, chunks_per_s[..., None] * (curves.mixed_s - curves.decode_s))


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
    gap_s = np.where(carrying > 1 - level, carried_s, batch_excess_s(level))
    return np.minimum(steps.decode_s + gap_s, curves.mixed_s[..., -1])
