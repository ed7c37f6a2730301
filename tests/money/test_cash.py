"""Cash: textbook projects first, then flows by hand, what taxes see, and the cost of waiting."""

from dataclasses import astuple, fields, replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from planner.money.cash import (
    Plan,
    Terms,
    flows_usd,
    irr_frac,
    npv_usd,
    payback_years,
    paybacks_years,
    waiting_usd_per_quarter,
)

NOTHING = Plan(*[0.0] * len(fields(Plan)))
# Five years, twenty quarters; no interest, no tax, no growth, prices stand still, chips last.
PLAIN = Terms(
    horizon_years=5.0,
    planning_years=0.0,
    growth_frac_per_year=0.0,
    wacc_frac=0.0,
    tax_frac=0.0,
    life_years=5.0,
    price_erosion_frac_per_year=0.0,
    component_drift_frac_per_year=0.0,
    memory_drift_frac_per_year=0.0,
    memory_share_frac=0.0,
    gap_closing_frac_per_year=0.0,
)
CARRYING_ON = replace(NOTHING, running_usd_per_year=40.0, interim_frac=1.0)
USD = st.floats(0, 1e6)
STARTS = st.integers(0, 19)


def terms(**changes):
    return replace(PLAIN, **changes)


def option(**changes):
    return replace(NOTHING, **({"interim_frac": 1.0} | changes))


def flows(plan, base=NOTHING, held=PLAIN, **how):
    return flows_usd(plan, base, held, **how)


def yearly(*usd):
    """Quarterly flows with one amount at the end of each year, the first today."""
    held = np.zeros(4 * (len(usd) - 1) + 1)
    held[::4] = usd
    return held


class TestTextbookProjects:
    """1,000 today for 300 at the end of each of five years."""

    PROJECT = yearly(-1000, 300, 300, 300, 300, 300)

    @pytest.mark.parametrize(("rate", "npv"), [(0.0, 500), (0.10, 137.24), (0.15238, 0.0)])
    def test_net_present_value(self, rate, npv):
        # 300 × (P/A, 10 %, 5) − 1000 = 300 × 3.7908 − 1000.
        assert npv_usd(self.PROJECT, terms(wacc_frac=rate)) == pytest.approx(npv, abs=0.01)

    def test_internal_rate_of_return(self):
        rate, reason = irr_frac(self.PROJECT)
        assert rate == pytest.approx(0.15238, abs=1e-5)
        assert reason == ""

    def test_payback_in_the_fourth_year(self):
        assert payback_years(self.PROJECT) == (4, "")

    def test_a_loan_of_one_year_at_ten_percent(self):
        assert irr_frac(yearly(-100, 110))[0] == pytest.approx(0.1)

    def test_of_cents_is_that_of_dollars(self):
        assert irr_frac(yearly(-1.0, 1.1) / 100)[0] == pytest.approx(0.1)

    def test_of_a_loan_taken_a_quarter_later_is_the_same(self):
        assert irr_frac(np.append(0, yearly(-100, 110)))[0] == pytest.approx(0.1)

    def test_a_pump_with_two_rates_says_so(self):
        # Lorie and Savage (1955): −1600, 10000, −10000 has 25 % and 400 %.
        pump = yearly(-1600, 10_000, -10_000)
        assert irr_frac(pump) == (None, "The cash flows have 2 internal rates of return.")
        for rate in (0.25, 4.0):
            assert npv_usd(pump, terms(wacc_frac=rate)) == pytest.approx(0, abs=1e-6)

    def test_a_project_without_any_rate_says_so(self):
        # 1000, −3000, 2500: worth something at every rate (Brealey and Myers).
        never = yearly(1000, -3000, 2500)
        assert irr_frac(never) == (
            None,
            "No internal rate of return lies between −99% and 1,000% a year.",
        )

    def test_a_rate_beyond_all_measure_is_not_denied(self):
        # Software that pays back a hundredfold in a quarter: one change of sign, so one rate.
        pays = np.array([-0.32, 30.77, 1.85, 1.73, 1.76])
        assert irr_frac(pays) == (
            None,
            "No internal rate of return lies between −99% and 1,000% a year.",
        )

    def test_a_loss_of_all_but_everything_is_no_second_rate(self):
        # 100 today, 110 in a year, and next to nothing to pay long after: 10 %, not "two rates".
        found, why = irr_frac(yearly(-100, 110, 0, 0, 0, -1e-9))
        assert (round(found, 4), why) == (0.1, "")

    @pytest.mark.parametrize("sign", [1, -1])
    def test_flows_of_one_sign_have_no_rate(self, sign):
        said = "The cash flows never change sign, so there is no internal rate of return."
        assert irr_frac(sign * yearly(10, 20, 30)) == (None, said)
        assert irr_frac(yearly(0, 0)) == (None, said)

    @given(st.floats(-0.5, 3), st.integers(1, 5))
    def test_a_bond_at_par_returns_its_coupon(self, coupon, years):
        bond = yearly(-100, *[100 * coupon] * (years - 1), 100 * (1 + coupon))
        if coupon > 0:
            assert irr_frac(bond)[0] == pytest.approx(coupon, abs=1e-7)

    @given(st.floats(0, 1), st.floats(0, 1))
    def test_a_higher_rate_never_values_an_investment_more(self, one, other):
        low, high = sorted((one, other))
        values = [npv_usd(self.PROJECT, terms(wacc_frac=rate)) for rate in (low, high)]
        assert values[0] >= values[1]


