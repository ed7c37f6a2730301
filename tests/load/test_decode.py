"""Decode pools against Erlang, processor sharing and other laws with a closed form."""

import math

import numpy as np
import pytest

from planner.load.queueing import decode_pool, decode_pool_saturation_per_s

TOKENS = 200


def line(batch_cap, floor_s=0.01, slope_s=0.0002):
    return floor_s + slope_s * np.arange(1, batch_cap + 1)


def test_an_idle_pool_takes_its_bare_step():
    pool = decode_pool(0, TOKENS, line(64))
    assert (pool.tpot_mean_s, pool.tpot_quantile_s) == pytest.approx((0.0102, 0.0102))
    assert pool.batch_mean == pool.wait_mean_s == pool.wait_quantile_s == 0
    assert pool.stable is True


@pytest.mark.parametrize(
    ("places", "offered", "erlang_c"),
    [(1, 0.7, 0.7), (2, 1, 1 / 3), (3, 2, 4 / 9), (10, 8, 0.4092), (100, 90, 0.2170)],
)
def test_places_of_one_speed_are_servers(places, offered, erlang_c):
    """Steps that do not grow make M/M/c: each place serves a request in L steps."""
    service_s = TOKENS * 0.01
    pool = decode_pool(offered / service_s, TOKENS, np.full(places, 0.01))
    wait_s = erlang_c * service_s / (places - offered)
    assert pool.wait_mean_s == pytest.approx(wait_s, rel=2e-3)
    assert pool.batch_mean == pytest.approx(offered, rel=1e-3)
    assert (pool.tpot_mean_s, pool.tpot_quantile_s) == pytest.approx((0.01, 0.01))


def test_one_place_has_the_tail_of_m_m_1():
    pool = decode_pool(0.8, 100, [0.01])
    assert pool.wait_mean_s == pytest.approx(4.0)
    assert pool.wait_quantile_s == pytest.approx(math.log(80) / 0.2)


@pytest.mark.parametrize("load", [0.1, 0.5, 0.9])
def test_steps_in_proportion_to_the_batch_are_processor_sharing(load):
    """M/G/1-PS slows every request by 1/(1 − ρ), whatever the law of lengths."""
    step_s = 0.001 * np.arange(1, 401)
    for scv in (0.0, 1.0, 3.0):
        pool = decode_pool(load / (TOKENS * 0.001), TOKENS, step_s, output_scv=scv)
        assert pool.tpot_mean_s == pytest.approx(0.001 / (1 - load), rel=1e-3)


@pytest.mark.parametrize("load", [0.2, 0.6, 0.8])
def test_a_straight_step_curve_has_a_negative_binomial_batch(load):
    """t(b) = W + H·b without a cap: π(n) is negative binomial, TPOT = t(1)/(1 − λLH)."""
    floor_s, slope_s = 0.01, 0.0002
    rate = load / (TOKENS * slope_s)
    pool = decode_pool(rate, TOKENS, line(2000, floor_s, slope_s))
    assert pool.tpot_mean_s == pytest.approx((floor_s + slope_s) / (1 - load), rel=1e-3)


def test_the_mean_follows_from_littles_law():
    rates = np.linspace(0, 1, 20) * decode_pool_saturation_per_s(TOKENS, line(64))
    pool = decode_pool(rates[1:-1], TOKENS, line(64))
    assert pool.batch_mean == pytest.approx(rates[1:-1] * TOKENS * pool.tpot_mean_s, rel=1e-12)


def test_a_request_averages_the_batch_over_its_life():
    """So its own p99 lies between the mean and the step at the p99 of the batch."""
    step_s = line(512, 0.01, 0.0005)
    pool = decode_pool(6.0, TOKENS, step_s)
    batch = np.arange(513)
    log_law = batch * np.log(6.0 * TOKENS) + np.append(0, np.cumsum(np.log(step_s / batch[1:])))
    law = np.exp(log_law - log_law.max())
    instant_s = step_s[np.searchsorted(np.cumsum(law) / law.sum(), 0.99)]
    assert pool.tpot_mean_s < pool.tpot_quantile_s < instant_s


def late_excess_s(load, step_s, **lengths):
    """What the p99 of a request's own pace adds to the mean, and the p99 of a token's step."""
    rate = load / (step_s[1] - step_s[0])
    log_law = np.arange(len(step_s)) * np.log(rate)
    log_law += np.cumsum(np.log(np.append(step_s[0], step_s[:-1]) / np.arange(len(step_s)).clip(1)))
    reached = np.cumsum(np.exp(log_law - log_law.max()))
    instant_s = step_s[np.searchsorted(reached / reached[-1], 0.99)]
    pool = decode_pool(rate / TOKENS, TOKENS, step_s, **lengths)
    return pool.tpot_quantile_s - pool.tpot_mean_s, instant_s - pool.tpot_mean_s


