"""The ladder: the six ways to serve the same demand, each sized to the same service levels."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from planner.demand.parts import Software
from planner.demand.scenario import Scenario
from planner.demand.workload import Demand
from planner.facts.accelerators import Accelerator
from planner.facts.catalog import Catalog
from planner.facts.ledger import Ledger
from planner.fleet.building import pool
from planner.fleet.curves import Curves, curves
from planner.fleet.fabric import Handoff, kv_handoff
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL, Fleet, Pool
from planner.fleet.sizing import (
    Buying,
    Table,
    choose,
    decode_table,
    monolithic_table,
    prefill_table,
)
from planner.text import seconds

LABELS = {
    "as-built": "Keep buying what is owned, software as it is",
    "monolithic-software": "Same chips, all software the operator could switch on",
    "split-same-chip": "Prefill and decode pools on the same chips",
    "split-capped": "The same split, decode pool power-capped",
    "split-mixed": "Best chip for each pool that can be bought or rented",
    "split-specialised": "Phase-specialised chips on paper",
}
PURCHASABLE = tuple(LABELS)[:-1]


@dataclass(frozen=True, slots=True)
class Sizing:
    """What sizing needs to know about the scenario, computed once.

    owned_frac: share of each owned chip type. purchasable, paper: chips by id.
    buying: what orders the candidates, and in what units they come.
    """

    scenario: Scenario
    catalog: Catalog
    ledger: Ledger
    demands: tuple[Demand, ...]
    owned_frac: Mapping[str, float]
    purchasable: tuple[str, ...]
    paper: tuple[str, ...]
    buying: Buying

    def chips(self, ids: Iterable[str]) -> list[Accelerator]:
        """Catalog entries in order, each once."""
        return [self.catalog.accelerators[name] for name in dict.fromkeys(ids)]


Timed = tuple[Curves, Table]


@dataclass(frozen=True, slots=True)
class ClassTables:
    """Every candidate of one class, timed: as built, with software, and split."""

    demand: Demand
    built: Timed | None
    remedied: Timed | None
    prefill: Timed | None
    decode: Timed | None
    handoff: Handoff | None


@dataclass(frozen=True, slots=True)
class Draft:
    """Pools of one class, and why they do not serve it, if they do not."""

    pools: tuple[Pool, ...]
    problems: tuple[str, ...] = ()


def ladder(sizing: Sizing) -> tuple[Fleet, ...]:
    """The six options in the order of the bridge."""
    tables = [_class_tables(sizing, demand) for demand in sizing.demands]
    owned = tuple(sizing.owned_frac)
    drafts: dict[str, Callable[[ClassTables], Draft]] = {
        "as-built": lambda held: _monolithic(sizing, held, held.built),
        "monolithic-software": lambda held: _monolithic(sizing, held, held.remedied),
        "split-same-chip": lambda held: _split_by_type(sizing, held),
        "split-mixed": lambda held: _split(sizing, held, (*owned, *sizing.purchasable)),
        "split-specialised": lambda held: _split(sizing, held, sizing.paper),
    }
    fleets = {
        name: _fleet(name, [draft(held) for held in tables]) for name, draft in drafts.items()
    }
    same = fleets["split-same-chip"]
    fleets["split-capped"] = replace(same, id="split-capped", label=LABELS["split-capped"])
    return tuple(fleets[name] for name in LABELS)


def _fleet(name: str, drafts: Sequence[Draft]) -> Fleet:
    problems = [problem for draft in drafts for problem in draft.problems]
    return Fleet(
        id=name,
        label=LABELS[name],
        pools=tuple(pool for draft in drafts for pool in draft.pools),
        feasible=not problems,
        reason=" ".join(dict.fromkeys(problems)),
    )


def _class_tables(sizing: Sizing, demand: Demand) -> ClassTables:
    model = sizing.catalog.models[demand.source.model]
    scenario, ledger = sizing.scenario, sizing.ledger
    now, could = scenario.software, scenario.available_software
    everyone = sizing.chips([*sizing.owned_frac, *sizing.purchasable, *sizing.paper])
    owned = sizing.chips(sizing.owned_frac)
    built = curves(model, demand, now, owned, ledger)
    remedied = built if now == could else curves(model, demand, could, owned, ledger)
    split = curves(model, demand, could, everyone, ledger)
    sent = kv_handoff(scenario.fabric, split, model.n_layers, ledger) if split else None
    peak, quantile = demand.peak_per_s, ledger["estimates.serving.slo_quantile"]
    return ClassTables(
        demand=demand,
        built=(built, _monolithic_table(built, demand, now)) if built else None,
        remedied=(remedied, _monolithic_table(remedied, demand, could)) if remedied else None,
        prefill=(split, prefill_table(split, demand, peak, sent.visible_s, quantile))
        if split and sent
        else None,
        decode=(split, decode_table(split, demand, peak)) if split else None,
        handoff=sent,
    )


def _monolithic_table(held: Curves, demand: Demand, software: Software) -> Table:
    return monolithic_table(
        held,
        demand,
        demand.peak_per_s,
        chunked=software.chunked_prefill,
        prefix_cache=software.prefix_cache,
    )


def _monolithic(sizing: Sizing, tables: ClassTables, held: Timed | None) -> Draft:
    if held is None:
        return Draft((), (_does_not_fit(tables.demand),))
    shares = _demand_shares(sizing, held, tables.demand)
    return _together(
        _sized(sizing, MONOLITHIC, held, tables.demand, {chip}, share)
        for chip, share in shares.items()
    )


def _demand_shares(sizing: Sizing, held: Timed, demand: Demand) -> dict[str, float]:
    """Demand by owned chip type such that chips stand in their owned proportions."""
    carried = {}
    for chip, owned in sizing.owned_frac.items():
        choice = choose(held[1], held[0], demand.peak_per_s, sizing.buying, allowed={chip})
        if choice is not None:
            carried[chip] = owned / choice.n_accelerators
    total = sum(carried.values())
    return {chip: value / total for chip, value in carried.items()}


def _split_by_type(sizing: Sizing, tables: ClassTables) -> Draft:
    """Both pools on each owned chip type, demand shared as the monolithic fleet shares it."""
    if tables.remedied is None:
        return Draft((), (_does_not_fit(tables.demand),))
    shares = _demand_shares(sizing, tables.remedied, tables.demand)
    return _together(_split(sizing, tables, (chip,), share) for chip, share in shares.items())


def _split(sizing: Sizing, tables: ClassTables, chips: Sequence[str], share: float = 1.0) -> Draft:
    if tables.prefill is None or tables.decode is None or tables.handoff is None:
        return Draft((), (_does_not_fit(tables.demand),))
    prefill = _sized(sizing, PREFILL, tables.prefill, tables.demand, set(chips), share)
    decode = _sized(sizing, DECODE, tables.decode, tables.demand, set(chips), share)
    if not (prefill.pools and decode.pools):
        return _together((prefill, decode))
    sent = tables.handoff
    kv_per_s = sent.kv_bytes * tables.demand.peak_per_s * share
    first = replace(prefill.pools[0], kv_bytes_per_s=kv_per_s, kv_transfer_s=sent.transfer_s)
    problems = (*prefill.problems, *decode.problems)
    return Draft((first, *decode.pools), problems)


def _sized(
    sizing: Sizing, role: str, held: Timed, demand: Demand, chips: set[str], share: float
) -> Draft:
    """The cheapest pool of a role; with a sentence when no size of it meets the service levels."""
    table_curves, table = held
    matching = (
        sizing.ledger[f"software.rate_matching.{role}_rate_frac"] if role != MONOLITHIC else 1
    )
    choice = choose(
        table,
        table_curves,
        demand.peak_per_s,
        sizing.buying,
        allowed=chips,
        share=share,
        matching_frac=matching,
    )
    if choice is None:
        return Draft((), (_does_not_fit(demand),))
    built = pool(role, table_curves, choice, demand, share=share)
    return Draft((built,), () if choice.slack <= TOLERANCE else (_misses(demand, built),))


TOLERANCE = 1 + 1e-6


def _together(drafts: Iterable[Draft]) -> Draft:
    held = list(drafts)
    return Draft(
        tuple(pool for draft in held for pool in draft.pools),
        tuple(problem for draft in held for problem in draft.problems),
    )


def _does_not_fit(demand: Demand) -> str:
    return (
        f"No allowed chip holds {demand.source.model} for {demand.name}: "
        "allow a chip with more memory, or lower precision."
    )


def _misses(demand: Demand, built: Pool) -> str:
    """The service level that no size reaches, and the nearest one that would be met."""
    wanted = demand.source
    reached = []
    if built.p99_ttft_s is not None and built.p99_ttft_s > wanted.p99_ttft_s:
        reached.append(
            f"first token {seconds(built.p99_ttft_s)}, {seconds(wanted.p99_ttft_s)} asked"
        )
    if built.p99_tpot_s is not None and built.p99_tpot_s > wanted.p99_tpot_s:
        reached.append(f"per token {seconds(built.p99_tpot_s)}, {seconds(wanted.p99_tpot_s)} asked")
    return (
        f"No number of {built.accelerator} {built.role} replicas meets the p99 of {demand.name}: "
        f"best {' and '.join(reached)}."
    )