class TestPayback:
    def test_in_quarters_of_a_year(self):
        assert payback_years(np.array([-10.0, 4, 4, 4])) == (0.75, "")

    def test_counts_until_the_sum_stays_positive(self):
        assert payback_years(np.array([-10.0, 20, -15, 10])) == (0.75, "")

    def test_of_what_never_costs_anything_is_at_once(self):
        assert payback_years(np.array([0.0, 1, 1])) == (0, "")

    def test_of_cents_is_that_of_dollars(self):
        assert payback_years(np.array([-0.1, 0.04, 0.04, 0.04])) == (0.75, "")

    @pytest.mark.parametrize("last", [4, 6])
    def test_of_what_earns_nothing_above_its_outlay_is_none_and_says_so(self, last):
        said = "The outlay is not earned back within the horizon."
        assert payback_years(np.array([-10.0, 4, last])) == (None, said)

    def test_row_by_row_is_that_of_each_row_and_never_is_infinite(self):
        rows = np.array([[-10.0, 4, 4, 4], [-10, 20, -15, 10], [0, 1, 1, 1], [-10, 4, 4, 2]])
        assert paybacks_years(rows).tolist() == [0.75, 0.75, 0, np.inf]


class TestFlowsByHand:
    def test_savings_begin_after_the_start(self):
        held = flows(option(start_quarters=2.0), CARRYING_ON)
        assert held.tolist() == [0, 0, 0] + [10] * 18

    def test_a_start_within_a_quarter_waits_for_its_end(self):
        assert flows(option(start_quarters=1.5), CARRYING_ON).tolist() == [0, 0, 0] + [10] * 18

    def test_chips_are_paid_at_the_start_and_what_is_left_counts_at_the_horizon(self):
        # Twenty quarters of life, sixteen used: a fifth is left.
        held = flows(option(purchase_usd=100.0, start_quarters=4.0))
        assert (held[4], held[-1]) == (-100, pytest.approx(20))
        assert held.sum() == pytest.approx(-80)

    def test_chips_are_replaced_when_their_life_ends(self):
        # Bought at quarters 0, 8 and 16; half a life is left at 20.
        held = flows(option(purchase_usd=100.0), held=terms(life_years=2.0))
        assert np.flatnonzero(held == -100).tolist() == [0, 8, 16]
        assert held[-1] == pytest.approx(50)

    @pytest.mark.parametrize(("start", "life"), [(0.0, 5.0), (4.0, 2.0), (6.0, 3.5)])
    def test_of_chips_whose_life_ends_at_the_horizon_nothing_is_left(self, start, life):
        held = flows(option(purchase_usd=100.0, start_quarters=start), held=terms(life_years=life))
        assert held[-1] == 0

    def test_chips_that_last_a_quarter_are_bought_every_quarter(self):
        held = flows(option(purchase_usd=100.0), held=terms(life_years=0.25))
        assert held.tolist() == [-100] * 20 + [0]

    @pytest.mark.parametrize("start", [20.0, 24.0])
    def test_a_start_at_the_horizon_or_beyond_buys_sells_and_earns_nothing(self, start):
        late = option(purchase_usd=100.0, resale_usd=30.0, start_quarters=start)
        assert not flows(late, CARRYING_ON).any()

    def test_a_start_in_the_last_quarter_buys_sells_and_earns_for_one(self):
        # 19 of 20 quarters of life are left at the horizon, beside a quarter of 40 a year saved.
        late = option(purchase_usd=100.0, resale_usd=30.0, start_quarters=19.0)
        assert flows(late, CARRYING_ON).tolist() == pytest.approx([0] * 19 + [-70, 95 + 10])

    def test_displaced_chips_are_sold_at_the_start(self):
        held = flows(option(resale_usd=30.0, start_quarters=4.0))
        assert np.flatnonzero(held).tolist() == [4]
        assert held[4] == 30

    def test_chips_idle_either_way_are_sold_at_the_decision_whenever_the_change_starts(self):
        held = flows(option(resale_usd=30.0, surplus_resale_usd=50.0, start_quarters=4.0))
        assert np.flatnonzero(held).tolist() == [0, 4]
        assert held[[0, 4]].tolist() == [50, 30]
        late = flows(option(surplus_resale_usd=50.0, start_quarters=4.0), delay_quarters=3)
        assert np.flatnonzero(late).tolist() == [0]

    @pytest.mark.parametrize("start", [0.0, 1.0, 6.0, 24.0])
    def test_what_both_sell_is_no_outlay_of_the_change(self, start):
        # 32 of spare chips sold in both cases, 90 of book over ten quarters: nothing between them.
        spare = {"surplus_resale_usd": 32.0, "surplus_book_usd": 90.0, "surplus_years": 2.5}
        base = replace(CARRYING_ON, **spare)
        plan = option(running_usd_per_year=40.0, start_quarters=start, **spare)
        assert flows(plan, base, terms(tax_frac=0.25)).tolist() == [0] * 21

    def test_spare_chips_that_a_plan_puts_to_work_cost_what_they_would_fetch(self):
        base = replace(CARRYING_ON, surplus_resale_usd=32.0)
        held = flows(option(running_usd_per_year=40.0, start_quarters=2.0), base)
        assert held.tolist() == [-32] + [0] * 20

    def test_setting_up_is_paid_today_and_the_team_from_then_on(self):
        held = flows(option(setup_usd=5.0, team_usd_per_year=4.0, start_quarters=4.0))
        assert held.tolist() == [-5] + [-1] * 20

    def test_until_a_plan_starts_the_owned_chips_do_what_they_can(self):
        # Half of 80 a year of margin is lost for four quarters; then all is as before.
        base = replace(NOTHING, revenue_usd_per_year=80.0)
        held = flows(option(revenue_usd_per_year=80.0, start_quarters=4.0, interim_frac=0.5), base)
        assert held.tolist() == [0] + [-10] * 4 + [0] * 16

    def test_revenue_falls_with_token_prices_and_cost_does_not(self):
        plan = option(revenue_usd_per_year=40.0, running_usd_per_year=4.0)
        held = flows(plan, held=terms(price_erosion_frac_per_year=0.1))
        assert held[[4, 8, 20]] == pytest.approx([8, 7.1, 10 * 0.9**5 - 1])

    def test_demand_grows_until_the_fleet_is_full(self):
        # Doubling every year, full after one: half today, all from then on.
        plan = option(revenue_usd_per_year=44.0, energy_usd_per_year=4.0)
        held = flows(plan, held=terms(growth_frac_per_year=1.0, planning_years=1.0))
        assert held[[2, 4, 8, 20]] == pytest.approx([10 / 2**0.5, 10, 10, 10])

    def test_hardware_bought_later_has_another_price(self):
        plan = option(purchase_usd=100.0, start_quarters=4.0)
        held = flows(plan, held=terms(component_drift_frac_per_year=-0.2))
        assert held[4] == pytest.approx(-80)

    def test_memory_in_it_has_a_price_of_its_own(self):
        # In two years a quarter of 100 grows by half twice, the rest falls by a fifth twice.
        plan = option(purchase_usd=100.0, start_quarters=8.0)
        drifts = {"component_drift_frac_per_year": -0.2, "memory_drift_frac_per_year": 0.5}
        held = flows(plan, held=terms(memory_share_frac=0.25, **drifts))
        assert held[8] == pytest.approx(-(48 + 56.25))

    def test_against_itself_a_plan_is_worth_nothing(self):
        plan = Plan(*np.arange(1.0, 15.0))
        held = terms(tax_frac=0.21, price_erosion_frac_per_year=0.1, growth_frac_per_year=0.2)
        assert not flows(plan, plan, held).any()


