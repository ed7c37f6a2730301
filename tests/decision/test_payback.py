"""When the cash is back: the middle future and its range, and not the stated values instead."""

import math

import numpy as np
import pytest

from planner import Scenario, plan
from planner.decision.payback import Payback, middle_and_ends

N = 256


def by_hand(flows):
    """Years until the running sum of one future stays at or above zero."""
    total = np.cumsum(flows)
    if total[-1] <= 0:
        return math.inf
    out = [quarter for quarter, usd in enumerate(total) if usd < 0]
    return (out[-1] + 1) / 4 if out else 0.0


@pytest.mark.parametrize("profile", ["axiom", "hyperscaler", "sovereign"])
def test_the_range_is_that_of_the_futures(profile):
    held = plan(Scenario(profile=profile), n_samples=N)
    option = held.verdict.option_id
    years = sorted(by_hand(row) for row in held.sampled_flows_usd(option))
    found = held.payback(option)
    ends = [years[math.ceil(share * N) - 1] for share in (0.1, 0.5, 0.9)]
    assert list(found.drawn_years) == ends
    assert found.stated_years == by_hand(held.flows_usd(option))


def test_where_few_futures_are_paid_back_by_the_stated_date_the_figure_is_a_later_one():
    held = plan(Scenario(), n_samples=N)
    found = held.payback("monolithic-software")
    in_time = [
        by_hand(row) <= found.stated_years for row in held.sampled_flows_usd("monolithic-software")
    ]
    assert np.mean(in_time) < 0.5
    assert found.drawn_years[1] > found.stated_years
    assert found.figure == f"{found.drawn_years[1]:g} years"
    assert f"at stated values {found.stated_years:g} years" in found.spread


@pytest.mark.parametrize(
    ("drawn", "sentence"),
    [
        ((2.25, 3.25, 5.0), "paid back in 3.25 years (2.25 to 5)"),
        ((0.0, 0.0, 0.0), "pays from the start"),
        ((2.0, 4.0, math.inf), "paid back in 4 years (2 to later than the horizon)"),
        ((2.0, math.inf, math.inf), "not paid back within the horizon in most futures"),
    ],
)
def test_a_future_that_is_never_paid_back_counts_as_later(drawn, sentence):
    assert Payback(1.0, drawn).sentence == sentence


def test_of_draws_that_never_pay_the_ends_stay_infinite():
    assert middle_and_ends(np.array([1.0, 2.0, math.inf])) == (1.0, 2.0, math.inf)


def test_without_samples_it_says_that_it_is_at_stated_values():
    assert Payback(2.75, None).figure == "2.75 years, at stated values"
    assert Payback(None, None).figure == "not within the horizon, at stated values"
