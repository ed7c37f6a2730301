"""Stage one of a plan: the demand, and every option sized to it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from planner.decision.assumptions import ledger_of
from planner.demand.scenario import Scenario
from planner.demand.workload import Demand, demands
from planner.errors import ScenarioError
from planner.facts.accelerators import Accelerator
from planner.facts.catalog import Catalog
from planner.facts.ledger import Ledger
from planner.fleet.menu import menu_pools
from planner.fleet.offers import Sizing, allowed
from planner.fleet.options import ladder
from planner.fleet.pools import Fleet, Pool
from planner.fleet.sizing import Buying, server_chips
from planner.fleet.watts import Watts, capped, fleet_watts, nameplate_w, tdp
from planner.money.prices import usd_per_chip_year
from planner.physics.machines import fallback_caveat
from planner.text import number

TRICKLE_PER_S = 1e-9
NOBODY = (
    "Nobody asks for anything, so the options show the smallest fleets that could answer: give "
    "demand_scale and the requests_per_s of one class a value above 0."
)
CAPPED = ("split-capped", "split-mixed", "split-specialised")


@dataclass(frozen=True, slots=True)
class Sized:
    """The deterministic physical part of a plan.

    watts: IT power by option id. menu: pools that the proposed plan may mix.
    """

    scenario: Scenario
    catalog: Catalog
    ledger: Ledger
    demands: tuple[Demand, ...]
    fleets: Mapping[str, Fleet]
    watts: Mapping[str, Watts]
    menu: tuple[Pool, ...]
    owned: Mapping[str, float]
    caveats: tuple[str, ...]


def sized(scenario: Scenario, catalog: Catalog) -> Sized:
    """Size the six options to the scenario's demand in its planning month."""
    asked = sizing(scenario, catalog)
    ledger = asked.ledger
    held, ways = allowed(asked)
    fleets = {fleet.id: fleet for fleet in ladder(asked, held, ways)}
    fleets |= {name: capped(fleets[name], catalog, ledger) for name in CAPPED}
    every = Fleet("menu", "", menu_pools(asked, held, ways) if held else (), feasible=True)
    menu = capped(every, catalog, ledger).pools
    watts = {name: fleet_watts(fleet, catalog, ledger) for name, fleet in fleets.items()}
    caveats = (*_own(catalog), *asked.excluded.values(), *_fallbacks(scenario, catalog, fleets))
    owned = serving_chips(scenario)
    return Sized(scenario, catalog, ledger, asked.demands, fleets, watts, menu, owned, caveats)


def _own(catalog: Catalog) -> Iterator[str]:
    """Says so where a user's own facts lie over the catalog."""
    if catalog.own:
        yield f"Rests on figures of the reader's own: {', '.join(catalog.own)}."


def sizing(scenario: Scenario, catalog: Catalog) -> Sizing:
    """What sizing needs to know of a scenario."""
    ledger = ledger_of(scenario, catalog)
    owned = serving_chips(scenario)
    owned_frac = _proportions(scenario, owned)
    _check_owned(catalog, "owned" if owned else "default_accelerator", owned_frac)
    excluded = dict(_excluded(scenario, catalog, ledger))
    purchasable = tuple(name for name in scenario.candidates if name not in excluded)
    paper = tuple(_paper(catalog))
    asked = tuple(row for row in demands(scenario) if row.peak_per_s > 0)
    if not asked:
        excluded["demand"] = NOBODY
    return Sizing(
        scenario=scenario,
        catalog=catalog,
        ledger=ledger,
        demands=asked or _trickle(demands(scenario)),
        owned_frac=owned_frac,
        purchasable=purchasable,
        paper=paper,
        excluded=excluded,
        buying=Buying(
            usd_per_chip_year={
                chip: usd_per_chip_year(chip, scenario, catalog, ledger)
                for chip in sorted({*owned_frac, *purchasable, *paper})
            },
            server_chips=int(ledger["estimates.serving.server_chips"]),
            spare_replicas=int(ledger["estimates.serving.spare_replicas"]),
        ),
    )


