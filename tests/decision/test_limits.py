"""Limits of capital, space and power: what is barred, and what more would be needed."""

import pytest

from planner.decision.plan import plan
from planner.demand.scenario import Scenario


def answered(profile="hyperscaler", **given):
    return plan(Scenario.read({"profile": profile} | given), n_samples=64)


def test_without_limits_nothing_is_barred():
    assert not answered().barred


def test_what_costs_more_than_the_budget_is_not_recommended():
    free = answered()
    spent = float(free.money.cash["split-mixed"].purchase_usd)
    tight = answered(finance={"capital_budget_usd": spent / 2})
    assert spent > 0
    assert "split-mixed" in tight.barred
    assert tight.verdict.option_id != "split-mixed"
    assert float(tight.money.cash[tight.verdict.option_id].purchase_usd) <= spent / 2
    assert "of new chips where" in tight.barred["split-mixed"]


def test_without_any_capital_only_what_buys_nothing_is_open():
    tight = answered(finance={"capital_budget_usd": 0.0})
    buys = {name for name, cash in tight.money.cash.items() if cash.purchase_usd > 0}
    assert set(tight.barred) == buys - {"as-built"}
    assert tight.verdict.option_id not in tight.barred


def test_without_racks_the_fleet_stays():
    none = answered("axiom", site={"n_racks": 0})
    assert none.verdict.action == "stay"
    assert "racks where there are 0" in none.barred["monolithic-software"]


@pytest.mark.parametrize("budget", [0.0, 1.0])
def test_too_little_power_says_what_it_feeds_and_what_would_feed_all(budget):
    caveats = answered("axiom", power_budget_mw=budget).as_dict(flips=False)["caveats"]
    said = [line for line in caveats if line.startswith("A power budget of")]
    assert len(said) == 1
    assert "would feed all of it" in said[0]


def test_enough_power_says_nothing():
    caveats = answered("axiom", power_budget_mw=100.0).as_dict(flips=False)["caveats"]
    assert not [line for line in caveats if line.startswith("A power budget of")]
