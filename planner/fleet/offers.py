"""What a scenario allows: which software on which chips may serve a class, option by option."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from planner.demand.parts import Software
from planner.demand.scenario import Scenario
from planner.demand.workload import Demand
from planner.facts.accelerators import Accelerator
from planner.facts.catalog import Catalog
from planner.facts.ledger import Ledger
from planner.fleet.candidates import Candidates, candidates
from planner.fleet.fabric import link
from planner.fleet.grid import Offer, remedies
from planner.fleet.sizing import Buying


@dataclass(frozen=True, slots=True)
class Sizing:
    """What sizing needs to know about the scenario, computed once.

    owned_frac: share of each owned chip type. purchasable, paper: chips by id. excluded: why a
    candidate cannot be used.
    buying: what orders the candidates, and in what units they come.
    """

    scenario: Scenario
    catalog: Catalog
    ledger: Ledger
    demands: tuple[Demand, ...]
    owned_frac: Mapping[str, float]
    purchasable: tuple[str, ...]
    paper: tuple[str, ...]
    excluded: Mapping[str, str]
    buying: Buying

    def chips(self, ids: Iterable[str]) -> tuple[Accelerator, ...]:
        """Catalog entries whose memory is known, in order, each once."""
        chips = (self.catalog.accelerators[name] for name in dict.fromkeys(ids))
        return tuple(chip for chip in chips if chip.memory_bytes is not None)


@dataclass(frozen=True, slots=True)
class Ways:
    """Offers of each class by place: with today's software, with what could be, and split.

    elsewhere: classes that no owned chip holds with today's software; their first are of chips
    that could be bought.
    """

    built: Mapping[str, tuple[int, ...]]
    remedied: Mapping[str, tuple[int, ...]]
    split: Mapping[str, tuple[int, ...]]
    elsewhere: frozenset[str]


def allowed(sizing: Sizing) -> tuple[Candidates | None, Ways]:
    """Every configuration that the scenario allows, and what each stands for."""
    fitting = [demand for demand in sizing.demands if _within_context(sizing, demand)]
    held, ways = _tried(sizing, fitting, frozenset())
    lacking = frozenset(
        demand.name for demand in fitting if not _has_rows(held, ways.built[demand.name])
    )
    return _tried(sizing, fitting, lacking) if lacking else (held, ways)


def _within_context(sizing: Sizing, demand: Demand) -> bool:
    most = sizing.catalog.models[demand.source.model].max_context
    return demand.input_tokens + demand.output_tokens <= most


def _has_rows(held: Candidates | None, offers: Sequence[int]) -> bool:
    return held is not None and any((held.curves.grid.offer == index).any() for index in offers)


def _tried(
    sizing: Sizing, demands: Sequence[Demand], elsewhere: frozenset[str]
) -> tuple[Candidates | None, Ways]:
    now, could = sizing.scenario.software, sizing.scenario.available_software
    owned, bought = sizing.chips(sizing.owned_frac), sizing.chips(sizing.purchasable)
    everyone = sizing.chips((*sizing.owned_frac, *sizing.purchasable, *sizing.paper))
    chunks, several = _chunks(sizing.ledger), remedies(now, could)
    offers: list[Offer] = []
    built, remedied, split = {}, {}, {}
    for demand in demands:
        add = partial(_added, offers, sizing, demand)
        away = demand.name in elsewhere
        name = demand.name
        built[name] = add((now,), bought if away else owned, chunks)
        same = now == could and not away
        remedied[name] = built[name] if same else add(several, owned, chunks)
        split[name] = add(several, everyone, ())
    fabric = link(sizing.scenario.fabric, sizing.ledger)
    held = candidates(offers, fabric, sizing.buying, sizing.ledger)
    return held, Ways(built, remedied, split, elsewhere)


def _added(
    offers: list[Offer],
    sizing: Sizing,
    demand: Demand,
    softwares: Iterable[Software],
    chips: tuple[Accelerator, ...],
    chunks: tuple[float, ...],
) -> tuple[int, ...]:
    """Add an offer for each software; their places among the offers."""
    model, first = sizing.catalog.models[demand.source.model], len(offers)
    offers.extend(Offer(demand, model, each, chips, chunks) for each in softwares)
    return tuple(range(first, len(offers)))


def _chunks(ledger: Ledger) -> tuple[float, ...]:
    """Sizes of a chunk that an engine may be set to, each tried."""
    usual = ledger["estimates.serving.chunk_tokens"]
    ends = (ledger[f"estimates.serving.chunk_tokens_{end}"] for end in ("least", "most"))
    return tuple(sorted({usual, *ends}))
