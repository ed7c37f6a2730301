"""A replica with whole prompts first: bare steps, M/G/1, stalls by hand."""

import math

import numpy as np
import pytest

from planner.load.queueing import (
    chunked_replica,
    prefill_priority_replica,
    prefill_priority_saturation_per_s,
)

DECODE_S = 0.01 + 0.0001 * np.arange(65)
PROMPT, OUTPUT, PER_TOKEN_S = 1000, 201, 1e-4


def replica(rate, *, prompt=PROMPT, scv=1.0, output=OUTPUT, steps=DECODE_S, **more):
    return prefill_priority_replica(rate, prompt, scv, output, steps, PER_TOKEN_S, **more)


def test_an_idle_replica_takes_its_bare_steps():
    idle = replica(0, scv=0.0)
    assert (idle.ttft_mean_s, idle.ttft_quantile_s) == pytest.approx((0.1, 0.1))
    assert (idle.tpot_mean_s, idle.tpot_quantile_s) == pytest.approx((0.0101, 0.0101))
    assert idle.itl_quantile_s == pytest.approx(0.0101)


@pytest.mark.parametrize(("scv", "wait"), [(0.0, 0.1), (1.0, 0.2), (3.0, 0.4)])
def test_without_answers_prompts_wait_as_in_m_g_1(scv, wait):
    """0.1 s prompts at ρ = 2/3: λE[S²]/(2(1 − ρ)) = 0.1·(1 + scv)."""
    first = replica(20 / 3, scv=scv, output=1, steps=np.full(9, 1e-9))
    assert first.ttft_mean_s == pytest.approx(0.1 + wait, rel=1e-6)


def test_long_answers_are_stretched_by_the_time_that_prompts_take():
    """ρ = 0.2 of the time goes to prompts: flat steps of 10 ms take 12.5 ms."""
    long = replica(2.0, output=20_001, steps=np.full(4001, 0.01))
    assert long.tpot_mean_s == pytest.approx(0.0125, rel=0.01)


def test_short_answers_wait_for_the_prompts_behind_them():
    """A life of one step stalls for the ρ·T of prompts found, and all that come meanwhile."""
    rate, service_s = 5.0, 0.1
    one_step = replica(rate, scv=0.0, output=2, steps=np.full(1001, 1e-4))
    first_token_s = service_s + rate * service_s**2 / (2 * 0.5)
    stall_s = 0.5 * first_token_s / 0.5
    assert one_step.tpot_mean_s == pytest.approx(stall_s, rel=0.02)


def test_capacity_is_the_prompt_and_a_share_of_full_steps():
    """0.1 s of prompt and 200 steps of 16.4 ms shared by 64: 151.25 ms a request."""
    saturation = prefill_priority_saturation_per_s(PROMPT, OUTPUT, DECODE_S, PER_TOKEN_S)
    assert saturation == pytest.approx(1 / 0.15125)
    assert replica(saturation * (1 - 1e-9)).stable is True
    over = replica(saturation)
    assert over.stable is False
    assert over.ttft_quantile_s == over.tpot_mean_s == over.itl_quantile_s == math.inf


def test_utilization_is_the_share_of_capacity_that_is_asked_for():
    """151.25 ms a request: at 3.5 requests a second 52.9 %."""
    assert replica(3.5).utilization == pytest.approx(3.5 * 0.15125)


def test_requests_in_decode_are_those_that_little_counts():
    """λ requests a second spend 200 iterations each."""
    busy = replica(3.0)
    assert busy.batch_mean == pytest.approx(3.0 * 200 * busy.tpot_mean_s, rel=1e-12)


def test_full_places_are_servers_slowed_by_prompts():
    """2 % prompts: each of 52 places takes 2,000 steps of 10.2 ms, loaded to 96 % as M/M/52."""
    rate, places, prompts = 2.4, 52, 0.02
    service_s, life_s = prompts / rate, 2000 * 0.01 / (1 - prompts)
    load = rate * life_s / places
    wait_s = erlang_c(places, rate * life_s) * life_s / (places * (1 - load))
    steps = np.full(places + 1, 0.01)
    found = prefill_priority_replica(rate, 100, 0.0, 2001, steps, service_s / 100)
    assert found.ttft_mean_s == pytest.approx(wait_s, rel=0.15)


def erlang_c(servers, offered):
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = offered * blocked / (n + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


def test_it_knows_no_unit_of_time():
    seconds, k = replica(6.0, output_scv=3.0), 1000
    slow = (k * DECODE_S, k * PER_TOKEN_S)
    millis = prefill_priority_replica(6 / k, PROMPT, 1.0, OUTPUT, *slow, output_scv=3.0)
    for name in ("ttft_mean_s", "ttft_quantile_s", "tpot_quantile_s", "itl_quantile_s"):
        assert getattr(millis, name) == pytest.approx(k * getattr(seconds, name), rel=1e-9)
    assert millis.batch_mean == pytest.approx(seconds.batch_mean, rel=1e-9)


def test_lengths_of_answers_vary_as_an_exponential_unless_said_otherwise():
    assert replica(6.0) == replica(6.0, output_scv=1.0)
    assert replica(6.0).ttft_mean_s < replica(6.0, output_scv=3.0).ttft_mean_s


def test_a_stall_shows_in_the_gaps_once_one_in_a_hundred_has_it():
    """λ·t_d = 0.5 % of the gaps hold a prompt of 0.1 s, or 5 %."""
    flat = np.full(1001, 0.01)
    seldom, often = (replica(rate, scv=0.0, steps=flat) for rate in (0.5, 5.0))
    assert seldom.itl_quantile_s == pytest.approx(0.01, rel=0.05)
    assert often.itl_quantile_s > 0.11


def test_chunks_spare_the_gaps_that_whole_prompts_tear():
    prompts = {"rate": 1.0, "prompt": 8000}
    whole = replica(**prompts)
    mixed_s = DECODE_S + PER_TOKEN_S * 512
    chunked = chunked_replica(1.0, 8000, 1.0, OUTPUT, DECODE_S, mixed_s, 512)
    assert chunked.itl_quantile_s < whole.itl_quantile_s / 4
    assert chunked.tpot_quantile_s < whole.tpot_quantile_s


def test_it_is_called_as_the_chunked_replica_is():
    same = (3.0, PROMPT, 1.0, OUTPUT, DECODE_S)
    assert prefill_priority_replica(*same, PER_TOKEN_S, 512) == replica(3.0)


def test_arrays_answer_as_scalars_do():
    rates = np.array([0.1, 2.0, 6.0, 60.0])
    rows = replica(rates)
    for i, rate in enumerate(rates):
        one = replica(rate)
        assert rows.stable[i] == one.stable
        for name in ("ttft_quantile_s", "tpot_quantile_s", "itl_quantile_s", "batch_mean"):
            assert getattr(rows, name)[i] == pytest.approx(getattr(one, name), rel=1e-12)
