"""One replica doing both phases: chunked prefill, and whole prompts ahead of decode."""

import numpy as np
from numpy.typing import ArrayLike

from planner.load.birth_death import at_cap, batch_law, finite, quantile_index
from planner.load.checks import Floats, at_least_one, non_negative, open_fraction, positive, step_curve
from planner.load.results import Replica, answer
from planner.load.spread import tpot_moments, tpot_quantile_s
from planner.load.waiting import exponential_wait_quantile_s, pollaczek_wait_s


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
    """M/G/1 prompts in chunks coupled with M/G/1-LPS(B) decode: a replica with chunked prefill.

    Each iteration carries λ·L_in·t_e prompt tokens at (t_m − t_d)/C each, so with n requests in
    decode t_e(n) = t_d(n)/(1 − λ·L_in·(t_m − t_d)/C), at most t_m; that curve enters the product
    form. First version: two-moment waits.

    decode_step_s, mixed_step_s: (..., B + 1) over b = 0…B decoding requests [s].
    """
    rate = non_negative("requests_per_s", requests_per_s)
    prompt = positive("mean_input_tokens", mean_input_tokens)
    prompt_scv = non_negative("input_scv", input_scv)
    output = at_least_one("mean_output_tokens", mean_output_tokens)
    decode = step_curve("decode_step_s", decode_step_s)
    mixed = _mixed_curve(decode, mixed_step_s)
    chunk = positive("chunk_tokens", chunk_tokens)
    scv = non_negative("output_scv", output_scv)
    level = open_fraction("quantile", quantile)
    saturation = _chunked_saturation_per_s(prompt, output, decode, mixed, chunk)
    stable = rate < saturation
    rate_ = np.where(stable, rate, 0)
    token_cost_s = (finite(mixed) - finite(decode)) / chunk[..., None]
    share = np.minimum((rate_ * prompt)[..., None] * token_cost_s, 1 - np.finfo(float).eps)
    effective = np.minimum(decode / (1 - share), mixed)
    law = batch_law(rate_ * (output - 1), effective[..., 1:])
    moments = tpot_moments(law.seen, effective[..., 1:])
    tpot_q = tpot_quantile_s(
        law.seen, effective[..., 1:], moments, rate_, output - 1, scv, level
    )
    index = quantile_index(law.seen, np.broadcast_to(level, law.seen.shape[:-1]))
    mixed_mean = (law.seen * finite(mixed)[..., :-1]).sum(axis=-1)
    decode_mean = (law.seen * finite(decode)[..., :-1]).sum(axis=-1)
    mixed_q = np.take_along_axis(np.broadcast_to(finite(mixed)[..., 1:], law.seen.shape), index[..., None], axis=-1)[..., 0]
    service = prompt * mixed_mean / chunk
    load = np.minimum(rate_ * service, 1 - np.finfo(float).eps)
    queue = pollaczek_wait_s(rate_, service, prompt_scv)
    slot = law.full * (1 + scv) / 2 / np.where(stable, saturation - rate_, 1)
    own = service + decode_mean * np.minimum(chunk / prompt, 1) / 2 + decode_mean / 2
    ttft = queue + slot + own
    tail = exponential_wait_quantile_s(load, queue + slot, level)
    own_q = own * (1 + np.sqrt(prompt_scv) * 2)
    ttft_q = np.maximum(np.sqrt(tail**2 + (own_q - own) ** 2) + own, ttft)
    return answer(
        Replica,
        stable,
        rate / saturation,
        batch_mean=rate_ * (output - 1) * moments.mean_s,
        ttft_mean_s=ttft,
        ttft_quantile_s=ttft_q,
        tpot_mean_s=moments.mean_s,
        tpot_quantile_s=np.minimum(tpot_q + moments.mean_s * 0, mixed_q),
        itl_quantile_s=np.where(share[..., 0] > 1 - level, mixed_q, tpot_q),
    )


def _mixed_curve(decode: Floats, mixed_step_s: ArrayLike) -> Floats:
    mixed = step_curve("mixed_step_s", mixed_step_s)
    if mixed.shape[-1] != decode.shape[-1]:
        raise ValueError(
            f"mixed_step_s must cover the batches of decode_step_s: {decode.shape[-1]} steps, not {mixed.shape[-1]}."
        )
    if np.any(mixed < decode):
        raise ValueError("mixed_step_s must be at least decode_step_s at every batch.")
    return mixed


def chunked_saturation_per_s(
    mean_input_tokens: ArrayLike,
    mean_output_tokens: ArrayLike,
    decode_step_s: ArrayLike,
    mixed_step_s: ArrayLike,
    chunk_tokens: ArrayLike,
) -> Floats:
    """Request rate at which a chunked-prefill replica becomes unstable. Returns: [1/s]

    Either the batch is full, each request costing (L_out − 1)·t_d(B)/B + L_in·(t_m − t_d)/C
    seconds, or every chunk is, at the batch b = C·(L_out − 1)/L_in that it feeds.
    """
    decode = step_curve("decode_step_s", decode_step_s)
    return _chunked_saturation_per_s(
        positive("mean_input_tokens", mean_input_tokens),
        at_least_one("mean_output_tokens", mean_output_tokens),
        decode,
        _mixed_curve(decode, mixed_step_s),
        positive("chunk_tokens", chunk_tokens),
    )


