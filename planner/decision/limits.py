"""What an option needs beyond the limits of capital, space and power, in a sentence each."""

from collections.abc import Iterator, Mapping

from planner import text
from planner.decision.cashed import served_frac
from planner.decision.sized import Sized
from planner.decision.valued import AS_BUILT, Valued
from planner.facts.units import W_PER_MW
from planner.fleet.pools import Fleet
from planner.fleet.watts import nameplate_w


def beyond(held: Sized, money: Valued, fleets: Mapping[str, Fleet]) -> dict[str, str]:
    """Options that need more capital or more racks than there are, and how much."""
    found = {}
    for name, plan in money.cash.items():
        said = [*_capital(held, float(plan.purchase_usd)), *_space(held, fleets[name])]
        if said and name != AS_BUILT:
            found[name] = f"{fleets[name].label} is not recommended: it needs {' and '.join(said)}."
    return found


def _capital(held: Sized, purchase_usd: float) -> Iterator[str]:
    budget = held.scenario.finance.capital_budget_usd
    if budget is not None and purchase_usd > budget:
        yield f"{text.usd(purchase_usd)} of new chips where {text.usd(budget)} may be spent"


def _space(held: Sized, fleet: Fleet) -> Iterator[str]:
    site = held.scenario.site
    if site.n_racks is None:
        return
    it_w = sum(
        pool.n_accelerators * nameplate_w(pool.accelerator, held.catalog, held.ledger)
        for pool in fleet.pools
    )
    needed = it_w / site.rack_limit_w
    if needed > site.n_racks:
        wanted, held_racks = (text.number(n, place=0) for n in (needed, site.n_racks))
        yield f"{wanted} racks where there are {held_racks}"


def short_of_power(held: Sized) -> Iterator[str]:
    """Where the ceiling keeps the fleet as built from serving all that is asked."""
    built = held.fleets[AS_BUILT]
    served = served_frac(held, built)
    if served >= 1:
        return
    needed = held.watts[AS_BUILT].provisioned_w * held.ledger["site.pue"] / W_PER_MW
    yield (
        f"A power budget of {text.mw(held.scenario.power_budget_mw)} feeds {text.percent(served)} "
        f"of the demand as built; {text.mw(float(needed))} would feed all of it."
    )
