"""Stage two of a plan: the sized fleets in dollars, once or over many samples.

Everything here is a number for the plan itself and an array over samples for its uncertainty:
the same code, with a ledger that gives draws instead of values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.decision.sized import Sized
from planner.demand.workload import relative_lengths
from planner.facts.ledger import Ledger
from planner.facts.units import W_PER_MW
from planner.fleet.pools import PREFILL, Fleet
from planner.fleet.sizing import server_chips
from planner.fleet.watts import fleet_watts, nameplate_w
from planner.money import friction, tax
from planner.money.cash import Plan as CashPlan
from planner.money.cash import Terms, flows_usd, npv_usd
from planner.money.economics import Costs, costs
from planner.money.prices import all_in_usd
from planner.money.volumes import Volumes, stretch, volumes

NOTHING = tax.Extras(0.0, 0.0, 0.0)
MONOLITHIC_BEST = "monolithic-software"


@dataclass(frozen=True, slots=True)
class Valued:
    """Money of every option by id; `proposed` stands among them once it is known."""

    volumes: Volumes
    costs: Mapping[str, Costs]
    extras: Mapping[str, tax.Extras]
    cash: Mapping[str, CashPlan]
    terms: Terms
    npv_usd: Mapping[str, Any]

    def gross_usd_per_year(self, option: str) -> Any:
        """Yearly cost before fabric, team and flexibility."""
        return self.costs[option].gross_usd_per_year

    def cost_usd_per_year(self, option: str) -> Any:
        """Yearly cost with everything in it."""
        return self.gross_usd_per_year(option) + self.extras[option].total


def valued(sized: Sized, ledger: Ledger, fleets: Mapping[str, Fleet]) -> Valued:
    """All options in dollars under one set of assumptions (or many samples of them)."""
    sold = volumes(sized.demands, ledger, sized.ledger)
    priced = {
        name: costs(fleet, sized.scenario, sized.catalog, ledger, sized.ledger)
        for name, fleet in fleets.items()
        if fleet.pools
    }
    extras = {name: _extras(sized, fleets, fleets[name], priced, sold, ledger) for name in priced}
    plans = {
        name: _cash_plan(sized, fleets[name], priced[name], extras[name], sold, ledger)
        for name in priced
    }
    terms = _terms(ledger, sized.ledger["horizon_years"])
    base = plans["as-built"]
    npv = {name: npv_usd(flows_usd(plan, base, terms), terms) for name, plan in plans.items()}
    return Valued(sold, priced, extras, plans, terms, npv)


def _terms(ledger: Ledger, horizon_years: float) -> Terms:
    return Terms(
        horizon_years=horizon_years,
        wacc_frac=ledger["finance.wacc_frac"],
        tax_frac=ledger["finance.tax_frac"],
        life_years=ledger["finance.life_years"],
        price_erosion_frac_per_year=ledger["finance.price_erosion_frac_per_year"],
        component_drift_frac_per_year=ledger["finance.component_drift_frac_per_year"],
        gap_closing_frac_per_year=ledger["estimates.money.gap_closing_frac_per_year"],
    )


def _extras(
    sized: Sized,
    fleets: Mapping[str, Fleet],
    fleet: Fleet,
    priced: Mapping[str, Costs],
    sold: Volumes,
    ledger: Ledger,
) -> tax.Extras:
    """Zero for monolithic fleets; the friction of a split for the others."""
    if not fleet.split:
        return NOTHING
    own = priced[fleet.id]
    first = next(pool for pool in fleet.pools if pool.role == PREFILL)
    together = int(ledger["estimates.serving.server_chips"])
    server = server_chips(sized.catalog.accelerators[first.accelerator], together)
    horizon = sized.ledger["horizon_years"]
    drifting = friction.drift_loss_frac(fleet, sized.demands, _drifts(sized))
    backfill = friction.backfill_usd_per_year(fleets[MONOLITHIC_BEST], sized.scenario, ledger)
    return tax.Extras(
        fabric=friction.fabric_usd_per_year(fleet, own, ledger, server),
        orchestration=friction.orchestration_usd_per_year(
            sold, own.energy_usd_per_year, ledger, horizon
        ),
        flexibility=drifting * own.gross_usd_per_year + backfill,
    )


def _drifts(sized: Sized) -> list[tuple[float, float, float]]:
    """Cases of the ratio in 18 months by its stated range, as factors on lengths."""
    scenario = sized.scenario
    if scenario.ratio_in_18_months is None:
        return [(1.0, 1.0, 1.0)]
    row = sized.ledger.find("ratio_in_18_months")
    return [
        (weight, *relative_lengths(scenario, row.value, getattr(row, end)))
        for weight, end in friction.PERT
    ]


def _cash_plan(
    sized: Sized, fleet: Fleet, own: Costs, extras: tax.Extras, sold: Volumes, ledger: Ledger
) -> CashPlan:
    """The option as cash: what is bought, sold, paid and earned at the share the site can feed."""
    served = served_frac(sized, fleet)
    bought, displaced = _chips(sized, fleet, served, ledger)
    renting = sized.scenario.finance.basis == "rent"
    running = own.running_usd_per_year + (own.capital_usd_per_year if renting else 0)
    purchase = sum(n * all_in_usd(chip, sized.catalog, ledger) for chip, n in bought.items())
    extra_team = friction.team_usd_per_year(ledger) if fleet.split else 0.0
    per_owned = {
        field: sum(n * ledger[f"owned.{chip}.{field}"] for chip, n in displaced.items())
        for field in ("resale_usd", "book_usd")
    }
    return CashPlan(
        purchase_usd=0.0 if renting else purchase,
        resale_usd=per_owned["resale_usd"],
        written_off_usd=per_owned["book_usd"],
        running_usd_per_year=running * served + extras.flexibility,
        revenue_usd_per_year=sold.revenue_usd * served,
        setup_usd=_setup_usd(sized, fleet, bought, sold, own, ledger),
        team_usd_per_year=extra_team,
        start_quarters=_start_quarters(sized, fleet, bought, ledger),
    )


def served_frac(sized: Sized, fleet: Fleet) -> float:
    """Share of demand (up to the backlog on top) that the power ceiling lets an option serve."""
    facility_w = fleet_watts(fleet, sized.catalog, sized.ledger).provisioned_w
    facility_w *= sized.ledger["site.pue"]
    ceiling_w = sized.ledger["power_budget_mw"] * W_PER_MW
    wanted = 1 + sized.ledger["backlog_frac"]
    return float(min(wanted, ceiling_w / facility_w)) if facility_w else wanted


def _chips(
    sized: Sized, fleet: Fleet, served: float, ledger: Ledger
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Chips bought, and owned chips displaced, by type."""
    need: dict[str, Any] = {}
    for pool in fleet.pools:
        more = pool.n_accelerators * stretch(pool, ledger, sized.ledger) * served
        need[pool.accelerator] = need.get(pool.accelerator, 0.0) + more
    owned = {chip: sized.owned.get(chip, 0.0) for chip in {*need, *sized.owned}}
    bought = {chip: np.maximum(need.get(chip, 0.0) - n, 0) for chip, n in owned.items()}
    displaced = {chip: np.maximum(n - need.get(chip, 0.0), 0) for chip, n in sized.owned.items()}
    return {chip: n for chip, n in bought.items() if np.any(n)}, displaced


