"""Every configuration that could serve: chips, how a model lies over them, and what runs on them.

Rows of arrays, all classes together, so that physics times thousands of them at once. A replica
consists of groups that step together, each with sequences of its own: attention groups side by
side, and the stages of a pipeline, which take turns on as many batches. Queues form at groups.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from numpy.typing import NDArray

from planner.demand.parts import Software
from planner.demand.workload import Demand
from planner.facts.accelerators import Accelerator
from planner.facts.ledger import Ledger
from planner.facts.models import Model
from planner.physics.efficiency import model_kind
from planner.physics.layout import Layout
from planner.physics.machines import Machine, machines
from planner.physics.memory import places
from planner.physics.profile import Profile, profile, stacked

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STAGE_CHIPS = (1, 2, 4, 8, 16, 32)
STAGES = (2, 4)
PRECISIONS = ("bf16", "fp8", "fp4")
"""Of weights, from the widest."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to serve a class: the software that runs, and the chips it may run on.

    chunks: tokens of prompt that a step may carry, each tried; none where pools are split.
    """

    demand: Demand
    model: Model
    software: Software
    chips: tuple[Accelerator, ...]
    chunks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """Configurations that hold their model (rows,), and what serves on each.

    offer, chip: which of `offers` and `chips` a row is of. chunk_tokens: 0 where pools are split.
    batch_cap: requests that a group can decode at once. held_requests: caches of prompts that a
    group's memory has room for.
    """

    offers: tuple[Offer, ...]
    chips: tuple[Accelerator, ...]
    offer: Ints
    chip: Ints
    layout: Layout
    chunk_tokens: Floats
    held: Profile
    machine: Machine
    batch_cap: Ints
    held_requests: Floats

    def __len__(self) -> int:
        """How many configurations there are."""
        return len(self.offer)

    @property
    def groups(self) -> Floats:
        """Groups of a replica (rows,). [1]"""
        return np.asarray(self.layout.attention_dp * self.layout.pp, float)

    @property
    def n_chips(self) -> Ints:
        """Chips of a replica (rows,)."""
        return np.asarray(self.layout.n_chips, np.int64)

    @property
    def held_column(self) -> Profile:
        """The models as columns, to broadcast against batches (rows, 1)."""
        return _profiles(self.offers, self.offer[:, None])

    def at(self, rows: Ints) -> "Grid":
        """Some of the configurations."""
        offer = self.offer[rows]
        return Grid(
            offers=self.offers,
            chips=self.chips,
            offer=offer,
            chip=self.chip[rows],
            layout=_taken(self.layout, rows),
            chunk_tokens=self.chunk_tokens[rows],
            held=_profiles(self.offers, offer),
            machine=self.machine.at(rows),
            batch_cap=self.batch_cap[rows],
            held_requests=self.held_requests[rows],
        )

    def of_offer(self, values: Sequence[float]) -> Floats:
        """A number of each offer (offers,), read at each row (rows,). [unit of the number]"""
        return np.asarray(values, float)[self.offer]


def remedies(now: Software, could: Software) -> tuple[Software, ...]:
    """What an operator may run who could switch to `could`.

    Weights at the precision of today, of what could be, or between; drafts as today, as could be,
    or none. What is left never costs speed, and is switched on.
    """
    if now == could:
        return (now,)
    first, last = sorted(PRECISIONS.index(each.weight_precision) for each in (now, could))
    drafts = dict.fromkeys((could.speculative, now.speculative, "none"))
    return tuple(
        could.model_copy(update={"weight_precision": weights, "speculative": each})
        for weights in PRECISIONS[first : last + 1]
        for each in drafts
    )


@cache
def layouts(model: Model, server_chips: int) -> tuple[tuple[int, int, int, int], ...]:
    """(tp, attention_dp, ep, pp) worth trying, up to 32 chips.

    Dense models are cut over all chips of a server at most, then over several in a row. Experts are
    spread over all chips; attention is cut over all, over those of a server, or each chip attends
    to sequences of its own.
    """
    found = [
        (tp, chips // tp, chips if model.n_experts else 1, 1)
        for chips in STAGE_CHIPS
        for tp in dict.fromkeys((1, server_chips, chips) if model.n_experts else (chips,))
        if tp <= chips
    ]
    rows = ((server_chips, 1), (1, server_chips)) if model.n_experts else ((server_chips, 1),)
    spread = server_chips if model.n_experts else 1
    return (*found, *((tp, dp, spread, pp) for pp in STAGES for tp, dp in rows))


def grid(offers: Sequence[Offer], ledger: Ledger) -> Grid | None:
    """All configurations of all offers whose memory holds the weights and one request at least.

    None where nothing fits.
    """
    chips = tuple({chip.id: chip for offer in offers for chip in offer.chips}.values())
    server_chips = int(ledger["estimates.serving.server_chips"])
    listed = list(_rows(offers, chips, server_chips))
    if not listed:
        return None
    rows = np.array(listed, float)
    offer, chip = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    held = _profiles(offers, offer)
    machine = _machines(offers, chips, offer, chip, ledger)
    layout, chunk = Layout(*rows[:, 2:-1].T), rows[:, -1]
    cap, room = _caps(offers, offer, layout, held, machine, ledger)
    kept = np.flatnonzero(cap >= 1)
    every = Grid(tuple(offers), chips, offer, chip, layout, chunk, held, machine, cap, room)
    return every.at(kept) if len(kept) else None


def _rows(
    offers: Sequence[Offer], chips: Sequence[Accelerator], server_chips: int
) -> Iterator[tuple[float, ...]]:
    """Offer, chip, layout and chunk of every row; tensor parallel stays inside a server."""
    place = {chip.id: index for index, chip in enumerate(chips)}
    for index, offer in enumerate(offers):
        tried = layouts(offer.model, server_chips)
        for chip in offer.chips:
            domain = chip.scale_up_domain.value if chip.scale_up_domain else 1
            near = [layout for layout in tried if layout[0] <= max(domain, server_chips)]
            for layout in near:
                for chunk in offer.chunks or (0.0,):
                    yield (index, place[chip.id], *layout, chunk)


def _taken(layout: Layout, rows: Ints) -> Layout:
    return Layout(*(np.asarray(getattr(layout, field.name))[rows] for field in fields(Layout)))


def _profiles(offers: Sequence[Offer], offer: Ints) -> Profile:
    """The model of each row in its checkpoint."""
    each = [
        profile(row.model, row.software.weight_precision, row.software.kv_precision)
        for row in offers
    ]
    return stacked(each, offer)


def _machines(
    offers: Sequence[Offer],
    chips: Sequence[Accelerator],
    offer: Ints,
    chip: Ints,
    ledger: Ledger,
) -> Machine:
    """The chip of each row and what it reaches with the row's kind of model and checkpoint."""
    about = [(model_kind(row.model), row.software.weight_precision) for row in offers]
    kinds = list(dict.fromkeys(about))
    kind = np.array([kinds.index(each) for each in about])[offer]
    code, which = np.unique(chip * len(kinds) + kind, return_inverse=True)
    pairs = [(chips[each // len(kinds)], *kinds[each % len(kinds)]) for each in code]
    return machines(pairs, ledger).at(which)


def _caps(
    offers: Sequence[Offer],
    offer: Ints,
    layout: Layout,
    held: Profile,
    machine: Machine,
    ledger: Ledger,
) -> tuple[Ints, Floats]:
    """Requests that a group can decode at once, and caches of prompts that it has room for.

    Prefixes that are kept on the chip take their share of it. An engine's own limit is for each
    attention group, and shared by the batches of a pipeline.
    """
    usable = ledger["estimates.serving.memory_usable_frac"]
    paging = 1 + ledger["estimates.serving.paging_waste_frac"]
    kept = ledger["estimates.serving.prefix_cache_memory_frac"]
    free = np.array([(1 - kept * _keeps_prefixes(row.software)) / paging for row in offers])

    def fit(tokens: Sequence[float]) -> Floats:
        room = places(
            held,
            layout,
            machine.memory_bytes,
            np.array(tokens)[offer],
            memory_frac=usable,
            free_frac=free[offer],
            reserve_bytes=0.0,
        )
        return np.asarray(room / (layout.attention_dp * layout.pp))

    limit = ledger["estimates.serving.max_batch"] / layout.pp
    running = fit([row.demand.context_tokens for row in offers])
    cap = np.floor(np.clip(running, 0, limit)).astype(np.int64)
    return cap, fit([row.demand.input_tokens for row in offers])


def _keeps_prefixes(software: Software) -> bool:
    return software.prefix_cache and not software.kv_offload
