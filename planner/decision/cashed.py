"""An option as cash: what is bought, sold, paid and earned, at the share the site can feed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from planner.decision.sized import Sized
from planner.facts.ledger import Ledger
from planner.facts.units import QUARTERS_PER_YEAR, W_PER_MW
from planner.fleet.pools import Fleet
from planner.fleet.watts import nameplate_w, provisioned_w
from planner.money import friction
from planner.money.cash import Plan
from planner.money.economics import Costs, costs
from planner.money.prices import all_in_usd, capital_usd_per_year
from planner.money.tax import Extras
from planner.money.volumes import Volumes, stretch

AS_BUILT = "as-built"


def cash_plan(
    sized: Sized,
    fleets: Mapping[str, Fleet],
    fleet: Fleet,
    own: Costs,
    extras: Extras,
    sold: Volumes,
    ledger: Ledger,
) -> Plan:
    """One option in cash terms."""
    served = served_frac(sized, fleet, ledger)
    need = chips_needed(sized, fleet, served, ledger)
    bought = _bought(sized, need)
    base = _needed_as_built(sized, fleets, ledger)
    energy, running = _running_usd_per_year(sized, fleet, own, need, served, ledger)
    return Plan(
        revenue_usd_per_year=sold.revenue_usd * served,
        energy_usd_per_year=energy,
        running_usd_per_year=running + extras.fabric + extras.flexibility,
        purchase_usd=_purchase_usd(sized, bought, ledger),
        setup_usd=_setup_usd(sized, fleet, bought, sold, own, ledger),
        team_usd_per_year=friction.team_usd_per_year(ledger) if fleet.split else 0.0,
        start_quarters=_start_quarters(sized, fleet, bought, ledger),
        interim_frac=_covered_frac(sized, base),
        **_sold(sized, need, base, ledger),
    )


def served_frac(sized: Sized, fleet: Fleet, ledger: Ledger | None = None) -> Any:
    """Share of demand (up to the backlog on top) that the power ceiling lets an option serve.

    ledger: whose ceiling, or many; None: the one sized for. Fleets and their draw are held.
    """
    held_w = provisioned_w(fleet, sized.catalog, sized.ledger) * sized.ledger["site.pue"]
    ceiling_w = (ledger or sized.ledger)["power_budget_mw"] * W_PER_MW
    wanted = 1 + sized.ledger["backlog_frac"]
    return np.minimum(wanted, ceiling_w / held_w) if held_w else wanted


def chips_needed(sized: Sized, fleet: Fleet, served: Any, ledger: Ledger) -> dict[str, Any]:
    """Chips in use by type, the owned types included."""
    need: dict[str, Any] = dict.fromkeys(sized.owned, 0.0)
    for pool in fleet.pools:
        more = pool.n_accelerators * stretch(pool, ledger, sized.ledger) * served
        need[pool.accelerator] = need.get(pool.accelerator, 0.0) + more
    return need


def _bought(sized: Sized, need: Mapping[str, Any]) -> dict[str, Any]:
    """Chips that the owned ones do not cover, by type."""
    more = {chip: np.maximum(n - sized.owned.get(chip, 0.0), 0) for chip, n in need.items()}
    return {chip: n for chip, n in more.items() if np.any(n)}


def _needed_as_built(
    sized: Sized, fleets: Mapping[str, Fleet], ledger: Ledger
) -> Mapping[str, Any]:
    """Chips in use by type if nothing changes."""
    fleet = fleets[AS_BUILT]
    return chips_needed(sized, fleet, served_frac(sized, fleet, ledger), ledger)


def _covered_frac(sized: Sized, need: Mapping[str, Any]) -> Any:
    """How much of the as-built work the owned chips can do alone."""
    total = sum(need.values())
    kept = sum(np.minimum(n, sized.owned.get(chip, 0.0)) for chip, n in need.items())
    return kept / np.maximum(total, 1)


def _sold(
    sized: Sized, need: Mapping[str, Any], base: Mapping[str, Any], ledger: Ledger
) -> dict[str, Any]:
    """Owned chips no longer used: those that stand idle as built too, and those that are freed.

    The first are sold at the decision whether anything changes or not, the others at the start.
    """
    idle = {chip: np.maximum(n - need[chip], 0) for chip, n in sized.owned.items()}
    before = {chip: np.maximum(n - base[chip], 0) for chip, n in sized.owned.items()}
    surplus = {chip: np.minimum(n, before[chip]) for chip, n in idle.items()}
    freed = {chip: n - surplus[chip] for chip, n in idle.items()}
    names = ("resale_usd", "displaced_book_usd", "displaced_years")
    early = ("surplus_resale_usd", "surplus_book_usd", "surplus_years")
    return dict(zip(names, _fetched(freed, ledger), strict=True)) | dict(
        zip(early, _fetched(surplus, ledger), strict=True)
    )


def _fetched(sold: Mapping[str, Any], ledger: Ledger) -> tuple[Any, Any, Any]:
    """Proceeds [USD], book value [USD] and mean remaining life [years] of owned chips."""
    received = 1 - ledger["estimates.money.resale_haircut_frac"]

    def total(field: str) -> Any:
        return sum(n * ledger[f"owned.{chip}.{field}"] for chip, n in sold.items())

    life = ledger["finance.life_years"]
    rest = {chip: np.maximum(life - ledger[f"owned.{chip}.age_years"], 0) for chip in sold}
    chips = np.maximum(sum(sold.values()), 1)
    return (
        total("resale_usd") * received,
        total("book_usd"),
        sum(n * rest[chip] for chip, n in sold.items()) / chips,
    )


def _purchase_usd(sized: Sized, bought: Mapping[str, Any], ledger: Ledger) -> Any:
    """Price of the new chips all in; nothing where they are rented."""
    if sized.scenario.finance.basis == "rent":
        return 0.0
    return sum(n * all_in_usd(chip, sized.catalog, ledger) for chip, n in bought.items())


def _running_usd_per_year(
    sized: Sized,
    fleet: Fleet,
    own: Costs,
    need: Mapping[str, Any],
    served: Any,
    ledger: Ledger,
) -> tuple[Any, Any]:
    """Energy, and the cash opex that demand does not move.

    Owned halls are paid for: within the ceiling they cost no cash. Owned chips pay no rent, and
    of what a rented chip takes only its licence is not in the rent.
    """
    scenario, catalog = sized.scenario, sized.catalog
    if scenario.finance.basis != "rent":
        space = own.space_usd_per_year if scenario.finance.basis == "colocate" else 0.0
        return own.energy_usd_per_year * served, (own.upkeep_usd_per_year + space) * served
    housed = scenario.model_copy(
        update={"finance": scenario.finance.model_copy(update={"basis": "colocate"})}
    )
    ours = costs(fleet, housed, catalog, ledger, sized.ledger)
    bought = _bought(sized, need)
    kept = 1 - sum(bought.values()) / np.maximum(sum(need.values()), 1)
    rent = sum(n * capital_usd_per_year(c, scenario, catalog, ledger) for c, n in bought.items())
    licences = own.licences_usd_per_year * served
    at_home = (ours.running_usd_per_year - ours.energy_usd_per_year) * served - licences
    return ours.energy_usd_per_year * served * kept, at_home * kept + licences + rent


def _new_types(sized: Sized, bought: Mapping[str, Any]) -> list[str]:
    """Bought chips of a type that the site does not host yet; everything fits an empty site."""
    return [chip for chip in bought if chip not in sized.owned] if sized.owned else []


def _setup_usd(
    sized: Sized,
    fleet: Fleet,
    bought: Mapping[str, Any],
    sold: Volumes,
    own: Costs,
    ledger: Ledger,
) -> Any:
    """Spent at the decision: re-equipped halls, rolled-out software, a split's bad quarter."""
    facility_mw = retrofitted_w(sized, bought) * ledger["site.pue"] / W_PER_MW
    retrofit = facility_mw * ledger["site.retrofit_usd_per_mw"]
    risk = friction.bad_quarter_usd(sold, own.energy_usd_per_year, ledger) if fleet.split else 0.0
    return retrofit + risk + _rollout_usd(sized, fleet, ledger)


