"""What megawatts are worth, where a split begins to pay, and the accounts: by hand and by sense."""

from functools import cache

import pytest

import planner
from planner import Scenario
from planner.decision.accounts import account, flows_usd_by_year
from planner.decision.breakeven import break_evens
from planner.decision.megawatts import ways
from planner.decision.paper import paper, tax_frac_at_16_bit
from tests.stand_ins import PROFILES

# No interest, no tax, nothing grows or falls, chips last beyond the horizon.
PLAIN = {
    "wacc_frac": 0.0,
    "tax_frac": 0.0,
    "life_years": 10.0,
    "price_erosion_frac_per_year": 0.0,
    "component_drift_frac_per_year": 0.0,
}


@cache
def plan_of(profile, **fields):
    return planner.plan(Scenario.read({"profile": profile, **fields}))


def answer(profile, finance=None, site=None, operator=None, **fields):
    parts = {"finance": finance, "site": site, "operator": operator}
    given = {name: part for name, part in parts.items() if part}
    return planner.plan(Scenario.read({"profile": profile, **given, **fields}))


def worth(plan):
    return {way.id: way for way in ways(plan.sized, plan.money, plan.best, plan.stranded)}


class TestMegawatts:
    def test_new_power_by_hand(self):
        """Margin from the day it is energised to the horizon, less chips worn, less its capital."""
        plan = answer("hyperscaler", PLAIN, growth_frac_per_year=0.0)
        way, lines = worth(plan)["new"], plan.money.costs[plan.best]
        revenue = plan.money.sold[plan.best].revenue_usd
        fabric = plan.money.extras[plan.best].fabric
        kept_up = lines.support_usd_per_year + lines.staff_usd_per_year
        assert lines.licences_usd_per_year == 0
        margin = revenue - lines.energy_usd_per_year - kept_up - fabric
        # Five years of which sixteen quarters are waited; a tenth of the chips is worn in one.
        # Of their price 26 % is memory, a tenth dearer every year, the rest stands still.
        then, last = (0.74 + 0.26 * 1.1**years for years in (4, 5))
        capital = way.facility_mw * 12e6 + 0.5 * lines.capex_usd * (then - 0.9 * last)
        assert way.start_quarters == 16
        assert way.throughput_frac == 0.5
        assert way.npv_usd == pytest.approx(0.5 * margin * 1 - capital)

    def test_recovered_power_sells_no_more_than_is_turned_away(self):
        few, many = (worth(answer("axiom", backlog_frac=b))["recovered"] for b in (0.1, 5.0))
        assert few.throughput_frac == pytest.approx(0.1)
        freed = answer("axiom").stranded.extra_throughput_frac
        assert many.throughput_frac == pytest.approx(freed)

    def test_where_nobody_is_turned_away_a_megawatt_has_no_value(self):
        held = worth(answer("axiom", backlog_frac=0.0))
        assert held["recovered"].facility_mw == held["new"].facility_mw == 0
        assert held["recovered"].npv_usd == held["new"].npv_usd == 0
        assert held["new"].usd_per_mw is None

    def test_recovered_power_is_there_sooner_and_worth_more_than_new(self):
        held = worth(plan_of("axiom"))
        assert held["recovered"].start_quarters < held["new"].start_quarters
        assert held["recovered"].usd_per_mw > held["new"].usd_per_mw

    def test_dearer_and_later_power_is_worth_less(self):
        held = [
            worth(answer("neocloud", site=site))["new"].usd_per_mw
            for site in ({}, {"new_power_quarters": 18}, {"colocation_usd_per_kw_month": 400})
        ]
        assert held[0] > held[1]
        assert held[0] > held[2]

    def test_chips_still_have_to_arrive_where_power_is_at_once(self):
        held = answer("axiom", site={"new_power_quarters": 0}).as_dict(flips=False)
        assert held["headline"]["speed_to_power_quarters"]["new"] == 2

    @pytest.mark.parametrize("profile", PROFILES)
    def test_a_rebuilt_fleet_is_worth_what_its_plan_is(self, profile):
        plan = plan_of(profile)
        assert worth(plan)["rebuild"].npv_usd == plan.money.npv_usd[plan.best]

    def test_eighteen_months_ahead_has_its_own(self):
        later = plan_of("axiom", planning_month=0).as_dict(flips=False)["headline"]["at_18_months"]
        assert list(later["usd_per_mw"]) == ["recovered", "new", "rebuild"]
        assert later["speed_to_power_quarters"]["new"] == 16


class TestBreakEven:
    def held(self, **fields):
        plan = answer("enterprise", **fields)
        return {row["input"]: row for row in break_evens(plan)}["demand_scale"]

    def test_beyond_it_a_split_is_cheaper_and_below_it_is_not(self):
        row = self.held()
        assert row["pays"] == "above"
        for factor, split in ((1.25, True), (0.8, False)):
            plan = answer("enterprise", demand_scale=row["value"] * factor)
            cost = plan.money.cost_usd_per_year
            options = [name for name in plan.money.costs if name != "split-specialised"]
            feasible = [name for name in options if plan.fleets[name].feasible]
            assert plan.fleets[min(feasible, key=cost)].split is split

    def test_a_smaller_team_takes_a_smaller_fleet(self):
        assert self.held(operator={"engineers": 1})["value"] < self.held()["value"]

    def test_names_the_fleet_at_which_it_pays(self):
        row = self.held()
        assert row["n_accelerators"] > 0
        assert row["facility_mw"] > 0


@pytest.mark.parametrize("profile", PROFILES)
class TestAccounts:
    def test_lines_add_up(self, profile):
        for option in ("as-built", "split-mixed"):
            held = account(plan_of(profile), option)
            for name in ("revenue_usd_per_year", "cost_usd_per_year"):
                *lines, total = held[name].values()
                assert sum(lines) == pytest.approx(total, rel=1e-12)

    def test_years_are_sums_of_quarters(self, profile):
        plan = plan_of(profile)
        years, flows = flows_usd_by_year(plan, "split-mixed"), plan.flows_usd("split-mixed")
        assert len(years) == 1 + plan.scenario.horizon_years
        assert years[0] == flows[0]
        assert years[2] == pytest.approx(sum(flows[5:9]))
        assert sum(years) == pytest.approx(sum(flows))

    def test_paper_that_passes_on_only_its_saving_is_dearer(self, profile):
        held = paper(plan_of(profile), searched=False)
        prices = {row["accelerator"]: row["vendor_less_saving_usd"] for row in held["chips"]}
        # An H100 at 30,000 $ that costs 1,035 $ to make; SPAD's chips cost 493 and 907 $.
        assert prices == {"spad-prefill": 29_458, "spad-decode": 29_872}
        assert held["tax_frac_vendor_less_saving"] < held["tax_frac_by_elasticity"]
        assert held["tax_frac_at_16_bit"] is None


class TestEqualPrecision:
    def test_where_all_is_at_16_bits_already_it_is_the_paper_tax(self):
        wide = {"weight_precision": "bf16", "kv_precision": "bf16"}
        same = {"software": wide, "available_software": wide}
        plan = planner.plan(Scenario.read({"profile": "axiom", **same}))
        held = paper(plan, searched=True)
        assert held["tax_frac_at_16_bit"] == pytest.approx(held["tax_frac_by_elasticity"])

    def test_part_of_what_paper_gains_rests_on_the_rate_it_is_assumed_to_have_at_8_bits(self):
        plan = plan_of("axiom")
        assumed = paper(plan, searched=False)["tax_frac_by_elasticity"]
        assert 0 < tax_frac_at_16_bit(plan) < assumed
