"""The next 18 months: a trend that is known, and growth and scenarios where none can be read."""

from datetime import UTC, datetime

import numpy as np
import pytest

from planner import Scenario, adopted, load_catalog
from planner.decision.audited import timed
from planner.demand.audit import audit
from planner.demand.logs.limits import DEFAULT_LIMITS
from planner.demand.logs.results import Range
from planner.demand.metrics.adding_up import audit_of
from planner.demand.metrics.counted import Counts, ModelCounts
from planner.demand.metrics.names import Measure
from planner.demand.outlook import outlooks, product
from planner.demand.trend import DAYS_AHEAD, trend
from planner.demand.workload import audited_ratio

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
GROWTH = Range(0.0, 0.2, 0.5)


def hourly_audit(days, growth_a_day=0.0, ratio_a_day=0.0, noise=0.0, seed=0):
    """An hourly count with a quiet weekend, exponential growth and a drift of the ratio."""
    hours = np.arange(24 * days)
    day = hours // 24
    draw = np.random.default_rng(seed)
    daily = np.exp(draw.normal(0, noise, days))[day]
    weekend = np.where(day % 7 >= 5, 0.5, 1.0)
    requests = np.rint(20_000 * weekend * daily * np.exp(growth_a_day * hours / 24))
    model = ModelCounts()
    model.counters[Measure.REQUESTS] = requests
    model.counters[Measure.INPUT] = requests * 1000
    model.counters[Measure.OUTPUT] = np.rint(requests * 200 * np.exp(ratio_a_day * hours / 24))
    starts = datetime(2025, 6, 2, tzinfo=UTC)  # a Monday
    return audit_of("counts", Counts({"m": model}, starts, 3600, len(hours), 1), DEFAULT_LIMITS)


def test_a_known_growth_comes_back():
    """Growth of 1 in 1000 a day is e^0.5479 = 1.73 in 18 months; the ratio falls as made."""
    found = trend(hourly_audit(120, growth_a_day=1e-3, ratio_a_day=-5e-4), DEFAULT_LIMITS)
    assert found.requests.value == pytest.approx(np.exp(1e-3 * DAYS_AHEAD), rel=2e-3)
    assert found.ratio.value == pytest.approx(np.exp(-5e-4 * DAYS_AHEAD), rel=2e-3)
    assert found.n_days == 118  # the first and the last day are not whole for certain


def test_eight_of_ten_ranges_hold_the_truth():
    """Of 200 noisy logs without any growth, four in five ranges hold a factor of one."""
    held = [
        found.requests.low <= 1 <= found.requests.high
        for seed in range(100)
        if (found := trend(hourly_audit(70, noise=0.1, seed=seed), DEFAULT_LIMITS))
    ]
    assert len(held) == 100
    assert 0.70 <= np.mean(held) <= 0.95  # likeness of neighbours only ever widens


def test_a_short_log_shows_no_trend_and_the_growth_is_the_users():
    found = hourly_audit(20)
    assert trend(found, DEFAULT_LIMITS) is None
    rows = outlooks(found, GROWTH, load_catalog().number)
    assert rows[0].name == "Growth alone"
    assert rows[0].requests_factor.value == pytest.approx(1.2**1.5)
    assert rows[0].decode_to_prefill_token_ratio.value == pytest.approx(0.2)
    by_name = {row.name: row.decode_to_prefill_token_ratio for row in rows}
    assert by_name["Longer context"].value < 0.2 < by_name["Reasoning"].value
    assert by_name["Agents"].value < 0.2
    assert all(row.low < row.value < row.high for name, row in by_name.items() if " a" not in name)


def test_a_long_log_shows_its_own_trend():
    rows = outlooks(hourly_audit(120, growth_a_day=1e-3), GROWTH, load_catalog().number)
    assert rows[0].name == "Trend of the log"
    assert rows[0].requests_factor.value == pytest.approx(1.729, rel=0.01)


def test_an_adopted_log_keeps_how_far_its_ratio_is_expected_to_move(tmp_path):
    path = tmp_path / "log.csv"
    lines = "".join(f"{i},1000,10\n" for i in range(600))
    path.write_text(f"seconds,prompt_tokens,completion_tokens\n{lines}")
    before = Scenario.read({"ratio_in_18_months": 0.3})
    held = adopted(before, audit(path))
    moved = held.ratio_in_18_months / audited_ratio(held)
    assert audited_ratio(held) == pytest.approx(0.01)
    assert moved == pytest.approx(0.3 / audited_ratio(before))
    same = Scenario.read({"ratio_in_18_months": None})
    assert adopted(same, audit(path)).ratio_in_18_months is None


def test_an_hour_of_one_request_is_no_end_of_the_hours(tmp_path):
    """Of 121 requests one, in an hour of its own, answers at length: not one in ten."""
    busy = "".join(f"{60 * i},1000,100\n" for i in range(120))
    path = tmp_path / "log.csv"
    path.write_text(f"seconds,prompt_tokens,completion_tokens\n{busy}{3 * 3600},1000,9000\n")
    rows = {row.name: row for row in timed(audit(path), Scenario()).sensitivity}
    late = rows["Hour at the 90th percentile of the ratio"]
    assert late.decode_to_prefill_token_ratio == pytest.approx(0.1)


def test_ranges_multiply_in_quadrature():
    """Two factors of two either way are together a factor of 2^sqrt(2) = 2.665."""
    both = product(Range(0.5, 1.0, 2.0), Range(1.0, 2.0, 4.0))
    assert (both.value, both.high / both.value) == pytest.approx((2.0, 2 ** (2**0.5)))


def test_time_shares_come_from_the_log_and_from_the_model(tmp_path):
    path = tmp_path / "log.csv"
    rows = "".join(f"{i},chat,1000,200,500,2000,250\n" for i in range(600))
    header = "seconds,class,prompt_tokens,completion_tokens,ttft_ms,latency_ms,cached_tokens\n"
    path.write_text(header + rows)
    found = timed(audit(path), Scenario())
    assert found.time.measured_frac == found.prefill_time_frac == pytest.approx(0.25)
    assert 0.3 < found.time.modelled_frac < 0.95
    assert found.time.by_class == {"chat": pytest.approx(found.time.modelled_frac)}
    assert found.line.by_time_ratio == pytest.approx(3.0)
    assert found.line.by_tokens_ratio == pytest.approx(0.2)
    rows = {row.name: row for row in found.sensitivity}
    assert rows["As audited"].prefill_time_frac == pytest.approx(found.time.modelled_frac)
    fresh = rows["Cached tokens not counted as read"]
    assert fresh.decode_to_prefill_token_ratio == pytest.approx(200 / 750)
    assert fresh.prefill_time_frac < found.time.modelled_frac
    then = {row.name: row.prefill_time_frac for row in found.in_18_months}
    assert then["Reasoning"] < found.time.modelled_frac < then["Longer context"]
