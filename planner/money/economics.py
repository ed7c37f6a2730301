"""Yearly cost of an option, line by line, and what it earns per token and kilowatt-hour."""

from dataclasses import dataclass
from typing import Any

from planner.demand.scenario import Scenario
from planner.facts.catalog import Catalog
from planner.facts.ledger import Ledger
from planner.facts.units import HOURS_PER_YEAR, SECONDS_PER_YEAR, TOKENS_PER_MTOK, W_PER_KW
from planner.fleet.pools import Fleet, Pool
from planner.fleet.watts import pool_watts
from planner.money.prices import (
    all_in_usd,
    capital_usd_per_year,
    energy_usd_per_w_year,
    is_rented,
    space_usd_per_w_year,
    staff_usd_per_w_year,
)
from planner.money.volumes import Volumes, stretch


@dataclass(frozen=True, slots=True)
class Costs:
    """Capital [USD] and yearly lines [USD/year], before fabric, team and flexibility.

    space: halls or their rent, upkeep included. support: of servers, by their vendors. staff: who
    runs the site. licences: of the serving software. memory: what of the capital buys memory.
    """

    capex_usd: Any
    capital_usd_per_year: Any
    space_usd_per_year: Any
    energy_usd_per_year: Any
    support_usd_per_year: Any
    staff_usd_per_year: Any
    licences_usd_per_year: Any
    memory_usd_per_year: Any
    energy_kwh_per_year: Any

    @property
    def gross_usd_per_year(self) -> Any:
        """All lines together."""
        return self.capital_usd_per_year + self.running_usd_per_year

    @property
    def running_usd_per_year(self) -> Any:
        """The lines that are paid in cash every year, capital apart."""
        return self.space_usd_per_year + self.energy_usd_per_year + self.upkeep_usd_per_year

    @property
    def upkeep_usd_per_year(self) -> Any:
        """What keeps servers serving, beside space and energy."""
        return self.support_usd_per_year + self.staff_usd_per_year + self.licences_usd_per_year


def costs(
    fleet: Fleet, scenario: Scenario, catalog: Catalog, ledger: Ledger, nominal: Ledger
) -> Costs:
    """Sum of the pools' costs at replacement prices."""
    rows = [_pool_costs(pool, scenario, catalog, ledger, nominal) for pool in fleet.pools]
    return Costs(*(sum(column) for column in zip(*rows, strict=True)))


def _pool_costs(
    pool: Pool, scenario: Scenario, catalog: Catalog, ledger: Ledger, nominal: Ledger
) -> tuple[Any, ...]:
    """The lines of one pool; a rented chip's rate covers all but the licences."""
    more = stretch(pool, ledger, nominal)
    n = pool.n_accelerators * more
    watts = pool_watts(pool, catalog, ledger)
    facility_w = watts.mean_w * more * ledger["site.pue"]
    rented = is_rented(pool.accelerator, scenario, catalog)
    ours = 0 if rented else 1
    capex = 0.0 if rented else n * all_in_usd(pool.accelerator, catalog, ledger)
    capital = n * capital_usd_per_year(pool.accelerator, scenario, catalog, ledger)
    housed_w = watts.provisioned_w * more * ours
    return (
        capex,
        capital,
        housed_w * space_usd_per_w_year(scenario, ledger),
        facility_w * energy_usd_per_w_year(ledger) * ours,
        capex * ledger["prices.running.it_support_frac_per_year"],
        housed_w * staff_usd_per_w_year(ledger),
        n * ledger["operator.licence_usd_per_chip_year"],
        capital * ledger["prices.memory.capital_share_frac"] * ours,
        facility_w * HOURS_PER_YEAR / W_PER_KW,
    )


def usd_per_mtok(usd_per_year: Any, volumes: Volumes) -> Any:
    """Yearly dollars over yearly millions of useful tokens. Returns: [USD/Mtok]"""
    return usd_per_year / (volumes.useful_tokens / TOKENS_PER_MTOK)


def revenue_usd_per_kwh(volumes: Volumes, costs_: Costs) -> Any:
    """Yearly revenue over metered facility energy. Returns: [USD/kWh]"""
    return volumes.revenue_usd / costs_.energy_kwh_per_year


def j_per_useful_token(facility_mean_w: Any, volumes: Volumes) -> Any:
    """Facility energy over useful tokens, = watts per useful token per second. Returns: [J]"""
    return facility_mean_w * SECONDS_PER_YEAR / volumes.useful_tokens
