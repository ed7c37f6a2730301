"""Chips that nobody needs are sold at the decision whatever is decided: no outlay of the plan."""

import numpy as np
import pytest

from planner import Scenario, adopted, audit, plan
from planner.money.cash import irr_frac, payback_years


@pytest.fixture(scope="module", params=["azure_2023_code", "azure_2023_conversation"])
def held(request):
    """A fleet of 4,768 chips and a log that needs far fewer, as built and with software."""
    log = audit(f"hardware_catalog/traces/{request.param}.csv")
    return plan(adopted(Scenario(profile="axiom"), log))


def n_chips(held, option):
    """Chips in use; the backlog is served too, and both fit below the power ceiling."""
    sized = sum(pool.n_accelerators for pool in held.fleets[option].pools)
    return sized * (1 + held.scenario.backlog_frac)


def test_a_change_of_software_pays_its_roll_out_at_the_decision_and_nothing_else(held):
    engineers = held.ledger["estimates.money.rollout_engineers"]
    years = held.ledger["estimates.money.rollout_quarters"] / 4
    usd = engineers * years * held.ledger["operator.loaded_usd_per_year"]
    after_tax = usd * (1 - held.ledger["finance.tax_frac"])
    assert held.flows_usd("monolithic-software")[0] == pytest.approx(-after_tax)


def test_what_the_first_quarters_bring_is_the_resale_of_the_chips_that_are_freed(held):
    (row,) = held.scenario.owned
    tax, received = (
        held.ledger["finance.tax_frac"],
        1 - held.ledger["estimates.money.resale_haircut_frac"],
    )
    freed = n_chips(held, "as-built") - n_chips(held, "monolithic-software")
    left = 1 - 1 / (4 * (held.ledger["finance.life_years"] - row.age_years))
    got = freed * row.resale_usd * received
    by_hand = got + tax * (freed * row.book_usd * left - got)
    assert held.flows_usd("monolithic-software")[1] == pytest.approx(by_hand, rel=1e-6)


def test_no_rate_and_no_payback_rests_on_an_outlay_that_is_not_there(held):
    flows = np.asarray(held.flows_usd("monolithic-software"))
    rate, why = irr_frac(flows)
    assert rate is None
    assert "internal rate of return" in why
    assert payback_years(flows) == (0.25, "")


def test_all_that_is_sold_and_written_off_is_every_idle_chip(held):
    (row,) = held.scenario.owned
    received = 1 - held.ledger["estimates.money.resale_haircut_frac"]
    for option in ("as-built", "monolithic-software", "split-same-chip"):
        idle = row.n * (1 - held.scenario.training_frac) - n_chips(held, option)
        cash = held.money.cash[option]
        lost = idle * (row.book_usd - row.resale_usd * received)
        assert float(cash.written_off_usd) == pytest.approx(lost)
