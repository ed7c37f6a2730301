"""A replica with chunked prefill: bare steps, capacities by hand, limits that are other queues."""

import math

import numpy as np
import pytest

from planner.load.queueing import chunked_replica, chunked_saturation_per_s, decode_pool
from tests.oracle import simulator

DECODE_S = 0.01 + 0.0001 * np.arange(65)
MIXED_S = DECODE_S + 0.03
PROMPT, OUTPUT, CHUNK = 1000, 201, 512


def replica(rate, **changes):
    given = {
        "mean_input_tokens": PROMPT,
        "input_scv": 1.0,
        "mean_output_tokens": OUTPUT,
        "decode_step_s": DECODE_S,
        "mixed_step_s": MIXED_S,
        "chunk_tokens": CHUNK,
    }
    return chunked_replica(rate, **(given | changes))


def test_an_idle_replica_takes_its_bare_steps():
    """1000 prompt tokens are a full chunk and 488 of the next; a lone token takes t_d(1)."""
    idle = replica(0, input_scv=0.0)
    bare_s = 0.04 + 0.01 + 0.03 * 488 / 512
    assert (idle.ttft_mean_s, idle.ttft_quantile_s) == pytest.approx((bare_s, bare_s))
    bare_s = DECODE_S[1]
    assert (idle.tpot_mean_s, idle.tpot_quantile_s) == pytest.approx((bare_s, bare_s))
    assert idle.batch_mean == idle.utilization == 0


def test_the_length_of_prompts_spreads_an_idle_first_token():
    """The p99 of a lognormal of mean 8192 and SCV 1 is 36,820 tokens: 72 chunks, 14 the mean."""
    idle = replica(0, mean_input_tokens=16 * CHUNK)
    longest = 16 * math.exp(2.3263 * math.sqrt(math.log(2)) - math.log(2) / 2)
    assert idle.ttft_quantile_s == pytest.approx((longest + 0.5) * 0.04, rel=0.02)


def test_prompts_that_cost_nothing_leave_a_decode_pool():
    with_prompts = replica(5.0, mixed_step_s=DECODE_S)
    pool = decode_pool(5.0, OUTPUT - 1, DECODE_S[1:])
    assert with_prompts.tpot_mean_s == pytest.approx(pool.tpot_mean_s, rel=1e-9)
    assert with_prompts.batch_mean == pytest.approx(pool.batch_mean, rel=1e-9)


def test_prompts_of_a_chunk_without_answers_wait_as_in_m_d_1():
    """One-token answers, constant prompts of a chunk: 1 s each, so 2 s of wait at ρ = 0.8."""
    flat = np.full(9, 1e-9)
    first = replica(
        0.8,
        mean_input_tokens=CHUNK,
        input_scv=0.0,
        mean_output_tokens=1,
        decode_step_s=flat,
        mixed_step_s=flat + 1,
    )
    assert first.ttft_mean_s == pytest.approx(3.0, rel=0.05)


def test_capacity_with_every_place_taken():
    """64 places; a request holds one for 200 steps and the two chunks of its prompt, so 63.37
    decode: 202·16.34 ms/64 + 1000/512·30 ms = 110.2 ms each."""
    saturation = chunked_saturation_per_s(PROMPT, OUTPUT, DECODE_S, MIXED_S, CHUNK, input_scv=0.0)
    step_s = 0.01 + 0.0001 * 64 * 200 / 202
    by_hand_s = 202 * step_s / 64 + PROMPT / CHUNK * 0.03
    assert saturation == pytest.approx(1 / by_hand_s)


def test_capacity_with_every_chunk_full():
    """Chunks of 512 feed b = 512·20/4000 = 2.56 decoding: 4000/512 chunks of 40.256 ms each."""
    saturation = chunked_saturation_per_s(4000, 21, DECODE_S, MIXED_S, CHUNK)
    assert saturation == pytest.approx(1 / (4000 / 512 * 0.040256))