def _trickle(rows: Iterable[Demand]) -> tuple[Demand, ...]:
    """Classes of which hardly anybody asks anything: the smallest fleets that could answer."""
    return tuple(replace(row, mean_per_s=TRICKLE_PER_S, peak_per_s=TRICKLE_PER_S) for row in rows)


def serving_chips(scenario: Scenario) -> dict[str, float]:
    """Owned chips that serve, by type; training keeps its share."""
    owned: dict[str, float] = {}
    for row in scenario.owned:
        serving = row.n * (1 - scenario.training_frac)
        owned[row.accelerator] = owned.get(row.accelerator, 0.0) + serving
    return {chip: n for chip, n in owned.items() if n > 0}


def _proportions(scenario: Scenario, owned: Mapping[str, float]) -> dict[str, float]:
    """Share of each owned type; all of the default chip where nothing is owned."""
    total = sum(owned.values())
    if not total:
        return {scenario.default_accelerator: 1.0}
    return {chip: n / total for chip, n in owned.items()}


def _excluded(scenario: Scenario, catalog: Catalog, ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Candidates that cannot be used, each with the sentence that says why."""
    for name in scenario.candidates:
        chip = catalog.accelerators[name]
        reason = chip.why_not("access") or _incomplete(scenario, chip)
        reason = reason or _too_hot(scenario, chip, catalog, ledger)
        if reason:
            yield name, reason


def _incomplete(scenario: Scenario, chip: Accelerator) -> str:
    """The fact that keeps a chip from being timed, powered or paid for on the scenario's basis."""
    if reason := chip.why_not("timing") or chip.why_not("power"):
        return reason
    if scenario.finance.basis == "rent" and chip.rental_usd_per_hour is None:
        return f"{chip.name} has no published rental rate; enter one to rent it."
    if scenario.finance.basis != "rent" and chip.price_usd is None:
        return f"{chip.name} has no published purchase price; enter one to buy it."
    return ""


def _check_owned(catalog: Catalog, field: str, chips: Iterable[str]) -> None:
    """Refuse owned chips that cannot be timed, powered or priced."""
    for name in chips:
        chip = catalog.accelerators[name]
        reason = chip.why_not("timing") or chip.why_not("power")
        if reason or chip.price_usd is None:
            raise ScenarioError(
                f"{field}: {reason or f'{chip.name} has no published purchase price.'}"
            )


def _too_hot(scenario: Scenario, chip: Accelerator, catalog: Catalog, ledger: Ledger) -> str:
    """Whether the smallest unit that can be bought draws more than a rack may."""
    together = server_chips(chip, int(ledger["estimates.serving.server_chips"]))
    unit_w = together * nameplate_w(chip.id, catalog, ledger)
    hottest = ledger["estimates.serving.air_cooled_tdp_w"]
    if scenario.site.cooling == "air" and tdp(chip.id, ledger) > hottest:
        return f"{chip.name} needs liquid cooling, and the halls here are air-cooled."
    if unit_w <= scenario.site.rack_limit_w:
        return ""
    return (
        f"{chip.name} comes in units of {number(unit_w, place=0)} W and a rack here may draw "
        f"{number(scenario.site.rack_limit_w, place=0)} W; raise site.rack_limit_w to allow it."
    )


def _paper(catalog: Catalog) -> Iterator[str]:
    """Phase-specialised designs with stated performance; the paper's own baseline is none."""
    for chip in catalog.accelerators.values():
        named = chip.prefill_perf_frac, chip.decode_perf_frac
        if chip.access == "paper" and all(named) and named[0].value != named[1].value:  # type: ignore[union-attr]
            yield chip.id


def _fallbacks(scenario: Scenario, catalog: Catalog, fleets: Mapping[str, Fleet]) -> Iterator[str]:
    """A caveat for each chip in use that lacks the precision asked."""
    used = {pool.accelerator for fleet in fleets.values() for pool in fleet.pools}
    asked = {scenario.software.weight_precision, scenario.available_software.weight_precision}
    for chip in sorted(used):
        for weights in sorted(asked):
            if caveat := fallback_caveat(catalog.accelerators[chip], weights):
                yield caveat
