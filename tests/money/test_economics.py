"""The yearly cost of a fleet, line by line, and what it earns: by hand and against DeepSeek."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.decision.assumptions import ledger_of
from planner.demand.scenario import Scenario
from planner.facts.catalog import load_catalog
from planner.facts.ledger import Ledger
from planner.fleet.pools import Activity
from planner.money.economics import (
    Costs,
    costs,
    j_per_useful_token,
    revenue_usd_per_kwh,
    usd_per_mtok,
)
from planner.money.volumes import Volumes
from tests.stand_ins import fleet, pool, register

CATALOG = load_catalog()
LINES = tuple(field.name for field in fields(Costs))
# Ten chips at 10,000 $ all in that draw 1 kW each: half of it at the chip.
NUMBERS = {
    "accelerators.h100-sxm.price_usd": 8000.0,
    "prices.capital.all_in_over_chip_price_frac": 1.25,
    "prices.running.it_support_frac_per_year": 0.04,
    "prices.running.facility_maintenance_frac_per_year": 0.02,
    "prices.running.staff_fte_per_mw": 2.0,
    "prices.running.it_staff_usd_per_hour": 40.0,
    "prices.running.loaded_over_wage_frac": 1.25,
    "prices.running.full_time_hours": 2000.0,
    "prices.memory.capital_share_frac": 0.25,
    "operator.licence_usd_per_chip_year": 300.0,
    "prices.life.facility_years": 10.0,
    "finance.wacc_frac": 0.0,
    "finance.life_years": 5.0,
    "site.pue": 1.25,
    "site.usd_per_kwh": 0.1,
    "site.new_power_usd_per_mw": 10e6,
    "site.colocation_usd_per_kw_month": 200.0,
    "accelerators.h100-sxm.tdp_w": 700.0,
    "accelerators.h100-sxm.idle_w": 100.0,
    "accelerators.h100-sxm.server_w": 1400.0,
    "accelerators.h100-sxm.rental_usd_per_hour": 2.0,
    "estimates.power.network_storage_w": 100.0,
    "estimates.power.overhead_draw_frac": 0.5,
    "power.bend_order": 2.0,
    "calibration.memory_j_per_byte": 0.0,
    "calibration.compute_weight": 2 / 3**0.5,  # x = 1/√3 at half of peak: half way to TDP
    "calibration.expert_order": 1.0,
}
HALF = Activity(0.5, 0.0)
POOL = pool(mean=HALF, peak=HALF, peak_to_mean=1.0)


def priced(basis="own", option=None, **changes):
    scenario = Scenario(profile="axiom", finance={"basis": basis})
    changed = {name.replace("__", "."): value for name, value in changes.items()}
    ledger = register(NUMBERS | changed, otherwise=ledger_of(scenario, CATALOG))
    return costs(option or fleet(POOL), scenario, CATALOG, ledger, ledger)


class TestByHand:
    """Ten chips, nameplate 1,500 W each; drawn 400 W at the chip and 400 W around it."""

    def test_capital_is_what_all_chips_cost_all_in(self):
        assert priced().capex_usd == pytest.approx(100_000)

    def test_capital_is_paid_off_over_the_life_of_the_chips(self):
        assert priced().capital_usd_per_year == pytest.approx(20_000)

    def test_a_share_of_capital_buys_memory(self):
        assert priced().memory_usd_per_year == pytest.approx(5_000)

    def test_halls_are_paid_off_over_their_life_and_kept_up(self):
        # 15 kW of nameplate at 10 $/W over ten years, and 2 % a year of it.
        assert priced().space_usd_per_year == pytest.approx(15_000 + 3_000)

    def test_staff_is_paid_by_the_megawatt(self):
        # 2 people a megawatt at 100,000 $ a year for 15 kW.
        assert priced().staff_usd_per_year == pytest.approx(3_000)

    def test_every_chip_needs_its_licence(self):
        assert priced().licences_usd_per_year == pytest.approx(3_000)

    def test_a_lower_cap_takes_less_space_and_no_less_energy(self):
        capped = priced(option=fleet(replace(POOL, power_cap_frac=0.6)))
        assert capped.space_usd_per_year == pytest.approx(1.2 * (15_000 - 10 * 0.4 * 700))
        assert capped.energy_usd_per_year == priced().energy_usd_per_year

    def test_energy_is_metered_at_the_facility(self):
        # 8 kW of IT at a PUE of 1.25 are 10 kW: 87,600 kWh at ten cents.
        assert priced().energy_kwh_per_year == pytest.approx(87_600)
        assert priced().energy_usd_per_year == pytest.approx(8_760)

    def test_support_is_a_share_of_capital(self):
        assert priced().support_usd_per_year == pytest.approx(4_000)

    def test_the_lines_add_up(self):
        held = priced()
        running = 18_000 + 8_760 + 4_000 + 3_000 + 3_000
        assert held.running_usd_per_year == pytest.approx(running)
        assert held.gross_usd_per_year == pytest.approx(20_000 + running)


class TestBasis:
    def test_colocation_rents_the_provisioned_kilowatts(self):
        held = priced("colocate")
        assert held.space_usd_per_year == pytest.approx(15 * 200 * 12)
        assert held.capital_usd_per_year == priced().capital_usd_per_year

    def test_a_rented_chip_costs_its_hours_and_its_licence(self):
        held = priced("rent")
        assert held.gross_usd_per_year == pytest.approx(10 * 2 * 8760 + 3_000)
        assert held.running_usd_per_year == held.licences_usd_per_year
        assert held.capex_usd == held.memory_usd_per_year == 0

    def test_rented_energy_is_metered_though_not_paid(self):
        assert priced("rent").energy_kwh_per_year == priced().energy_kwh_per_year

    def test_a_chip_that_nobody_sells_can_still_be_rented(self):
        # H100 NVL: no street price, 3.07 $/h to rent.
        held = priced("rent", fleet(pool(accelerator="h100-nvl")))
        assert held.capital_usd_per_year == pytest.approx(10 * 3.07 * 8760)


class TestSums:
    def test_a_fleet_costs_what_its_pools_cost(self):
        other = pool(role="decode", accelerator="mi300x", n_accelerators=16, tp=4, n_replicas=4)
        both = priced(option=fleet(POOL, other))
        one, two = priced(), priced(option=fleet(other))
        for line in LINES:
            total = getattr(one, line) + getattr(two, line)
            assert getattr(both, line) == pytest.approx(total, rel=1e-12)

    def test_a_sample_with_twice_the_demand_costs_twice_as_much(self):
        scenario = Scenario(profile="axiom", finance={"basis": "own"})
        nominal = register(NUMBERS, otherwise=ledger_of(scenario, CATALOG))
        double = {"demand_scale": 2 * nominal["demand_scale"]}
        busy = costs(fleet(POOL), scenario, CATALOG, register(double, otherwise=nominal), nominal)
        for line in LINES:
            assert getattr(busy, line) == pytest.approx(2 * getattr(priced(), line), rel=1e-12)

    @given(st.integers(1, 1000))
    def test_a_fleet_of_any_size_costs_the_same_per_chip(self, size):
        many = replace(POOL, n_accelerators=10 * size, n_replicas=5 * size, n_needed=4.0 * size)
        held = priced(option=fleet(many))
        assert held.gross_usd_per_year == pytest.approx(56_760 * size, rel=1e-9)


class TestDirections:
    @settings(max_examples=25)
    @given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["own", "colocate", "rent"]))
    def test_dearer_power_never_makes_a_fleet_cheaper(self, one, other, basis):
        low, high = (priced(basis, site__usd_per_kwh=usd) for usd in sorted((one, other)))
        assert high.gross_usd_per_year >= low.gross_usd_per_year

    @pytest.mark.parametrize(
        ("number", "better", "worse"),
        [
            ("site__pue", 1.1, 1.5),
            ("finance__wacc_frac", 0.05, 0.15),
            ("prices__running__it_support_frac_per_year", 0.02, 0.08),
            ("site__new_power_usd_per_mw", 7e6, 20e6),
            ("finance__life_years", 7.0, 3.0),
        ],
    )
    def test_what_is_worse_costs_more(self, number, better, worse):
        low, high = (priced(**{number: value}) for value in (better, worse))
        assert high.gross_usd_per_year > low.gross_usd_per_year


class TestPerUnit:
    SOLD = Volumes(0.0, 0.0, 168e9 * 365, 168e9 * 365, 0.0, 0.0, 562_027.0 * 365)

    def test_deepseeks_day_costs_52_cents_a_million_answers(self):
        # 226.75 nodes of eight at 2 $/h are 87,072 $ a day for 168 billion output tokens.
        day = 226.75 * 8 * 2 * 24
        assert day == pytest.approx(87_072)
        assert usd_per_mtok(365 * day, self.SOLD) == pytest.approx(0.52, abs=0.005)

    def test_revenue_by_the_kilowatt_hour(self):
        held = Costs(*[0.0] * (len(LINES) - 1), 365 * 56_202.7)
        assert revenue_usd_per_kwh(self.SOLD, held) == pytest.approx(10)

    def test_a_megawatt_over_a_million_useful_tokens_a_second_is_a_joule_each(self):
        tokens = 1e6 * 31_536_000
        assert j_per_useful_token(
            1e6, Volumes(0.0, 0.0, tokens, tokens, 0.0, 0.0, 0.0)
        ) == pytest.approx(1)


@settings(max_examples=3)
@given(st.integers(0, 2**31))
def test_samples_together_are_samples_one_by_one(seed):
    scenario = Scenario(profile="axiom")
    nominal = ledger_of(scenario, CATALOG)
    option = fleet(POOL, pool(role="decode", accelerator="b200-sxm", tp=1, n_replicas=10))
    costs(option, scenario, CATALOG, nominal, nominal)
    drawn = nominal.sampled(8, seed)
    together = costs(option, scenario, CATALOG, drawn, nominal)
    uncertain = [name for name, row in nominal.used.items() if row.low < row.high]
    for k in range(8):
        one = Ledger(nominal.find, {name: drawn[name][k] for name in uncertain})
        alone = costs(option, scenario, CATALOG, one, nominal)
        for line in LINES:
            sample = np.broadcast_to(getattr(together, line), 8)[k]
            assert sample == pytest.approx(getattr(alone, line), rel=1e-12)
