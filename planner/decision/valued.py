"""Stage two of a plan: the sized fleets in dollars, once or over many samples.

Everything here is a number for the plan itself and an array over samples for its uncertainty:
the same code, with a ledger that gives draws instead of values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.decision.cashed import cash_plan
from planner.decision.sized import Sized
from planner.demand.workload import ratio, relative_lengths
from planner.facts.ledger import Ledger
from planner.facts.units import MONTHS_PER_YEAR
from planner.fleet.options import PURCHASABLE
from planner.fleet.pools import Fleet
from planner.money import friction, tax
from planner.money.cash import Plan as CashPlan
from planner.money.cash import Terms, flows_usd, npv_usd
from planner.money.economics import Costs, costs
from planner.money.volumes import Volumes, volumes

NOTHING = tax.Extras(0.0, 0.0, 0.0)
AS_BUILT, MONOLITHIC_BEST = "as-built", "monolithic-software"


@dataclass(frozen=True, slots=True)
class Valued:
    """Money of every option by id; `proposed` stands among them once it is known."""

    sold: Mapping[str, Volumes]
    costs: Mapping[str, Costs]
    extras: Mapping[str, tax.Extras]
    cash: Mapping[str, CashPlan]
    terms: Terms
    npv_usd: Mapping[str, Any]

    @property
    def volumes(self) -> Volumes:
        """What as-built sells; the tokens are those of every option."""
        return self.sold[AS_BUILT]

    def gross_usd_per_year(self, option: str) -> Any:
        """Yearly cost before fabric, team and flexibility."""
        return self.costs[option].gross_usd_per_year

    def cost_usd_per_year(self, option: str) -> Any:
        """Yearly cost with everything in it."""
        return self.gross_usd_per_year(option) + self.extras[option].total


def valued(
    sized: Sized, ledger: Ledger, fleets: Mapping[str, Fleet], known: Valued | None = None
) -> Valued:
    """All options in dollars under one set of assumptions (or many samples of them).

    known: options already valued under the same ledger; they are not valued again.
    """
    terms = known.terms if known else _terms(sized, ledger)
    held = known or Valued({}, {}, {}, {}, terms, {})
    new = {
        name: fleet
        for name, fleet in fleets.items()
        if name not in held.costs and fleet.serves(demand.name for demand in sized.demands)
    }
    priced, sold, extras, plans, npv = map(
        dict, (held.costs, held.sold, held.extras, held.cash, held.npv_usd)
    )
    priced |= {
        name: costs(fleet, sized.scenario, sized.catalog, ledger, sized.ledger)
        for name, fleet in new.items()
    }
    sold |= {name: volumes_of(sized, name, ledger) for name in new}
    extras |= {
        name: extras_of(sized, fleets, fleet, priced, sold[name], ledger)
        for name, fleet in new.items()
    }
    plans |= {
        name: cash_plan(sized, fleets, fleet, priced[name], extras[name], sold[name], ledger)
        for name, fleet in new.items()
    }
    npv |= {name: npv_usd(flows_usd(plans[name], plans[AS_BUILT], terms), terms) for name in new}
    return Valued(sold, priced, extras, plans, terms, npv)


def ladder_costs(held: Sized, money: Valued) -> tuple[dict[str, Any], dict[str, bool]]:
    """Gross yearly cost and feasibility of the purchasable options, in the bridge's order."""
    feasible = {name: held.fleets[name].feasible and name in money.costs for name in PURCHASABLE}
    gross = {name: money.gross_usd_per_year(name) for name in PURCHASABLE if name in money.costs}
    return gross, feasible


def volumes_of(sized: Sized, option: str, ledger: Ledger) -> Volumes:
    """Tokens and revenue of an option; input is billed as cached only where it is cached."""
    scenario = sized.scenario
    software = scenario.software if option == AS_BUILT else scenario.available_software
    return volumes(sized.demands, ledger, sized.ledger, prefix_cache=software.prefix_cache)


def _terms(sized: Sized, ledger: Ledger) -> Terms:
    return Terms(
        horizon_years=sized.ledger["horizon_years"],
        planning_years=sized.ledger["planning_month"] / MONTHS_PER_YEAR,
        growth_frac_per_year=ledger["growth_frac_per_year"],
        wacc_frac=ledger["finance.wacc_frac"],
        tax_frac=ledger["finance.tax_frac"],
        life_years=ledger["finance.life_years"],
        price_erosion_frac_per_year=ledger["finance.price_erosion_frac_per_year"],
        component_drift_frac_per_year=ledger["finance.component_drift_frac_per_year"],
        memory_drift_frac_per_year=ledger["prices.memory.drift_frac_per_year"],
        memory_share_frac=ledger["prices.memory.capital_share_frac"],
        gap_closing_frac_per_year=ledger["estimates.money.gap_closing_frac_per_year"],
    )


def extras_of(
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
    horizon = sized.ledger["horizon_years"]
    drifting = friction.drift_loss_frac(fleet, sized.demands, _drifts(sized))
    whole = fleets[MONOLITHIC_BEST if MONOLITHIC_BEST in priced else AS_BUILT]
    backfill = friction.backfill_usd_per_year(whole, sized.scenario, ledger)
    return tax.Extras(
        fabric=friction.fabric_usd_per_year(
            fleet, sized.scenario, sized.catalog, ledger, sized.ledger
        ),
        orchestration=friction.orchestration_usd_per_year(
            sold, own.energy_usd_per_year, ledger, horizon
        ),
        flexibility=drifting * own.gross_usd_per_year + backfill,
    )


def _drifts(sized: Sized) -> list[tuple[float, float, float]]:
    """Cases of the ratio by the stated range of its drift, as factors on the planned lengths."""
    scenario = sized.scenario
    if scenario.ratio_in_18_months is None:
        return [(1.0, 1.0, 1.0)]
    row = sized.ledger.find("ratio_in_18_months")
    planned = ratio(scenario, scenario.planning_month)
    others = ((weight, planned * getattr(row, end) / row.value) for weight, end in friction.PERT)
    return [(weight, *relative_lengths(scenario, planned, other)) for weight, other in others]
