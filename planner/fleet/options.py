"""The ladder: the six ways to serve the same demand, each sized to the same service levels."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from planner.demand.parts import Software
from planner.demand.scenario import Scenario
from planner.demand.workload import Demand
from planner.facts.accelerators import Accelerator
from planner.facts.catalog import Catalog
from planner.facts.ledger import Ledger
from planner.facts.units import BYTES_PER_GBIT
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
    server_chips,
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
    """Every candidate of one class, timed: as built, with software, and split.

    owned_fit: whether an owned chip holds the model with the software in place.
    """

    demand: Demand
    built: Timed | None
    remedied: Timed | None
    prefill: Timed | None
    decode: Timed | None
    handoff: Handoff | None
    owned_fit: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """Pools of one class, and why they do not serve it, if they do not."""

    pools: tuple[Pool, ...]
    problems: tuple[str, ...] = ()


def ladder(sizing: Sizing) -> tuple[Fleet, ...]:
    """The six options in the order of the bridge."""
    tables = [_class_tables(sizing, demand) for demand in sizing.demands]
    owned = tuple(sizing.owned_frac)
    anyone = (*owned, *sizing.purchasable)
    paper = [_fit_for(sizing, role) for role in (PREFILL, DECODE)]
    drafts: dict[str, Callable[[ClassTables], Draft]] = {
        "as-built": lambda held: _monolithic(sizing, held, held.built),
        "monolithic-software": lambda held: _monolithic(sizing, held, held.remedied),
        "split-same-chip": lambda held: _split(sizing, held, owned, owned),
        "split-mixed": lambda held: _split(sizing, held, anyone, anyone),
        "split-specialised": lambda held: _split(sizing, held, *paper),
    }
    fleets = {
        name: _fleet(name, [draft(held) for held in tables]) for name, draft in drafts.items()
    }
    same = fleets["split-same-chip"]
    fleets["split-capped"] = replace(same, id="split-capped", label=LABELS["split-capped"])
    return tuple(fleets[name] for name in LABELS)


def _fit_for(sizing: Sizing, role: str) -> tuple[str, ...]:
    """Paper chips designed for a role."""
    chips = sizing.catalog.accelerators
    return tuple(chip for chip in sizing.paper if chips[chip].phase_fit.startswith(role))


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
    if demand.input_tokens + demand.output_tokens > model.max_context:
        return ClassTables(demand, None, None, None, None, None, False)
    now, could = scenario.software, scenario.available_software
    owned, bought = sizing.chips(sizing.owned_frac), sizing.chips(sizing.purchasable)
    built = curves(model, demand, now, owned, ledger)
    fits = built is not None
    built = built or curves(model, demand, now, bought, ledger)
    remedied = built if fits and now == could else curves(model, demand, could, owned, ledger)
    everyone = sizing.chips([*sizing.owned_frac, *sizing.purchasable, *sizing.paper])
    split = curves(model, demand, could, everyone, ledger)
    sent = kv_handoff(scenario.fabric, split, model.n_layers, ledger) if split else None
    return ClassTables(
        demand=demand,
        built=(built, _monolithic_table(built, demand, now)) if built else None,
        remedied=(remedied, _monolithic_table(remedied, demand, could)) if remedied else None,
        prefill=(split, _prefill_table(split, demand, sent, ledger)) if split and sent else None,
        decode=(split, _decode_table(split, demand, ledger)) if split else None,
        handoff=sent,
        owned_fit=fits,
    )


def _prefill_table(held: Curves, demand: Demand, sent: Handoff, ledger: Ledger) -> Table:
    quantile = ledger["estimates.serving.slo_quantile"]
    share = 1 - ledger["estimates.serving.decode_wait_share_frac"]
    return prefill_table(held, demand, demand.peak_per_s, sent.visible_s, quantile, share)


def _decode_table(held: Curves, demand: Demand, ledger: Ledger) -> Table:
    share = ledger["estimates.serving.decode_wait_share_frac"]
    return decode_table(held, demand, demand.peak_per_s, share)


def _monolithic_table(held: Curves, demand: Demand, software: Software) -> Table:
    return monolithic_table(
        held,
        demand,
        demand.peak_per_s,
        chunked=software.chunked_prefill,
        prefix_cache=software.prefix_cache,
    )


def _monolithic(sizing: Sizing, tables: ClassTables, held: Timed | None) -> Draft:
    """One pool per owned type; where no owned chip holds the model, of chips that could."""
    if held is None:
        return Draft((), (_does_not_fit(sizing, tables.demand),))
    if held is tables.built and not tables.owned_fit:
        instead = _sized(sizing, MONOLITHIC, held, tables.demand, set(sizing.purchasable), 1.0)
        return replace(instead, problems=(_does_not_fit(sizing, tables.demand), *instead.problems))
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


def _split(
    sizing: Sizing, tables: ClassTables, prefill: Sequence[str], decode: Sequence[str]
) -> Draft:
    """The cheapest prefill and decode pools among the chips allowed for each."""
    demand, sent = tables.demand, tables.handoff
    if tables.prefill is None or tables.decode is None or sent is None:
        return Draft((), (_does_not_fit(sizing, demand),))
    first = _sized(sizing, PREFILL, tables.prefill, demand, set(prefill), 1.0)
    second = _sized(sizing, DECODE, tables.decode, demand, set(decode), 1.0)
    if not (first.pools and second.pools):
        return _together((first, second))
    kv_per_s = sent.kv_bytes * demand.peak_per_s
    pool_ = replace(first.pools[0], kv_bytes_per_s=kv_per_s, kv_transfer_s=sent.transfer_s)
    crowded = _crowded(sizing, pool_)
    return Draft((pool_, *second.pools), (*first.problems, *second.problems, *crowded))


def _crowded(sizing: Sizing, prefill: Pool) -> tuple[str, ...]:
    """A sentence when the prefill servers' links cannot carry the caches at peak."""
    chip = sizing.catalog.accelerators[prefill.accelerator]
    servers = prefill.n_accelerators / server_chips(chip, sizing.buying.server_chips)
    needed = prefill.kv_bytes_per_s / BYTES_PER_GBIT / max(servers, 1)
    held = sizing.scenario.fabric.gbit_per_s_per_node
    if needed < held:
        return ()
    sentence = (
        f"The fabric is too slow for {prefill.class_name}: {held:,.0f} Gbit/s per server, and "
        f"{needed:,.0f} Gbit/s would do."
    )
    return (sentence,)


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
        return Draft((), (_does_not_fit(sizing, demand),))
    built = pool(role, table_curves, choice, demand, share=share)
    return Draft((built,), () if choice.slack <= TOLERANCE else (_misses(demand, built),))


TOLERANCE = 1 + 1e-6


def _together(drafts: Iterable[Draft]) -> Draft:
    held = list(drafts)
    return Draft(
        tuple(pool for draft in held for pool in draft.pools),
        tuple(problem for draft in held for problem in draft.problems),
    )


def _does_not_fit(sizing: Sizing, demand: Demand) -> str:
    asked = demand.source
    most = sizing.catalog.models[asked.model].max_context
    if demand.input_tokens + demand.output_tokens > most:
        return f"{asked.name} asks for more than the {most:,} tokens that {asked.model} can hold."
    return (
        f"No allowed chip holds {asked.model} for {asked.name}: "
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