def _chunked_saturation_per_s(
    prompt: Floats, output: Floats, decode: Floats, mixed: Floats, chunk: Floats
) -> Floats:
    cap = np.isfinite(decode + mixed).sum(axis=-1) - 1
    fed = chunk * (output - 1) / prompt
    batch = np.minimum(fed, cap)
    full_s = at_cap(decode + mixed) - at_cap(mixed)
    batch_full_s = full_s * (output - 1) / np.maximum(cap, 1) + prompt / chunk * (
        at_cap(decode + mixed) - 2 * full_s
    )
    low = np.floor(batch).astype(int)
    high = np.minimum(low + 1, cap)
    shape = np.broadcast_shapes(low.shape, mixed.shape[:-1])
    wide = np.broadcast_to(finite(mixed), shape + mixed.shape[-1:])
    at = lambda i: np.take_along_axis(wide, np.broadcast_to(i, shape)[..., None], -1)[..., 0]
    chunk_full_s = prompt / chunk * (at(low) + (batch - low) * (at(high) - at(low)))
    return 1 / np.where(fed < cap, chunk_full_s, batch_full_s)


def prefill_priority_replica(
    requests_per_s: ArrayLike,
    mean_input_tokens: ArrayLike,
    input_scv: ArrayLike,
    mean_output_tokens: ArrayLike,
    decode_step_s: ArrayLike,
    prefill_s_per_token: ArrayLike,
    chunk_tokens: ArrayLike | None = None,
    *,
    output_scv: ArrayLike = 1.0,
    quantile: ArrayLike = 0.99,
) -> Replica:
    """M/G/1 whole prompts ahead of M/G/1-LPS(B) decode: decode stalls while a prompt runs.

    t_eff = t_d/(1 − ρ_prefill). `chunk_tokens` is accepted so that both replicas can be called
    alike, and not used: prompts run whole. First version: two-moment waits.
    """
    rate = non_negative("requests_per_s", requests_per_s)
    prompt = positive("mean_input_tokens", mean_input_tokens)
    prompt_scv = non_negative("input_scv", input_scv)
    output = at_least_one("mean_output_tokens", mean_output_tokens)
    decode = step_curve("decode_step_s", decode_step_s)
    service = prompt * positive("prefill_s_per_token", prefill_s_per_token)
    scv = non_negative("output_scv", output_scv)
    level = open_fraction("quantile", quantile)
    cap = np.isfinite(decode).sum(axis=-1) - 1
    saturation = 1 / (service + (output - 1) * at_cap(decode) / np.maximum(cap, 1))
    stable = rate < saturation
    rate_ = np.where(stable, rate, 0)
    load = rate_ * service
    effective = decode / (1 - load)[..., None]
    law = batch_law(rate_ * (output - 1), effective[..., 1:])
    moments = tpot_moments(law.seen, effective[..., 1:])
    tpot_q = tpot_quantile_s(law.seen, effective[..., 1:], moments, rate_, output - 1, scv, level)
    plain = (law.seen * finite(decode)[..., 1:]).sum(axis=-1)
    stall = service * np.sqrt(rate_ * plain / output * (1 + prompt_scv)) * 2
    queue = pollaczek_wait_s(rate_, service, prompt_scv) + plain / 2 * (1 - law.seen[..., 0])
    slot = law.full * (1 + scv) / 2 / np.where(stable, saturation - rate_, 1)
    tail = exponential_wait_quantile_s(load + 0 * queue, queue + slot, level)
    ttft = queue + slot + service
    gap = 1 - np.exp(-rate_ * plain)
    return answer(
        Replica,
        stable,
        rate / saturation,
        batch_mean=rate_ * (output - 1) * moments.mean_s,
        ttft_mean_s=ttft,
        ttft_quantile_s=ttft + np.hypot(tail, 2 * service * np.sqrt(prompt_scv)),
        tpot_mean_s=moments.mean_s,
        tpot_quantile_s=tpot_q + stall,
        itl_quantile_s=plain + np.where(gap > 1 - level, service, 0),
    )


def prefill_priority_saturation_per_s(
    mean_input_tokens: ArrayLike,
    mean_output_tokens: ArrayLike,
    decode_step_s: ArrayLike,
    prefill_s_per_token: ArrayLike,
) -> Floats:
    """Request rate at which a prefill-priority replica becomes unstable. Returns: [1/s]"""
    decode = step_curve("decode_step_s", decode_step_s)
    cap = np.isfinite(decode).sum(axis=-1) - 1
    service = positive("mean_input_tokens", mean_input_tokens) * positive("prefill_s_per_token", prefill_s_per_token)
    decode_s = (at_least_one("mean_output_tokens", mean_output_tokens) - 1) * at_cap(decode) / np.maximum(cap, 1)
    return 1 / (service + decode_s)