def _new_types(sized: Sized, bought: Mapping[str, Any]) -> list[str]:
    """Bought chips of a type that the site does not host yet."""
    return [chip for chip in bought if chip not in sized.owned]


def _setup_usd(
    sized: Sized,
    fleet: Fleet,
    bought: Mapping[str, Any],
    sold: Volumes,
    own: Costs,
    ledger: Ledger,
) -> Any:
    """Spent at the decision: re-equipping halls for new chips, a split's expected bad quarter."""
    watts = sum(
        bought[chip] * nameplate_w(chip, sized.catalog, sized.ledger)
        for chip in _new_types(sized, bought)
    )
    facility_mw = watts * ledger["site.pue"] / W_PER_MW
    retrofit = facility_mw * ledger["site.retrofit_usd_per_mw"] if sized.owned else 0.0
    risk = friction.bad_quarter_usd(sold, own.energy_usd_per_year, ledger) if fleet.split else 0.0
    return retrofit + risk


def _start_quarters(sized: Sized, fleet: Fleet, bought: Mapping[str, Any], ledger: Ledger) -> Any:
    """Quarters to the first benefit: the longest of build, roll-out, delivery and retrofit."""
    waits = [ledger["estimates.money.rollout_quarters"]]
    if fleet.split:
        waits.append(ledger["operator.build_quarters"])
    if bought:
        waits.append(ledger["estimates.money.delivery_quarters"])
    if _new_types(sized, bought) and sized.owned:
        waits.append(ledger["site.retrofit_quarters"])
    return np.maximum.reduce([np.asarray(wait, dtype=float) for wait in waits])
