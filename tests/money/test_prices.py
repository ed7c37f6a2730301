"""Prices by the year: annuities of textbooks, published costs of ownership, rent, space, energy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from planner.decision.assumptions import ledger_of
from planner.demand.scenario import Scenario
from planner.facts.catalog import load_catalog
from planner.money.prices import (
    all_in_usd,
    annuity_frac,
    capital_usd_per_year,
    chip_usd,
    energy_usd_per_w_year,
    space_usd_per_w_year,
    usd_per_chip_year,
    vendor_less_saving_usd,
)
from tests.stand_ins import register

CATALOG = load_catalog()
RATES = st.floats(1e-6, 1)
YEARS = st.floats(0.5, 40)


def scenario(**finance):
    return Scenario.read({"profile": "axiom", "finance": finance})


def held(given, **numbers):
    """The register of a scenario with some numbers set by hand."""
    return register(numbers, otherwise=ledger_of(given, CATALOG))


class TestAnnuity:
    @pytest.mark.parametrize(
        ("rate", "years", "factor"),
        [(0.10, 5, 0.26380), (0.08, 10, 0.14903), (0.12, 20, 0.13388), (0.06, 3, 0.37411)],
    )
    def test_capital_recovery_factors_of_the_textbook(self, rate, years, factor):
        # Park, Contemporary Engineering Economics, interest tables, column (A/P).
        assert annuity_frac(rate, years) == pytest.approx(factor, abs=5e-6)

    @pytest.mark.parametrize("rate", [0.0, 1e-18, 1e-12, 1e-9])
    def test_without_interest_it_is_straight_line(self, rate):
        assert annuity_frac(rate, 5) == pytest.approx(0.2, rel=1e-8)

    def test_after_one_year_all_is_due_with_interest(self):
        assert annuity_frac(0.07, 1) == pytest.approx(1.07)

    def test_for_ever_only_interest_is_due(self):
        assert annuity_frac(0.07, 1e4) == pytest.approx(0.07)

    @given(st.floats(0, 1), st.integers(1, 30))
    def test_payments_are_worth_the_loan_today(self, rate, years):
        balance = 1.0
        for _ in range(years):
            balance = balance * (1 + rate) - float(annuity_frac(rate, years))
        assert balance == pytest.approx(0, abs=1e-9 * (1 + rate) ** years)

    @given(RATES, YEARS, st.floats(1, 3))
    def test_grows_with_the_rate_and_falls_with_the_years(self, rate, years, factor):
        base = annuity_frac(rate, years)
        assert annuity_frac(rate * factor, years) >= base * (1 - 1e-12)
        assert annuity_frac(rate, years * factor) <= base * (1 + 1e-12)

    def test_arrays_are_their_scalars(self):
        rates, years = np.array([0, 0.05, 0.1]), np.array([3.0, 5, 14])
        alone = [float(annuity_frac(r, n)) for r, n in zip(rates, years, strict=True)]
        assert annuity_frac(rates, years).tolist() == alone


class TestPublishedCosts:
    def test_an_h200_costs_1_15_an_hour_in_capital(self):
        # SemiAnalysis, neocloud: 45,157 $ all in, 10.25 %, six years of monthly payments.
        monthly = 45_157 * annuity_frac(0.1025 / 12, 6 * 12)
        assert monthly * 12 / 8760 == pytest.approx(1.15, rel=0.02)

    def test_the_planner_finds_the_same_for_the_same_chip(self):
        owned = scenario(basis="own", wacc_frac=0.1025, life_years=6)
        same = {
            "accelerators.h200-sxm.price_usd": 45_157.0,
            "prices.capital.all_in_over_chip_price_frac": 1.0,
        }
        yearly = capital_usd_per_year("h200-sxm", owned, CATALOG, held(owned, **same))
        assert yearly / 8760 == pytest.approx(1.15, rel=0.02)

    def test_its_power_and_space_cost_41_cents_an_hour(self):
        # 0.087 $/kWh at 80 % use and a PUE of 1.35 is 68.59 $/kW-month; 150 for the space; 1.37 kW.
        numbers = {"site.usd_per_kwh": 0.087, "site.colocation_usd_per_kw_month": 150.0}
        housed = scenario(basis="colocate")
        ledger = held(housed, **numbers)
        energy = energy_usd_per_w_year(ledger) * 0.8 * 1.35
        assert energy * 1e3 / 12 == pytest.approx(68.59, abs=0.01)
        space = space_usd_per_w_year(housed, ledger)
        assert 1370 * (energy + space) / 8760 == pytest.approx(0.41, abs=0.005)

    def test_one_rate_and_one_capital_explain_all_of_epochs_yearly_costs(self):
        # A gigawatt of GB200: 38 B$ upfront, 0.9 B$ a year to run, halls last 14 years. It costs
        # 8.5 B$ a year if chips last five years, 12 if three, 7 if seven.
        def chips(rate):
            halls = annuity_frac(rate, 14)
            return (8.5 - 0.9 - 38 * halls) / (annuity_frac(rate, 5) - halls)

        def yearly(rate, life):
            halls = (38 - chips(rate)) * annuity_frac(rate, 14)
            return 0.9 + halls + chips(rate) * annuity_frac(rate, life)

        rate = brentq(lambda r: yearly(r, 3) - 12, 0.01, 0.2)
        assert 0.05 < rate < 0.09
        assert yearly(rate, 7) == pytest.approx(7, abs=0.05)


class TestChips:
    def test_an_h200_all_in_is_what_semianalysis_counts(self):
        ledger = held(scenario())
        assert all_in_usd("h200-sxm", CATALOG, ledger) == pytest.approx(45_157, rel=1e-3)

    def test_a_gb200_is_its_share_of_a_rack_of_3_9_million(self):
        # 3.1 M$ the rack becomes 3.9 M$ all in; the street price is some tenth higher.
        ledger = held(scenario(), **{"accelerators.gb200-nvl72.price_usd": 3.1e6 / 72})
        assert 72 * all_in_usd("gb200-nvl72", CATALOG, ledger) == pytest.approx(3.9e6, rel=1e-3)

    @pytest.mark.parametrize(
        ("elasticity", "price"), [(0.0, 30_000), (1.0, 30_000 * 493 / 1035), (0.5, 22_145)]
    )
    def test_a_paper_chip_costs_what_an_h100_does_or_what_it_takes_to_make(self, elasticity, price):
        # SPAD's prefill chip: 493 $ to make against 1,035 $ of its H100.
        numbers = {
            "estimates.money.price_elasticity": elasticity,
            "accelerators.h100-sxm.price_usd": 30_000.0,
        }
        ledger = held(scenario(), **numbers)
        assert chip_usd("spad-prefill", CATALOG, ledger) == pytest.approx(price, rel=2e-3)

    def test_a_vendor_who_passes_on_the_saving_alone_takes_little_off(self):
        # 493 $ instead of 1,035 $ to make: 542 $ less than 30,000 $.
        ledger = held(scenario(), **{"accelerators.h100-sxm.price_usd": 30_000.0})
        assert vendor_less_saving_usd("spad-prefill", ledger) == pytest.approx(29_458, abs=1)

    def test_the_papers_own_h100_costs_an_h100(self):
        ledger = held(scenario())
        assert chip_usd("spad-h100", CATALOG, ledger) == chip_usd("h100-sxm", CATALOG, ledger)


class TestBasis:
    def test_a_rented_chip_costs_its_hours(self):
        rented = scenario(basis="rent")
        ledger = held(rented, **{"accelerators.h100-sxm.rental_usd_per_hour": 2.0})
        assert capital_usd_per_year("h100-sxm", rented, CATALOG, ledger) == 17_520
        assert usd_per_chip_year("h100-sxm", rented, CATALOG, ledger) == 17_520

    def test_a_rented_chip_needs_its_licence_too(self):
        rented = scenario(basis="rent")
        numbers = {
            "accelerators.h100-sxm.rental_usd_per_hour": 2.0,
            "operator.licence_usd_per_chip_year": 300.0,
        }
        assert usd_per_chip_year("h100-sxm", rented, CATALOG, held(rented, **numbers)) == 17_820

    def test_a_chip_of_ones_own_by_hand(self):
        # 10,000 $ all in over five years, its licence and 4 % support; 1.5 kW of nameplate at
        # 10 $/W over ten years, kept up for 2 %, staffed by two at 100,000 $ a megawatt; and 700 W
        # all year at ten cents, a quarter more at the meter.
        numbers = {
            "accelerators.h100-sxm.price_usd": 8000.0,
            "prices.capital.all_in_over_chip_price_frac": 1.25,
            "finance.wacc_frac": 0.0,
            "finance.life_years": 5.0,
            "operator.licence_usd_per_chip_year": 300.0,
            "prices.running.it_support_frac_per_year": 0.04,
            "accelerators.h100-sxm.tdp_w": 700.0,
            "accelerators.h100-sxm.server_w": 1400.0,
            "estimates.power.network_storage_w": 100.0,
            "site.new_power_usd_per_mw": 10e6,
            "prices.life.facility_years": 10.0,
            "prices.running.facility_maintenance_frac_per_year": 0.02,
            "prices.running.staff_fte_per_mw": 2.0,
            "prices.running.it_staff_usd_per_hour": 40.0,
            "prices.running.loaded_over_wage_frac": 1.25,
            "prices.running.full_time_hours": 2000.0,
            "site.usd_per_kwh": 0.1,
            "site.pue": 1.25,
        }
        owned = scenario(basis="own")
        yearly = usd_per_chip_year("h100-sxm", owned, CATALOG, held(owned, **numbers))
        assert yearly == pytest.approx(2000 + 300 + 400 + (1500 + 300 + 300) + 766.5)

    def test_colocation_is_paid_by_the_kilowatt_and_month(self):
        housed = scenario(basis="colocate")
        ledger = held(housed, **{"site.colocation_usd_per_kw_month": 150.0})
        assert 1000 * space_usd_per_w_year(housed, ledger) == pytest.approx(1800)

    def test_halls_of_ones_own_are_paid_off_and_kept_up(self):
        # 14 M$ a megawatt over 14 years without interest: 1 M$ a year; 2 % of it for upkeep.
        owned = scenario(basis="own")
        free = {
            "site.new_power_usd_per_mw": 14e6,
            "finance.wacc_frac": 0.0,
            "prices.life.facility_years": 14.0,
            "prices.running.facility_maintenance_frac_per_year": 0.02,
        }
        yearly = 1e6 * space_usd_per_w_year(owned, held(owned, **free))
        assert yearly == pytest.approx(1e6 + 0.28e6)

    def test_a_watt_all_year_is_8_76_kwh(self):
        assert energy_usd_per_w_year(register({"site.usd_per_kwh": 0.1})) == pytest.approx(0.876)

    def test_a_chip_that_nobody_sells_can_still_be_rented(self):
        # H100 NVL: no street price, 3.07 $/h to rent.
        rented = scenario(basis="rent")
        yearly = usd_per_chip_year("h100-nvl", rented, CATALOG, held(rented))
        assert yearly == pytest.approx(3.07 * 8760)


class TestDirections:
    def yearly(self, basis, **numbers):
        given = scenario(basis=basis)
        return usd_per_chip_year("h100-sxm", given, CATALOG, held(given, **numbers))

    @pytest.mark.parametrize("basis", ["own", "colocate"])
    def test_dearer_power_makes_every_chip_dearer(self, basis):
        prices = [self.yearly(basis, **{"site.usd_per_kwh": usd}) for usd in (0.0, 0.05, 0.2)]
        assert prices == sorted(set(prices))

    def test_a_rate_that_includes_power_does_not_move_with_it(self):
        assert self.yearly("rent", **{"site.usd_per_kwh": 0.0}) == self.yearly("rent")

    @pytest.mark.parametrize(
        ("number", "low", "high"), [("finance.wacc_frac", 0.07, 0.1), ("site.pue", 1.1, 1.4)]
    )
    def test_dearer_capital_and_worse_cooling_too(self, number, low, high):
        assert self.yearly("own", **{number: high}) > self.yearly("own", **{number: low})

    def test_a_longer_life_is_cheaper(self):
        assert self.yearly("own", **{"finance.life_years": 7.0}) < self.yearly("own")
