"""The proposed plan: the fleet mix in dollars, and the pure options as its special cases."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from planner import text
from planner.decision.sized import Sized
from planner.decision.valued import Valued, valued
from planner.facts.units import W_PER_MW
from planner.fleet.forced import CLOSE
from planner.fleet.mix import (
    PROPOSED,
    Demanded,
    Entry,
    Limits,
    Mix,
    best_mix,
    fleet_of,
    standing_in,
)
from planner.fleet.options import PURCHASABLE
from planner.fleet.pools import Fleet, Pool, Units
from planner.fleet.sizing import server_chips
from planner.fleet.watts import nameplate_w, provisioned_w, split_power_frac
from planner.money.economics import costs
from planner.money.friction import orchestration_usd_per_year
from planner.money.prices import all_in_usd, capital_usd_per_year, is_rented, paid_monthly_frac
from planner.money.volumes import volumes


def proposed(held: Sized, money: Valued) -> tuple[Fleet, Mix | None]:
    """The mix that is forced, or the best of the mix and the pure options by NPV; and the mix.

    Where no mix can be formed, the best pure option stands in, with the reason.
    """
    pure = _best_pure(held, money)
    forced = held.scenario.fleet_mix != "auto"
    menu = [_entry(held, pool) for pool in held.menu]
    found = best_mix(
        menu,
        [_demanded(held, name) for name in dict.fromkeys(d.name for d in held.demands)],
        held.owned,
        _limits(held, money),
        spare_replicas=units(held).spare_replicas,
    )
    if found is None:
        caveat = "No mix of pools serves every class, so the proposed plan is a pure option."
        return standing_in(pure, *((caveat,) if forced else ())), None
    mixed = fleet_of(menu, found, units(held))
    mixed = replace(mixed, caveats=tuple(_misses(held, found, mixed)))
    if forced:
        return mixed, found
    known = valued(held, held.ledger, {**held.fleets, PROPOSED: mixed}, known=money)
    gain = float(known.npv_usd[PROPOSED]) - float(money.npv_usd[pure.id])
    return (mixed if gain > 0 else standing_in(pure)), found


def missed_frac(held: Sized, fleet: Fleet) -> float:
    """How far a fleet's share of power in split pools lies from the forced one; 0 where none is."""
    asked = held.scenario.fleet_mix
    if asked == "auto":
        return 0.0
    return abs(split_power_frac(fleet, held.catalog, held.ledger) - float(asked))


def _misses(held: Sized, found: Mix, fleet: Fleet) -> Iterator[str]:
    """Where the mix does not keep what was asked of it, and by how much."""
    if found.over_w > 0:
        yield (
            f"The proposed plan needs {text.mw(found.over_w / W_PER_MW)} more than the power "
            "budget; no mix that serves everything needs less for less money."
        )
    if missed_frac(held, fleet) > CLOSE:
        formed = split_power_frac(fleet, held.catalog, held.ledger)
        yield (
            f"A split share of {text.percent(float(held.scenario.fleet_mix))} of the power cannot "
            f"be formed of whole servers; the proposed plan has {text.percent(formed)}."
        )


def _best_pure(held: Sized, money: Valued) -> Fleet:
    """The feasible change of the highest NPV that can be bought; any, where none is feasible."""
    names = [name for name in PURCHASABLE[1:] if name in money.npv_usd] or ["as-built"]
    able = [name for name in names if held.fleets[name].feasible] or names
    return held.fleets[max(able, key=lambda name: float(money.npv_usd[name]))]


def units(held: Sized) -> Units:
    """Chips per server of every type in use, and the spare of a pool."""
    at_most = int(held.ledger["estimates.serving.server_chips"])
    pools = (*held.menu, *(pool for fleet in held.fleets.values() for pool in fleet.pools))
    chips = held.catalog.accelerators
    return Units(
        {pool.accelerator: server_chips(chips[pool.accelerator], at_most) for pool in pools},
        int(held.ledger["estimates.serving.spare_replicas"]),
    )


def _entry(held: Sized, pool: Pool) -> Entry:
    """What each chip of a pool takes in a year, as the cash of a plan counts it.

    Owned halls are paid for; a rented chip's rate covers all that it takes.
    """
    scenario, catalog, ledger = held.scenario, held.catalog, held.ledger
    chip, n, alone = pool.accelerator, pool.n_accelerators, Fleet("entry", "", (pool,), True)
    own = costs(alone, scenario, catalog, ledger, ledger)
    space = own.space_usd_per_year if scenario.finance.basis == "colocate" else 0.0
    rented = is_rented(chip, scenario, catalog)
    return Entry(
        pool=pool,
        server_chips=server_chips(
            catalog.accelerators[chip], int(ledger["estimates.serving.server_chips"])
        ),
        new_usd=float(capital_usd_per_year(chip, scenario, catalog, ledger)),
        kept_usd=_kept_usd(held, chip),
        running_usd=float(own.energy_usd_per_year + own.upkeep_usd_per_year + space) / n,
        capex_usd=0.0 if rented else float(all_in_usd(chip, catalog, ledger)),
        power_w=float(provisioned_w(alone, catalog, ledger) * ledger["site.pue"]) / n,
        rack_w=float(nameplate_w(chip, catalog, ledger)),
    )


def _kept_usd(held: Sized, chip: str) -> float:
    """Yearly value of an owned chip that is not sold. [USD/year]"""
    if chip not in held.owned:
        return 0.0
    ledger = held.ledger
    received = 1 - ledger["estimates.money.resale_haircut_frac"]
    annuity = paid_monthly_frac(ledger["finance.wacc_frac"], ledger["finance.life_years"])
    return float(ledger[f"owned.{chip}.resale_usd"] * received * annuity)


def _demanded(held: Sized, name: str) -> Demanded:
    """A class when all of it is served: revenue, before any chip is paid."""
    mine = tuple(demand for demand in held.demands if demand.name == name)
    software = held.scenario.available_software
    sold = volumes(mine, held.ledger, held.ledger, prefix_cache=software.prefix_cache)
    tokens = sum(demand.mean_per_s * demand.output_tokens for demand in mine)
    return Demanded(name, float(sold.revenue_usd), tokens)


def _limits(held: Sized, money: Valued) -> Limits:
    """The ceilings of the scenario; a watt too many costs the revenue of a watt as built."""
    scenario, ledger = held.scenario, held.ledger
    sold, horizon = money.volumes, ledger["horizon_years"]
    energy = money.costs["as-built"].energy_usd_per_year
    built_w = held.watts["as-built"].provisioned_w * ledger["site.pue"]
    racks, budget = scenario.site.n_racks, scenario.finance.capital_budget_usd
    return Limits(
        power_w=float(ledger["power_budget_mw"] * W_PER_MW),
        capital_usd=budget,
        rack_w=None if racks is None else racks * scenario.site.rack_limit_w,
        split_power_frac=None if scenario.fleet_mix == "auto" else float(scenario.fleet_mix),
        split_usd_per_year=float(orchestration_usd_per_year(sold, energy, ledger, horizon)),
        over_usd_per_w_year=float(sold.revenue_usd / built_w),
    )


def worth(mix: Mix, racks_w: float) -> Mapping[str, float]:
    """Dollars a year that one more megawatt, dollar and rack would bring."""
    each = mix.worth_usd_per_year
    return {
        "mw": each["power"] * W_PER_MW,
        "usd": each["capital"],
        "rack": each["space"] * racks_w,
    }
