"""Stage one of a plan: the demand, and every option sized to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from planner.decision.assumptions import ledger_of
from planner.demand.scenario import Scenario
from planner.demand.workload import Demand, demands
from planner.facts.accelerators import Accelerator
from planner.facts.catalog import Catalog
from planner.facts.ledger import Ledger
from planner.fleet.options import Sizing, ladder
from planner.fleet.pools import Fleet
from planner.fleet.sizing import Buying, server_chips
from planner.fleet.watts import Watts, capped, fleet_watts, nameplate_w
from planner.money.prices import usd_per_chip_year
from planner.physics.machines import fallback_caveat

CAPPED = ("split-capped", "split-mixed", "split-specialised")


@dataclass(frozen=True, slots=True)
class Sized:
    """The deterministic physical part of a plan. watts: IT power by option id."""

    scenario: Scenario
    catalog: Catalog
    ledger: Ledger
    demands: tuple[Demand, ...]
    fleets: Mapping[str, Fleet]
    watts: Mapping[str, Watts]
    owned: Mapping[str, float]
    caveats: tuple[str, ...]


def sized(scenario: Scenario, catalog: Catalog) -> Sized:
    """Size the six options to the scenario's demand in its planning month."""
    ledger = ledger_of(scenario, catalog)
    owned = serving_chips(scenario)
    excluded = dict(_excluded(scenario, catalog, ledger))
    purchasable = tuple(name for name in scenario.candidates if name not in excluded)
    paper = tuple(_paper(catalog))
    asked = demands(scenario)
    sizing = Sizing(
        scenario=scenario,
        catalog=catalog,
        ledger=ledger,
        demands=asked,
        owned_frac=_proportions(scenario, owned),
        purchasable=purchasable,
        paper=paper,
        buying=Buying(
            usd_per_chip_year={
                chip: usd_per_chip_year(chip, scenario, catalog, ledger)
                for chip in sorted({*_proportions(scenario, owned), *purchasable, *paper})
            },
            server_chips=int(ledger["estimates.serving.server_chips"]),
            spare_replicas=int(ledger["estimates.serving.spare_replicas"]),
        ),
    )
    fleets = {fleet.id: fleet for fleet in ladder(sizing)}
    fleets |= {name: capped(fleets[name], catalog, ledger) for name in CAPPED}
    watts = {name: fleet_watts(fleet, catalog, ledger) for name, fleet in fleets.items()}
    caveats = (*excluded.values(), *_fallbacks(scenario, catalog, fleets))
    return Sized(scenario, catalog, ledger, asked, fleets, watts, owned, caveats)


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
        reason = next(filter(None, map(chip.why_not, ("access", "timing", "power", "price"))), "")
        reason = reason or _too_hot(scenario, chip, catalog, ledger)
        if reason:
            yield name, reason


def _too_hot(scenario: Scenario, chip: Accelerator, catalog: Catalog, ledger: Ledger) -> str:
    """Whether the smallest unit that can be bought draws more than a rack may."""
    together = server_chips(chip, int(ledger["estimates.serving.server_chips"]))
    unit_w = together * nameplate_w(chip.id, catalog, ledger)
    if unit_w <= scenario.site.rack_limit_w:
        return ""
    return (
        f"{chip.name} comes in units of {unit_w:,.0f} W and a rack here may draw "
        f"{scenario.site.rack_limit_w:,.0f} W; raise site.rack_limit_w to allow it."
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
