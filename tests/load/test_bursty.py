"""A prefill pool under bursty arrivals: limits, order, and replays of real logs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from planner.demand.audit import audit
from planner.load.bursts import Bursts, audited_bursts, busiest_minute, logged_bursts, minute_bursts
from planner.load.bursty import _burst_tails, _looked_up, _minutes
from planner.load.queueing import bursty_pool, prefill_pool
from planner.load.shares import FRACTIONS
from tests.oracle.replay import (
    BUSY_LOAD,
    TRACES,
    Log,
    compared,
    dispersion,
    doubled,
    half,
    measured_bursts,
    minutes,
    read_log,
    waits_s,
)

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
LOGS = sorted(path.stem for path in TRACES.iterdir() if path.suffix in {".csv", ".jsonl"})
CALM = {"0.1": 1.0, "1": 1.0, "10": 1.0}
BURSTY = {"0.1": 2.0, "1": 10.0, "10": 50.0}


def log_path(name: str):
    return next(path for path in TRACES.iterdir() if path.stem == name)


def pool(bursts: Bursts, mean_s=0.1, scv=1.0, servers=4, **options):
    return bursty_pool(bursts, mean_s, scv, servers, busy_load=BUSY_LOAD, **options)


@pytest.mark.parametrize("name", LOGS)
def test_p99_is_near_replay_in_a_calm_log_and_never_below_it_in_a_busy_one(name):
    """Within 25 % where the peak minute is loaded at most 90 %; above that on the safe side."""
    path = log_path(name)
    cases = compared(
        read_log(path),
        audited_bursts(audit(path)),
        (4, 16, 64),
        (0.3, 0.5, 0.7, 0.9, 1.0, 1.14, 1.5),
    )
    assert max(abs(case.error) for case in cases if case.peak <= BUSY_LOAD) <= 0.25
    assert min(case.error for case in cases if case.peak > BUSY_LOAD) >= 0


@pytest.mark.parametrize("name", LOGS)
def test_an_audit_says_what_the_oracle_counts(name):
    path = log_path(name)
    ours, theirs = audited_bursts(audit(path)), measured_bursts(read_log(path))
    np.testing.assert_allclose(ours.requests, theirs.requests)
    np.testing.assert_allclose(ours.work_requests, theirs.work_requests)
    np.testing.assert_allclose(ours.inside.share_scv, theirs.inside.share_scv, rtol=1e-6, atol=1e-9)


@pytest.mark.sweep
@pytest.mark.parametrize("name", LOGS)
def test_p99_is_near_replay_on_logs_it_was_not_developed_on(name):
    """Two tenants and half the time; the code log has one burst that decides its p99 (docs)."""
    log = read_log(log_path(name))
    for other in (doubled(log), half(log, second=False)):
        cases = compared(other, measured_bursts(other))
        calm = [abs(case.error) for case in cases if case.peak <= BUSY_LOAD]
        assert np.mean(np.array(calm) <= 0.25) >= (0.6 if "code" in name else 0.95)
        assert min(case.error for case in cases if case.peak > BUSY_LOAD) >= -0.05


@pytest.mark.sweep
@pytest.mark.parametrize("hurst", [0.5, 0.6, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("one_window", [0.3, 0.1, 0.03])
def test_some_window_exceeds_as_in_fractional_brownian_motion(hurst, one_window):
    """P(sup of B(t) − t above a level) lies between P of its likeliest time and exp(−z²/2).

    On that logarithmic scale it is √(1 − s), s = 2H − 1, as `shares` has it.
    """
    n, runs = 2**12, 2000
    score = -ndtri(one_window)
    likeliest = n / 12
    drift = score * hurst / likeliest ** (1 - hurst)
    level = drift * likeliest * (1 - hurst) / hurst
    path = np.cumsum(_fractional_noise(hurst, n, runs), axis=1) - drift * np.arange(1, n + 1)
    some = np.mean(path.max(axis=1) > level)
    weight = np.log(some / one_window) / (-(score**2) / 2 - np.log(one_window))
    assert np.sqrt(2 - 2 * hurst) == pytest.approx(weight, abs=0.15)


def _fractional_noise(hurst: float, n: int, runs: int) -> np.ndarray:
    """Increments of fractional Brownian motion (circulant embedding, Davies and Harte 1987)."""
    lag = np.arange(n + 1)
    covariance = (
        abs(lag - 1.0) ** (2 * hurst) - 2 * lag ** (2 * hurst) + (lag + 1) ** (2 * hurst)
    ) / 2
    spectrum = np.fft.fft(np.r_[covariance, covariance[-2:0:-1]]).real.clip(0)
    draw = np.random.default_rng(7).normal(size=(2, runs, len(spectrum)))
    return np.fft.fft(np.sqrt(spectrum / len(spectrum)) * (draw[0] + 1j * draw[1])).real[:, :n]


def test_the_replay_gives_textbook_waits():
    """M/M/1 at load 0.6: mean wait ρ/(1 − ρ)·E[S]; and two requests at once on one server."""
    draw = np.random.default_rng(1)
    at_s = np.cumsum(draw.exponential(1, 400_000))
    service_s = draw.exponential(0.6, 400_000)
    assert waits_s(at_s, service_s, 1).mean() == pytest.approx(0.9, rel=0.03)
    assert waits_s(np.zeros(3), np.full(3, 2.0), 2).tolist() == [0, 0, 2]


@pytest.mark.parametrize("load", [0.3, 0.6, 0.85])
@pytest.mark.parametrize("servers", [1, 4, 32])
def test_poisson_arrivals_wait_as_in_the_prefill_pool(load, servers):
    rate = load * servers / 0.05
    ours = pool(minute_bursts(rate, CALM), 0.05, 0.9, servers)
    theirs = prefill_pool(rate, 0.05, 0.9, servers)
    assert ours.wait_mean_s == pytest.approx(theirs.wait_mean_s, rel=0.02, abs=1e-5)
    assert ours.wait_quantile_s == pytest.approx(theirs.wait_quantile_s, rel=0.02, abs=1e-5)


def test_batches_wait_for_each_other():
    """Ten requests at once every 3 s on four servers, constant service 0.28 s, by hand.

    Waits 0, 0.28 and 0.56 s in shares 4, 4 and 2 of ten: mean 0.224 s, late ones 0.56 s. That the
    batches are alike and regular is not in a dispersion, so only the size of the answer is held.
    """
    at_s = np.repeat(np.arange(0, 3600, 3.0), 10)
    log = Log("batches", at_s, np.full(len(at_s), 1000.0))
    found = pool(logged_bursts(*minutes(log), dispersion(log)), 0.28, 0.0, 4)
    assert 0.56 <= found.wait_quantile_s <= 3 * 0.56
    assert 0.224 / 3 <= found.wait_mean_s <= 3 * 0.224


def test_a_minute_above_capacity_leaves_its_backlog_to_the_next():
    """One minute at 150 %: 30 s of work too much, so the latest wait about 30 s."""
    requests = np.array([60.0, 60, 180, 60, 60, 60, 60, 60])
    calm = logged_bursts(requests, requests, {**CALM, "60": 0.0})
    found = pool(calm, 0.5, 0.0, 1)
    assert found.peak_utilization == pytest.approx(1.5)
    assert 30 <= found.wait_quantile_s <= 45


STEADY = {**CALM, "60": 0.0}


class TestMinutes:
    """Pools through the minutes of a log: work, room and backlog in server-seconds, by hand."""

    def minutes(self, requests, mean_s, scv=1.0, servers=1.0):
        log = logged_bursts(np.array(requests), np.array(requests), STEADY)
        mean_s, servers = np.atleast_1d(mean_s), np.atleast_1d(servers)
        return _minutes(log, mean_s, np.array(scv), servers, BUSY_LOAD)

    def test_what_a_minute_leaves_is_carried_on_and_worked_off(self):
        # Half a second each: 90, 30, 75, 30 and 30 s of work, 60 s of room a minute.
        held = self.minutes([180.0, 60, 150, 60, 60], 0.5)
        assert held.load[0].tolist() == [1.5, 0.5, 1.25, 0.5, 0.5]
        assert held.backlog_s[0].tolist() == [0, 30, 0, 15, 0]

    def test_what_the_last_minute_leaves_is_not_carried_to_the_first(self):
        assert not self.minutes([60.0, 60, 180], 0.5).backlog_s.any()

    def test_a_minute_is_hot_when_busy_or_after_one_that_left_anything(self):
        held = self.minutes([121.0, 60, 117, 60], 0.5)
        assert held.hot[0].tolist() == [True, True, True, False]

    @pytest.mark.parametrize(("mean_s", "scv"), [(0.6, 1.0), (0.3, 3.0), (1.2, 0.0)])
    def test_within_a_minute_a_queue_settles_to_81_percent_of_load(self, mean_s, scv):
        # (1 + SCV)/2·E[S] = 0.6 s over (1 − √ρ)² are 60 s at ρ = 0.81.
        requests = np.array([0.95, 0.3, 0.3, 0.3]) * 60 / mean_s
        held = self.minutes(requests, mean_s, scv)
        assert held.settled_load[0] == pytest.approx([0.81, 0.3, 0.3, 0.3])

    def test_to_the_mean_load_of_its_log_it_settles_in_any_case(self):
        # Services of 240 s have no time to settle in a minute.
        held = self.minutes([0.1, 0.0125, 0.0125, 0.0125], 240.0)
        assert held.settled_load[0] == pytest.approx([0.1375, 0.05, 0.05, 0.05])

    def test_to_that_of_its_own_log_where_there_are_several_pools(self):
        held = self.minutes([0.1, 0.0125, 0.0125, 0.0125], [240.0, 480.0])
        assert held.settled_load[:, 0] == pytest.approx([0.1375, 0.275])

    def test_each_pool_has_its_own_load(self):
        held = self.minutes([95.0, 30, 30, 30], [0.6, 0.15], servers=[1.0, 2.0])
        assert held.load[1] == pytest.approx(held.load[0] / 8)
        assert held.settled_load[0] == pytest.approx([0.81, 0.3, 0.3, 0.3])
        assert held.settled_load[1] == pytest.approx(held.load[1])


def test_the_noise_of_a_count_is_that_of_requests_and_of_their_lengths():
    """Sixty requests of SCV 1 vary as thirty constant ones: (1 + 1)/60 = 1/30."""

    def tails(n_requests, scv):
        log, one = minute_bursts(n_requests / 60, CALM), np.array([1.0])
        held = _minutes(log, 48 / n_requests * one, np.array(scv), one, busy_load=0.5)
        return _burst_tails(log, held, np.array([[[0.0], [0.5], [2.0], [5.0]]]))

    assert tails(60, 1.0) == pytest.approx(tails(30, 0.0), rel=1e-4)
    assert np.all(tails(60, 1.0)[:, 1:] > 1.05 * tails(120, 1.0)[:, 1:])


class TestLookUp:
    """A law whose tail is the square of the share, in a table by shares from 1e-5 to 1."""

    def looked_up(self, share):
        table = np.stack([0 * FRACTIONS, 2 * np.log(FRACTIONS)])
        return float(_looked_up(table, np.array([1]), np.array([share]))[0])

    @pytest.mark.parametrize("share", [0.999, 0.5, 0.03, 1e-4, 1.05e-5])
    def test_between_its_shares_it_is_straight_in_logarithms(self, share):
        assert self.looked_up(share) == pytest.approx(2 * np.log(share), rel=1e-9)

    def test_below_the_smallest_share_it_is_that_of_the_smallest(self):
        assert self.looked_up(1e-9) == pytest.approx(2 * np.log(1e-5))

    @pytest.mark.parametrize("share", [1.0, 1.5])
    def test_no_window_holds_more_than_all(self, share):
        assert self.looked_up(share) == -np.inf

    @pytest.mark.parametrize("share", [0.0, -3.0])
    def test_every_window_holds_more_than_nothing(self, share):
        assert self.looked_up(share) == 0


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_first_tokens_come_after_a_wait_and_a_service_of_their_own(load):
    """M/M/1 waits, 0 but for a share ρ, then exponential of mean 1/(1 − ρ); lognormal services."""
    rng, n = np.random.default_rng(3), 400_000
    wait_s = (rng.random(n) < load) * rng.exponential(1 / (1 - load), n)
    service_s = np.exp(np.sqrt(np.log(2)) * rng.standard_normal(n) - np.log(2) / 2)
    found = pool(minute_bursts(load * 10, CALM), 0.1, 1.0, 1)
    assert found.wait_median_s == pytest.approx(0.1 * np.median(wait_s), rel=0.02)
    drawn_s = 0.1 * (wait_s + service_s)
    assert found.ttft_mean_s == pytest.approx(drawn_s.mean(), rel=0.02)
    assert found.ttft_median_s == pytest.approx(np.median(drawn_s), rel=0.02)
    assert found.ttft_quantile_s == pytest.approx(np.quantile(drawn_s, 0.99), rel=0.03)


@pytest.mark.parametrize("place", [0, 3])
def test_it_does_not_matter_when_a_minute_is_above_capacity(place):
    requests = np.full(8, 60.0)
    requests[place] = 180
    shifted = logged_bursts(np.roll(requests, 1), np.roll(requests, 1), STEADY)
    here, later = (
        pool(log, 0.5, 0.0, 1) for log in (logged_bursts(requests, requests, STEADY), shifted)
    )
    assert later.wait_quantile_s == pytest.approx(here.wait_quantile_s, rel=1e-9)
    assert later.ttft_quantile_s == pytest.approx(here.ttft_quantile_s, rel=1e-9)


def test_minutes_that_leave_nothing_may_come_in_any_order():
    """Four of them hot, each with the noise of its own count."""
    requests = np.array([70.0, 116, 20, 90, 80])
    here, there = (
        bursty_pool(logged_bursts(row, row, STEADY), 0.5, 1.0, 1, busy_load=0.5)
        for row in (requests, requests[::-1])
    )
    for name in ("wait_mean_s", "wait_quantile_s", "ttft_mean_s", "ttft_quantile_s"):
        assert getattr(there, name) == pytest.approx(getattr(here, name), rel=1e-9)


@pytest.mark.parametrize("servers", [1, 16])
@pytest.mark.parametrize("dispersion", [CALM, BURSTY])
def test_a_minute_called_hot_waits_longer_than_the_same_called_cold(dispersion, servers):
    """No credit for free servers, and the noise of counting on top of its bursts."""
    log = minute_bursts(10.0, dispersion)
    cold, hot = (
        bursty_pool(log, 0.08 * servers, 1.0, servers, busy_load=busy) for busy in (0.9, 0.5)
    )
    assert hot.wait_median_s > cold.wait_median_s
    assert hot.wait_quantile_s > cold.wait_quantile_s


def test_a_hot_minute_counts_the_chance_that_some_window_exceeds():
    """Bursts beside which its noise is nothing: later by more than a step of the grid of waits."""
    log = minute_bursts(1000.0, {"1": 1000.0, "10": 5000.0})
    cold, hot = (bursty_pool(log, 0.0008, 1.0, 1, busy_load=busy) for busy in (0.9, 0.5))
    assert hot.wait_mean_s > 1.2 * GRID_STEP * cold.wait_mean_s


@pytest.mark.parametrize("per_s", [80.0, 100.0])
def test_a_full_or_overloaded_log_answers_unstable_and_infinite(per_s):
    found = pool(minute_bursts(per_s, CALM), 0.05, 1.0, 4)
    assert not found.stable
    assert found.utilization == pytest.approx(per_s / 80)
    assert np.isinf([found.wait_mean_s, found.ttft_quantile_s]).all()


def test_a_busiest_minute_waits_longer_than_its_log():
    requests = np.array([10.0, 60, 20, 30])
    log = logged_bursts(requests, requests, {**BURSTY, "60": 20.0})
    assert busiest_minute(log).requests.tolist() == [60]
    assert pool(busiest_minute(log), 0.5).wait_quantile_s > pool(log, 0.5).wait_quantile_s


def test_an_idle_pool_answers_the_own_service_alone():
    """p99 of a lognormal of SCV 1: exp(2.326·0.8326 − 0.3466) = 4.906 means."""
    found = pool(minute_bursts(0.001, CALM), 0.1, 1.0, 4)
    assert found.ttft_quantile_s == pytest.approx(0.4906, rel=0.002)
    assert found.wait_quantile_s == 0


def test_measured_lengths_replace_the_lognormal():
    requests = np.array([1.0, 1.0])
    lengths = {0.5: 0.9, 0.99: 3.6}
    log = logged_bursts(requests, requests, {**CALM, "60": 0.0}, lengths_frac=lengths)
    assert pool(log).ttft_quantile_s == pytest.approx(0.36, rel=0.01)
    assert pool(log).ttft_median_s == pytest.approx(0.09, rel=0.01)


def test_arrays_answer_as_their_elements():
    log = minute_bursts(20.0, BURSTY)
    both = pool(log, np.array([[0.05], [0.1]]), 1.0, np.array([4, 8]))
    for i, mean_s in enumerate((0.05, 0.1)):
        for j, servers in enumerate((4, 8)):
            one = pool(log, mean_s, 1.0, servers)
            assert both.ttft_quantile_s[i, j] == pytest.approx(one.ttft_quantile_s)


def test_arrays_answer_as_their_elements_where_some_are_hot():
    """Its long requests come in the busy minute: 94 % of one server, a quarter of that of four."""
    requests, work = np.array([60.0, 20, 30]), np.array([110.0, 10, 30])
    log = logged_bursts(requests, work, STEADY)
    both = pool(log, np.array([0.7, 0.7]), 1.0, np.array([1, 4]))
    for i, servers in enumerate((1, 4)):
        one = pool(log, 0.7, 1.0, servers)
        for name in ("wait_mean_s", "wait_quantile_s", "ttft_median_s", "ttft_quantile_s"):
            assert getattr(both, name)[i] == pytest.approx(getattr(one, name), rel=1e-6)


windows = st.fixed_dictionaries(
    {"0.1": st.floats(1, 5), "1": st.floats(5, 20), "10": st.floats(20, 80)}
)
loads, sizes = st.floats(0.05, 0.85), st.sampled_from([1, 2, 4, 16, 64])
slack = 1 + 1e-3
GRID_STEP = 1.13


@settings(max_examples=40)
@given(windows, loads, loads, sizes, st.floats(0, 5))
def test_waits_rise_with_load_and_burstiness_and_are_ordered(uneven, a, b, servers, scv):
    low, high = sorted((a, b))
    log, calm = minute_bursts(10.0, uneven), minute_bursts(10.0, CALM)
    less, more = (pool(log, load * servers / 10, scv, servers) for load in (low, high))
    steady = pool(calm, high * servers / 10, scv, servers)
    for name in ("wait_mean_s", "wait_quantile_s", "ttft_quantile_s"):
        assert 0 <= getattr(less, name) <= getattr(more, name) * slack + 1e-9
        assert getattr(steady, name) <= getattr(more, name) * slack + 1e-9
    assert more.wait_median_s <= more.wait_quantile_s * slack
    assert more.ttft_median_s <= more.ttft_quantile_s * slack
    assert more.ttft_quantile_s >= more.wait_quantile_s / GRID_STEP


@settings(max_examples=40)
@given(windows, loads, st.sampled_from([1, 2, 4, 8]), st.floats(0, 5))
def test_more_servers_and_pooling_never_hurt(uneven, load, servers, scv):
    """Twice the servers for the same requests; two pools joined, whose bursts come together."""
    mean_s = load * servers / 10
    alone = pool(minute_bursts(10.0, uneven), mean_s, scv, servers)
    spare = pool(minute_bursts(10.0, uneven), mean_s, scv, 2 * servers)
    twice = {window: 1 + 2 * (value - 1) for window, value in uneven.items()}
    joined = pool(minute_bursts(20.0, twice), mean_s, scv, 2 * servers)
    for name in ("wait_mean_s", "wait_quantile_s", "ttft_quantile_s"):
        assert getattr(spare, name) <= getattr(alone, name) * slack + 1e-9
        assert getattr(joined, name) <= getattr(alone, name) * slack + 1e-9


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"requests": [1, -1]}, "requests must be finite and at least 0"),
        ({"requests": [1, np.nan]}, "requests must be finite"),
        ({"requests": [], "work": []}, "not all 0"),
        ({"requests": [0, 0]}, "not all 0"),
        ({"work": [1, 2, 3]}, "lists of one length"),
        ({"dispersion": {"60": 1.0}}, "dispersion must hold a window"),
        ({"dispersion": {"1": 1.0}}, "dispersion must hold the minute"),
        ({"dispersion": {"1": np.nan, "60": 1.0}}, "dispersion must be finite"),
        ({"lengths_frac": {0.5: 2.0, 0.99: 1.0}}, "quantiles must rise"),
    ],
)
def test_bad_logs_are_refused_in_words(change, said):
    good = {"requests": [1, 2], "work": [1, 2], "dispersion": {**CALM, "60": 1.0}}
    with pytest.raises(ValueError, match=said):
        logged_bursts(**(good | change))


def test_bad_pools_are_refused_in_words():
    log = minute_bursts(1.0, CALM)
    with pytest.raises(ValueError, match="service_mean_s must be finite and above 0"):
        pool(log, 0.0)
    with pytest.raises(ValueError, match=r"^service_scv must"):
        pool(log, scv=-1.0)
    with pytest.raises(ValueError, match=r"^busy_load must"):
        bursty_pool(log, 0.1, 1.0, 4, busy_load=0.0)
    with pytest.raises(ValueError, match="n_servers must be a whole number"):
        pool(log, servers=1.5)
    with pytest.raises(ValueError, match="quantile must be strictly between"):
        pool(log, quantile=1.0)
    with pytest.raises(ValueError, match="requests_per_s must be finite and above 0"):
        minute_bursts(0.0, CALM)
    with pytest.raises(ValueError, match="dispersion must hold a window"):
        minute_bursts(1.0, {})