def test_of_a_batch_that_hardly_slows_a_request_sees_an_average():
    """M/D/∞: over a life of constant length a Poisson batch of mean m varies by 2m/3."""
    own_s, instant_s = late_excess_s(0.01, 0.01 + 1e-6 * np.arange(1, 400), output_scv=0.0)
    assert own_s == pytest.approx(math.sqrt(2 / 3) * instant_s, rel=0.1)


def test_of_a_batch_that_slows_itself_down_a_request_sees_little_else_than_what_it_finds():
    """Near saturation of a straight curve the batch changes too slowly to average over."""
    own_s, instant_s = late_excess_s(0.95, line(2500))
    assert own_s == pytest.approx(instant_s, rel=0.03)


def test_capacity_is_the_full_batch():
    """64 places of 200 tokens at 22.8 ms a step: 14.04 requests a second."""
    saturation = decode_pool_saturation_per_s(TOKENS, line(64))
    assert saturation == pytest.approx(64 / (TOKENS * 0.0228))
    below, at = (decode_pool(saturation * u, TOKENS, line(64)) for u in (1 - 1e-9, 1))
    assert below.stable is True
    assert at.stable is False
    assert below.batch_mean == pytest.approx(64, rel=1e-3)
    values = (at.tpot_mean_s, at.tpot_quantile_s, at.wait_mean_s, at.batch_mean)
    assert all(value == math.inf for value in values)


def test_utilization_is_the_share_of_capacity_that_is_asked_for():
    assert decode_pool(7.0, TOKENS, line(64)).utilization == pytest.approx(7 * 200 * 0.0228 / 64)


def test_a_request_joins_half_a_step_after_it_comes_where_others_run():
    """λL = 1, t = (1, 2, 2): of five requests one finds nobody, one finds a step of 1 s under way
    and three one of 2 s."""
    pool = decode_pool(0.01, 100, [1, 2, 2])
    assert pool.join_mean_s == pytest.approx((1 * 1 + 3 * 2) / 5 / 2)
    assert decode_pool(0.8, 100, [0.01]).join_mean_s == 0


def test_lengths_of_answers_vary_as_an_exponential_unless_said_otherwise():
    assert decode_pool(13.0, TOKENS, line(64)) == decode_pool(
        13.0, TOKENS, line(64), output_scv=1.0, quantile=0.99
    )


def test_it_knows_no_unit_of_time():
    seconds, k = decode_pool(13.0, TOKENS, line(64), output_scv=3.0), 1000
    millis = decode_pool(13.0 / k, TOKENS, k * line(64), output_scv=3.0)
    for name in ("tpot_mean_s", "tpot_quantile_s", "wait_mean_s", "wait_quantile_s", "join_mean_s"):
        assert getattr(millis, name) == pytest.approx(k * getattr(seconds, name), rel=1e-9)


def test_steps_that_do_not_fit_end_the_batch():
    padded = np.append(line(40), np.full(60, np.inf))
    assert decode_pool(7.0, TOKENS, padded) == decode_pool(7.0, TOKENS, line(40))


def test_rows_of_different_caps_answer_as_each_alone():
    caps = (1, 7, 64, 300)
    rows = np.stack([np.append(line(cap), np.full(300 - cap, np.inf)) for cap in caps])
    rates = np.array([0.1, 3.0])
    pools = decode_pool(rates, TOKENS, rows[:, None])
    assert pools.stable.shape == (4, 2)
    for row, cap in enumerate(caps):
        for column, rate in enumerate(rates):
            alone = decode_pool(rate, TOKENS, line(cap))
            assert pools.stable[row, column] == alone.stable
            assert pools.tpot_mean_s[row, column] == pytest.approx(alone.tpot_mean_s, rel=2e-3)


@pytest.mark.parametrize("load", [1e-6, 0.5, 0.9, 0.999])
def test_ten_thousand_jobs_in_system_stay_finite(load):
    step_s = np.full(10_000, 0.01)
    saturation = decode_pool_saturation_per_s(TOKENS, step_s)
    pool = decode_pool(load * saturation, TOKENS, step_s)
    assert pool.batch_mean == pytest.approx(load * 10_000, rel=1e-3)
    assert math.isfinite(pool.wait_quantile_s)


def test_lengths_that_vary_more_wait_longer():
    rate = 0.85 * decode_pool_saturation_per_s(TOKENS, line(8))
    waits = [decode_pool(rate, TOKENS, line(8), output_scv=scv).wait_mean_s for scv in (0, 1, 3)]
    assert waits[0] < waits[1] < waits[2]
