"""What a megawatt is worth: recovered, newly built, or of a fleet rebuilt on the best option."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from planner.decision.cashed import retrofitted_w, served_frac
from planner.decision.sized import Sized
from planner.decision.valued import Valued
from planner.facts.units import W_PER_MW
from planner.fleet.pools import Fleet, counts
from planner.fleet.watts import provisioned_w
from planner.money.cash import Plan, flows_usd, npv_usd
from planner.money.economics import Costs
from planner.money.prices import all_in_usd
from planner.money.stranded import Stranded

LABELS = {
    "recovered": "More of the best option in the power that it frees",
    "new": "More of the best option on new power",
    "rebuild": "The whole fleet rebuilt as the best option",
}
NOTHING = Plan(*(0.0 for _ in fields(Plan)))


@dataclass(frozen=True, slots=True)
class Way:
    """One way to sell more from megawatts.

    facility_mw: power that it takes. throughput_frac: extra sales over demand. npv_usd: after tax
    and capital, its wait included. start_quarters: from decision to the first extra token.
    """

    id: str
    facility_mw: Any
    throughput_frac: Any
    npv_usd: Any
    start_quarters: Any

    @property
    def usd_per_mw(self) -> Any:
        """Value of one of its megawatts; None where it has none."""
        return self.npv_usd / self.facility_mw if np.all(self.facility_mw) else None


def ways(held: Sized, money: Valued, best: str, wasted: Stranded) -> tuple[Way, ...]:
    """Recovered, new and rebuilt megawatts of the best purchasable option.

    Extra sales stop at the backlog: neither recovered nor new power sells what nobody asks for.
    """
    fleet, ledger = held.fleets[best], held.ledger
    facility_w = provisioned_w(fleet, held.catalog, ledger) * ledger["site.pue"]
    wanted = ledger["backlog_frac"]
    freed = min(max(wasted.recovered_w / facility_w, 0.0), wanted)
    start = money.cash[best].start_quarters
    delivered = ledger["estimates.money.delivery_quarters"]
    waits = max(ledger["site.new_power_quarters"], delivered)
    rebuilt_w = facility_w * served_frac(held, fleet)
    return (
        _way("recovered", held, money, fleet, freed, facility_w, max(start, delivered)),
        _way("new", held, money, fleet, wanted, facility_w, waits),
        Way(
            "rebuild",
            rebuilt_w / W_PER_MW,
            served_frac(held, fleet) - served_frac(held, held.fleets["as-built"]),
            money.npv_usd[best],
            start,
        ),
    )


def _way(
    name: str,
    held: Sized,
    money: Valued,
    fleet: Fleet,
    more: float,
    facility_w: float,
    start_quarters: float,
) -> Way:
    """A share of the fleet again, in power that is there or is built for it."""
    ledger, new = held.ledger, name == "new"
    mw = facility_w * more / W_PER_MW
    lines, sold = money.costs[fleet.id], money.sold[fleet.id]
    power_usd, space_usd = 0.0, 0.0
    if not new:
        each = {chip: n * more for chip, n in counts(fleet.pools).items()}
        hosted_w = retrofitted_w(held, each) * ledger["site.pue"]
        power_usd = hosted_w / W_PER_MW * ledger["site.retrofit_usd_per_mw"]
    elif held.scenario.finance.basis == "own":
        power_usd = mw * ledger["site.new_power_usd_per_mw"]
    else:
        space_usd = lines.space_usd_per_year
    running = lines.upkeep_usd_per_year + money.extras[fleet.id].fabric + space_usd
    purchase_usd, spared_usd = _chips_usd(held, fleet, more, reuse=not new)
    if held.scenario.finance.basis == "rent":
        running, purchase_usd = running + lines.capital_usd_per_year, 0.0
    extra = Plan(
        revenue_usd_per_year=sold.revenue_usd * more,
        energy_usd_per_year=lines.energy_usd_per_year * more,
        running_usd_per_year=running * more,
        purchase_usd=purchase_usd,
        resale_usd=-spared_usd,
        displaced_book_usd=0.0,
        displaced_years=0.0,
        setup_usd=power_usd,
        team_usd_per_year=0.0,
        start_quarters=start_quarters,
        interim_frac=0.0,
    )
    worth = npv_usd(flows_usd(extra, NOTHING, money.terms), money.terms)
    return Way(name, mw, more, worth, start_quarters)


def _chips_usd(held: Sized, fleet: Fleet, more: float, *, reuse: bool) -> tuple[float, float]:
    """Price of the chips to buy, and resale forgone of idle owned ones that serve instead."""
    bought = spared = 0.0
    received = 1 - held.ledger["estimates.money.resale_haircut_frac"]
    for chip, n in counts(fleet.pools).items():
        idle = max(held.owned.get(chip, 0.0) - n, 0.0) if reuse else 0.0
        used = min(idle, n * more)
        bought += (n * more - used) * all_in_usd(chip, held.catalog, held.ledger)
        if used:
            spared += used * held.ledger[f"owned.{chip}.resale_usd"] * received
    return bought, spared


def margin_usd_per_mw_year(lines: Costs, revenue_usd: Any, provisioned_w: Any) -> Any:
    """Contribution margin of a full facility megawatt: revenue less what serving it costs in cash.

    Returns: [USD/MW/year]
    """
    spent = lines.energy_usd_per_year + lines.upkeep_usd_per_year
    return (revenue_usd - spent) / (provisioned_w / W_PER_MW)


def record(found: tuple[Way, ...]) -> list[Mapping[str, Any]]:
    """The ways as plain values."""
    return [
        {
            "id": way.id,
            "label": LABELS[way.id],
            "mw": way.facility_mw,
            "throughput_frac": way.throughput_frac,
            "npv_usd": way.npv_usd,
            "usd_per_mw": way.usd_per_mw,
            "quarters": way.start_quarters,
        }
        for way in found
    ]