class TestTaxes:
    HELD = terms(tax_frac=0.25)

    def test_savings_are_taxed_as_they_come(self):
        assert flows(option(), CARRYING_ON, self.HELD)[1:].tolist() == [7.5] * 20

    def test_chips_lower_taxes_over_their_life_not_when_bought(self):
        held = flows(option(purchase_usd=100.0, start_quarters=4.0), held=self.HELD)
        assert held[4] == -100
        assert held[5:-1] == pytest.approx([0.25 * 5] * 15)

    def test_book_value_moves_taxes_and_nothing_else(self):
        # 40 of book over eight quarters: written off at quarter 4 with 20 left, no longer after.
        displaced = {"displaced_book_usd": 40.0, "displaced_years": 2.0, "start_quarters": 4.0}
        held = flows(option(**displaced), held=self.HELD)
        assert held.tolist() == [0] * 4 + [0.25 * 20] + [-0.25 * 5] * 4 + [0] * 12
        assert not flows(option(**displaced)).any()

    def test_spare_chips_are_written_off_at_the_decision(self):
        # 40 of book over eight quarters, 10 received: 30 lost today, 5 a quarter no longer shed.
        spare = {"surplus_book_usd": 40.0, "surplus_years": 2.0, "surplus_resale_usd": 10.0}
        held = flows(option(start_quarters=4.0, **spare), held=self.HELD)
        assert held.tolist() == [10 + 0.25 * 30] + [-0.25 * 5] * 8 + [0] * 12

    def test_sold_above_book_the_gain_is_taxed(self):
        held = flows(option(resale_usd=30.0, start_quarters=4.0), held=self.HELD)
        assert held[4] == pytest.approx(0.75 * 30)

    @given(
        st.tuples(USD, USD, USD, USD, USD, USD, USD),
        STARTS,
        st.sampled_from([2.0, 3.0, 7.0, 11.0]),
        st.integers(1, 5),
    )
    def test_over_the_horizon_tax_takes_its_share_of_all_that_is_gained(
        self, usd, start, life, rest
    ):
        names = ("revenue", "energy", "running", "purchase", "resale", "displaced_book", "team")
        ends = ["_usd_per_year"] * 3 + ["_usd"] * 3 + ["_usd_per_year"]
        given_usd = {n + end: value for n, end, value in zip(names, ends, usd, strict=True)}
        plan = option(**given_usd, displaced_years=float(rest), start_quarters=float(start))
        assume((20 - start) % (4 * life))
        before = flows(plan, CARRYING_ON, terms(life_years=life)).sum()
        after = flows(plan, CARRYING_ON, terms(life_years=life, tax_frac=0.25)).sum()
        assert after == pytest.approx(0.75 * before, rel=1e-9, abs=1e-9 * (1 + sum(usd)))

    def test_book_is_counted_once_whatever_the_remaining_life(self):
        plan = option(displaced_book_usd=100.0, displaced_years=2.6, start_quarters=4.0)
        assert flows(plan, held=self.HELD).sum() == pytest.approx(0, abs=1e-9)

    def test_book_of_which_a_quarter_remains_is_written_off_instead_of_in_it(self):
        displaced = {"displaced_book_usd": 40.0, "displaced_years": 0.25}
        held = flows(option(**displaced), held=self.HELD)
        assert held.tolist() == [0.25 * 40, -0.25 * 40] + [0] * 19

    def test_a_replacement_is_depreciated_from_its_own_price(self):
        # 100 today for two years, 100 × 0.25 at quarter 8: 12.5, then 3.125 a quarter.
        halving = replace(self.HELD, life_years=2.0, component_drift_frac_per_year=-0.5)
        held = flows(option(purchase_usd=100.0), held=halving)
        assert held[1:8] == pytest.approx([0.25 * 12.5] * 7)
        assert held[8] == pytest.approx(0.25 * 12.5 - 25)
        assert held[9:16] == pytest.approx([0.25 * 3.125] * 7)

    def test_what_is_left_at_the_horizon_is_worth_less_than_its_book(self):
        # Bought for 80 at quarter 4, a fifth of its life left: 16 of book fetch 32.768 / 5.
        falling = replace(self.HELD, component_drift_frac_per_year=-0.2)
        held = flows(option(purchase_usd=100.0, start_quarters=4.0), held=falling)
        assert held[5:-1] == pytest.approx([0.25 * 4] * 15)
        assert held[-1] == pytest.approx(6.5536 + 0.25 * (4 + 16 - 6.5536))

    @pytest.mark.parametrize(("start", "life"), [(4.0, 5.0), (6.0, 2.0), (0.0, 3.0)])
    def test_a_loss_on_what_is_left_is_deducted_too(self, start, life):
        plan = option(purchase_usd=100.0, start_quarters=start)
        falling = terms(component_drift_frac_per_year=-0.2, life_years=life)
        before = flows(plan, held=falling).sum()
        after = flows(plan, held=replace(falling, tax_frac=0.25)).sum()
        assert after == pytest.approx(0.75 * before)


