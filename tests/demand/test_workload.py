"""The sliders on demand: the ratio keeps total tokens; growth and drift reach the planned month."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import Scenario
from planner.demand.workload import audited_ratio, demands, growth, ratio

ONE = {
    "classes": [{"name": "chat", "input_tokens": 900, "output_tokens": 100, "requests_per_s": 2.0}],
    "demand_scale": 10,
    "growth_frac_per_year": 0.0,
    "ratio_in_18_months": None,
}


def only(**changes):
    return Scenario.read({**ONE, **changes})


def total_tokens_per_s(rows):
    return sum(row.mean_per_s * (row.input_tokens + row.output_tokens) for row in rows)


def test_the_audited_ratio_is_output_over_input_tokens():
    assert audited_ratio(only()) == pytest.approx(1 / 9)


def test_at_the_audited_ratio_no_length_changes():
    (row,) = demands(only(decode_to_prefill_token_ratio=1 / 9))
    assert (row.input_tokens, row.output_tokens) == pytest.approx((900, 100))


def test_the_ratio_slider_rescales_lengths_at_fixed_requests_and_total_tokens():
    """By hand: 1,000 tokens a request at 1 : 4 are 800 in and 200 out."""
    (row,) = demands(only(decode_to_prefill_token_ratio=0.25))
    assert (row.input_tokens, row.output_tokens) == pytest.approx((800, 200))
    assert row.mean_per_s == pytest.approx(20)


@given(wanted=st.floats(0.02, 20))
@settings(deadline=None)
def test_total_tokens_and_ratio_hold_over_several_classes(wanted):
    base = {"planning_month": 0, "ratio_in_18_months": None}
    before = demands(Scenario.read(base))
    after = demands(Scenario.read(base | {"decode_to_prefill_token_ratio": wanted}))
    assert total_tokens_per_s(after) == pytest.approx(total_tokens_per_s(before), rel=2e-3)
    inputs = sum(row.mean_per_s * row.input_tokens for row in after)
    outputs = sum(row.mean_per_s * row.output_tokens for row in after)
    assert outputs / inputs == pytest.approx(wanted, rel=2e-2)


def test_growth_compounds_to_the_planning_month():
    assert growth(only(growth_frac_per_year=0.44), 18) == pytest.approx(1.2**3)


def test_drift_reaches_the_stated_ratio_in_month_18_from_the_audited_one():
    drifting = only(ratio_in_18_months=4 / 9)
    assert ratio(drifting, 0) == pytest.approx(1 / 9)
    assert ratio(drifting, 9) == pytest.approx(2 / 9)
    assert ratio(drifting, 18) == pytest.approx(4 / 9)


def test_drift_multiplies_a_ratio_set_by_the_slider():
    drifting = only(ratio_in_18_months=2 / 9, decode_to_prefill_token_ratio=1)
    assert ratio(drifting, 18) == pytest.approx(2)


def test_the_peak_minute_scales_the_mean():
    (row,) = demands(Scenario.read(ONE | {"classes": [ONE["classes"][0] | {"peak_to_mean": 1.5}]}))
    assert row.peak_per_s == pytest.approx(1.5 * row.mean_per_s)


def test_a_prefix_cache_leaves_fewer_tokens_to_compute():
    scenario = Scenario.read(ONE | {"classes": [ONE["classes"][0] | {"cache_hit_frac": 0.25}]})
    (row,) = demands(scenario)
    assert row.fresh_tokens(prefix_cache=True) == pytest.approx(675)
    assert row.fresh_tokens(prefix_cache=False) == pytest.approx(900)