def retrofitted_w(sized: Sized, bought: Mapping[str, Any]) -> Any:
    """IT nameplate of bought chips that the halls must be re-equipped for. Returns: [W]"""
    new = _new_types(sized, bought)
    return sum(bought[chip] * nameplate_w(chip, sized.catalog, sized.ledger) for chip in new)


def _rollout_usd(sized: Sized, fleet: Fleet, ledger: Ledger) -> Any:
    """Engineers who validate and roll out new software; nothing where nothing changes."""
    scenario = sized.scenario
    if fleet.id == AS_BUILT or scenario.software == scenario.available_software:
        return 0.0
    people = ledger["estimates.money.rollout_engineers"] * ledger["operator.loaded_usd_per_year"]
    return people * ledger["estimates.money.rollout_quarters"] / QUARTERS_PER_YEAR


def _start_quarters(sized: Sized, fleet: Fleet, bought: Mapping[str, Any], ledger: Ledger) -> Any:
    """Quarters to the first benefit: what is built, then what must arrive or be re-equipped."""
    built: Any = ledger["operator.build_quarters"] if fleet.split else 0.0
    if not fleet.split and _rollout_usd(sized, fleet, sized.ledger):
        built = ledger["estimates.money.rollout_quarters"]
    buys, rebuilds = (
        np.greater(sum(bought[chip] for chip in chips), 0)
        for chips in (bought, _new_types(sized, bought))
    )
    arrived = ledger["estimates.money.delivery_quarters"] * buys
    return built + np.maximum(arrived, ledger["site.retrofit_quarters"] * rebuilds)
