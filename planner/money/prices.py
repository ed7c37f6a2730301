"""What a chip costs: to buy with everything around it, to run and to house, a year."""

from typing import Any

import numpy as np

from planner.demand.scenario import Scenario
from planner.facts.catalog import Catalog
from planner.facts.ledger import Ledger
from planner.facts.units import HOURS_PER_YEAR, MONTHS_PER_YEAR, W_PER_KW, W_PER_MW
from planner.fleet.watts import nameplate_w, tdp

REFERENCE = "h100-sxm"
PAPER_REFERENCE = "spad-h100"


def annuity_frac(rate: Any, years: Any) -> Any:
    """Yearly payment per dollar lent: r/(1 − (1 + r)^−n), 1/n in the limit r → 0. Returns: [1/year]

    Source: any text on engineering economy, e.g. Park, Contemporary Engineering Economics, ch. 3.
    """
    safe = np.maximum(rate, np.finfo(float).eps)
    return safe / -np.expm1(-np.asarray(years) * np.log1p(safe))


def paid_monthly_frac(rate: Any, years: Any) -> Any:
    """Yearly sum of monthly payments per dollar lent at a nominal yearly rate. Returns: [1/year]"""
    months = np.multiply(years, MONTHS_PER_YEAR)
    return MONTHS_PER_YEAR * annuity_frac(np.divide(rate, MONTHS_PER_YEAR), months)


def chip_usd(accelerator: str, catalog: Catalog, ledger: Ledger) -> Any:
    """Price of the bare chip, or of its share of a rack. Returns: [USD]

    A paper chip's follows the H100's by `estimates.money.price_elasticity` of the ratio of their
    manufacturing costs.
    """
    if catalog.accelerators[accelerator].access != "paper":
        return ledger[f"accelerators.{accelerator}.price_usd"]
    made = f"accelerators.{accelerator}.manufacturing_cost_usd"
    ratio = ledger[made] / ledger[f"accelerators.{PAPER_REFERENCE}.manufacturing_cost_usd"]
    elasticity = ledger["estimates.money.price_elasticity"]
    return ledger[f"accelerators.{REFERENCE}.price_usd"] * (1 + elasticity * (ratio - 1))


def vendor_less_saving_usd(accelerator: str, ledger: Ledger) -> Any:
    """Price of a paper chip if its vendor passes on only what it saves in making it. Returns: [USD]

    Such a saving is small beside a price that is many times the cost; see `chip_usd` for the rest.
    """
    made = ledger[f"accelerators.{accelerator}.manufacturing_cost_usd"]
    saved = ledger[f"accelerators.{PAPER_REFERENCE}.manufacturing_cost_usd"] - made
    return ledger[f"accelerators.{REFERENCE}.price_usd"] - saved


def all_in_usd(accelerator: str, catalog: Catalog, ledger: Ledger) -> Any:
    """Capital per chip with its server, network and storage. Returns: [USD]"""
    scope = catalog.accelerators[accelerator].price_scope
    over = "rack" if scope == "rack" else "chip"
    multiple = ledger[f"prices.capital.all_in_over_{over}_price_frac"]
    return chip_usd(accelerator, catalog, ledger) * multiple


def is_rented(accelerator: str, scenario: Scenario, catalog: Catalog) -> bool:
    """Whether a chip is paid by the hour, everything in: only where a rental rate is known."""
    quoted = catalog.accelerators[accelerator].rental_usd_per_hour is not None
    return scenario.finance.basis == "rent" and quoted


def space_usd_per_w_year(scenario: Scenario, ledger: Ledger) -> Any:
    """Yearly cost of one watt of provisioned IT power, energy apart. Returns: [USD/W/year]

    Of own halls: the annuity of their capital and their upkeep; of rented ones: the rent.
    """
    if scenario.finance.basis != "own":
        return ledger["site.colocation_usd_per_kw_month"] * MONTHS_PER_YEAR / W_PER_KW
    annuity = paid_monthly_frac(ledger["finance.wacc_frac"], ledger["prices.life.facility_years"])
    upkeep = ledger["prices.running.facility_maintenance_frac_per_year"]
    return ledger["site.new_power_usd_per_mw"] / W_PER_MW * (annuity + upkeep)


def staff_usd_per_w_year(ledger: Ledger) -> Any:
    """Yearly cost of who runs one watt of provisioned IT power. Returns: [USD/W/year]"""
    person = (
        ledger["prices.running.it_staff_usd_per_hour"]
        * ledger["prices.running.loaded_over_wage_frac"]
        * ledger["prices.running.full_time_hours"]
    )
    return ledger["prices.running.staff_fte_per_mw"] / W_PER_MW * person


def energy_usd_per_w_year(ledger: Ledger) -> Any:
    """A year of one facility watt drawn. Returns: [USD/W/year]"""
    return ledger["site.usd_per_kwh"] * HOURS_PER_YEAR / W_PER_KW


def capital_usd_per_year(
    accelerator: str, scenario: Scenario, catalog: Catalog, ledger: Ledger
) -> Any:
    """Replacement annuity of one chip all in, or its rent. Returns: [USD/year]"""
    if is_rented(accelerator, scenario, catalog):
        return ledger[f"accelerators.{accelerator}.rental_usd_per_hour"] * HOURS_PER_YEAR
    annuity = paid_monthly_frac(ledger["finance.wacc_frac"], ledger["finance.life_years"])
    return all_in_usd(accelerator, catalog, ledger) * annuity


def usd_per_chip_year(
    accelerator: str, scenario: Scenario, catalog: Catalog, ledger: Ledger
) -> float:
    """Rough yearly cost of a chip at TDP, only to rank configurations. Returns: [USD/year]"""
    capital = capital_usd_per_year(accelerator, scenario, catalog, ledger)
    licence = ledger["operator.licence_usd_per_chip_year"]
    if is_rented(accelerator, scenario, catalog):
        return float(capital + licence)
    support = ledger["prices.running.it_support_frac_per_year"] * all_in_usd(
        accelerator, catalog, ledger
    )
    housed = space_usd_per_w_year(scenario, ledger) + staff_usd_per_w_year(ledger)
    space = nameplate_w(accelerator, catalog, ledger) * housed
    energy = tdp(accelerator, ledger) * ledger["site.pue"] * energy_usd_per_w_year(ledger)
    return float(capital + licence + support + space + energy)