class TestWaiting:
    def cost(self, plan, base=CARRYING_ON, **changes):
        return waiting_usd_per_quarter(plan, base, terms(**changes))

    def test_a_saving_that_starts_a_quarter_later_is_a_quarter_of_it_lost(self):
        assert self.cost(option()) == pytest.approx(10)

    def test_what_changes_nothing_costs_nothing_to_wait_for(self):
        assert self.cost(CARRYING_ON) == pytest.approx(0)

    def test_waiting_pays_while_hardware_falls_fast(self):
        chips = option(purchase_usd=200.0, start_quarters=2.0)
        assert self.cost(chips) == pytest.approx(0)
        # At −40 % a year the price falls from 154.92 to 136.35, 0.78 more is left, 10 not saved.
        falling = self.cost(chips, component_drift_frac_per_year=-0.4)
        assert falling == pytest.approx(10 - (154.92 - 136.35) - 0.78, abs=0.01)

    def test_a_gap_that_closes_costs_more_to_wait_for(self):
        # A fifth of the saving is gone in a year: 1 − 0.8^(1/4) of 190 on top of the 10.
        closing = self.cost(option(), gap_closing_frac_per_year=0.2)
        assert closing == pytest.approx(10 + 190 * (1 - 0.8**0.25))

    def test_a_year_late_a_fifth_of_the_saving_is_gone(self):
        held = flows(option(), CARRYING_ON, terms(gap_closing_frac_per_year=0.2), delay_quarters=4)
        assert held[4:].tolist() == pytest.approx([0] + [8] * 16)