@pytest.mark.parametrize(("prompt", "output"), [(300, 150), (1000, 201), (4000, 21), (600, 2)])
def test_the_simulator_carries_what_capacity_promises(prompt, output):
    """All requests at once: the rate at which they leave is the saturation rate."""
    n, rng = 6000, np.random.default_rng(5)
    prompts = simulator.lognormal_lengths(prompt, 0.5, n, rng)
    outputs = simulator.lognormal_lengths(output, 0.5, n, rng)
    curves = DECODE_S.tolist(), MIXED_S.tolist()
    served = simulator.chunked_replica(np.zeros(n), prompts, outputs, *curves, CHUNK)
    middle = np.sort(served.first_s)[n // 4 : 3 * n // 4]
    carried = (len(middle) - 1) / (middle[-1] - middle[0])
    promised = chunked_saturation_per_s(prompt, output, DECODE_S, MIXED_S, CHUNK, input_scv=0.5)
    assert carried == pytest.approx(promised, rel=0.03)


@pytest.mark.parametrize("load", [1.0, 1.000001, 50.0])
def test_at_and_above_capacity_nothing_looks_plausible(load):
    rate = load * chunked_saturation_per_s(PROMPT, OUTPUT, DECODE_S, MIXED_S, CHUNK)
    over = replica(rate)
    assert over.stable is False
    assert over.utilization == pytest.approx(load)
    times = (over.ttft_mean_s, over.ttft_quantile_s, over.tpot_mean_s, over.tpot_quantile_s)
    assert times == (math.inf,) * 4
    assert over.itl_quantile_s == over.batch_mean == math.inf


def test_a_request_of_short_life_sees_the_prompts_behind_it():
    """At the same share of time for prompts, answers of 10 tokens run beside fuller chunks than
    answers of 20,000: they begin when a prompt ends, and others came meanwhile."""
    flat = {"decode_step_s": np.full(4001, 0.01), "mixed_step_s": np.full(4001, 0.05)}
    short, long = (
        replica(2.0, mean_input_tokens=4096, mean_output_tokens=tokens, **flat)
        for tokens in (11, 20_001)
    )
    assert short.tpot_mean_s > 1.3 * long.tpot_mean_s
    assert long.tpot_mean_s == pytest.approx(0.01 / (1 - 2 * 8 * 0.04), rel=0.02)


def test_percentiles_never_exceed_a_step_beside_a_full_chunk():
    rates = np.linspace(0.01, 0.99, 30) * chunked_saturation_per_s(
        PROMPT, OUTPUT, DECODE_S, MIXED_S, CHUNK
    )
    busy = replica(rates)
    assert np.all(busy.tpot_quantile_s <= MIXED_S[-1])
    assert np.all(busy.itl_quantile_s <= MIXED_S[-1])
    assert np.all(busy.tpot_quantile_s >= busy.tpot_mean_s)


def test_a_batch_that_does_not_fit_one_curve_does_not_fit():
    decode, mixed = DECODE_S.copy(), MIXED_S.copy()
    mixed[33:] = np.inf
    padded = replica(3.0, decode_step_s=decode, mixed_step_s=mixed)
    cut = replica(3.0, decode_step_s=decode[:33], mixed_step_s=mixed[:33])
    assert padded.ttft_quantile_s == pytest.approx(cut.ttft_quantile_s)
    assert padded.utilization == pytest.approx(cut.utilization)


def test_arrays_answer_as_scalars_do():
    rates, outputs = np.array([0.5, 3.0, 30.0])[:, None], np.array([2.0, 201.0])
    grid = replica(rates, mean_output_tokens=outputs)
    for i, rate in enumerate(rates[:, 0]):
        for j, output in enumerate(outputs):
            one = replica(rate, mean_output_tokens=output)
            assert grid.stable[i, j] == one.stable
            for name in ("ttft_quantile_s", "tpot_quantile_s", "itl_quantile_s", "utilization"):
                assert getattr(grid, name)[i, j] == pytest.approx(getattr(one, name), rel=1e-12)