class TestDirections:
    BASE = replace(CARRYING_ON, revenue_usd_per_year=100.0)

    def npv(self, held=PLAIN, **changes):
        plan = {"revenue_usd_per_year": 100.0, "running_usd_per_year": 20.0} | changes
        held = replace(held, wacc_frac=0.1, tax_frac=0.21)
        return npv_usd(flows(option(**plan), self.BASE, held), held)

    @pytest.mark.parametrize(
        "field",
        [
            "energy_usd_per_year",
            "running_usd_per_year",
            "purchase_usd",
            "setup_usd",
            "team_usd_per_year",
            "start_quarters",
        ],
    )
    def test_what_costs_or_takes_more_is_worth_less(self, field):
        values = [self.npv(**{field: amount}) for amount in (2.0, 4.0, 8.0)]
        assert values == sorted(set(values), reverse=True)

    @pytest.mark.parametrize("field", ["revenue_usd_per_year", "resale_usd", "displaced_book_usd"])
    def test_what_brings_more_is_worth_more(self, field):
        sold = {"displaced_years": 4.0, "start_quarters": 2.0}
        values = [self.npv(**(sold | {field: amount})) for amount in (2.0, 4.0, 8.0)]
        assert values == sorted(set(values))

    @given(st.tuples(*[USD] * 11), st.floats(1e-3, 1e3))
    def test_p3_knows_no_currency(self, values, rate):
        plan = Plan(*values[:9], start_quarters=4.0, interim_frac=0.5)
        plan = replace(plan, displaced_years=2.0)
        money = {f.name: getattr(plan, f.name) * rate for f in fields(Plan) if "usd" in f.name}
        held = terms(tax_frac=0.21, wacc_frac=0.1)
        one = npv_usd(flows(plan, CARRYING_ON, held), held)
        there = replace(CARRYING_ON, running_usd_per_year=40.0 * rate)
        other = npv_usd(flows(replace(plan, **money), there, held), held)
        scale = 1 + sum(values)
        assert other == pytest.approx(rate * one, rel=1e-6, abs=1e-6 * rate * scale)


def test_samples_together_are_samples_one_by_one():
    rng = np.random.default_rng(0)
    one, other = (rng.uniform(1, 10, (14, 30)) for _ in range(2))
    rates = rng.uniform(0.01, 0.4, (8, 30))
    lives = rng.uniform(2, 6, 30)
    held = Terms(5.0, 1.5, rates[0], rates[1], rates[2], lives, *rates[3:])
    together = flows_usd(Plan(*one), Plan(*other), held)
    values = npv_usd(together, held)
    waits = waiting_usd_per_quarter(Plan(*one), Plan(*other), held)
    for k in range(30):
        each = Terms(*(float(x[k]) if np.ndim(x) else x for x in astuple(held)))
        plan, base = Plan(*one[:, k]), Plan(*other[:, k])
        alone = flows_usd(plan, base, each)
        assert together[k] == pytest.approx(alone, rel=1e-12, abs=1e-12)
        assert values[k] == pytest.approx(float(npv_usd(alone, each)), rel=1e-12)
        waited = float(waiting_usd_per_quarter(plan, base, each))
        assert waits[k] == pytest.approx(waited, rel=1e-9, abs=1e-9)
