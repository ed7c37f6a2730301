"""Step times of every candidate configuration of one workload class under one software state."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.demand.parts import Software
from planner.demand.workload import Demand
from planner.facts.accelerators import Accelerator
from planner.facts.ledger import Ledger
from planner.facts.models import Model
from planner.physics.layout import Layout, usual_layout
from planner.physics.machines import Machine, machine
from planner.physics.memory import places
from planner.physics.phases import StepTime, step_time
from planner.physics.profile import Profile, kv_bytes, profile
from planner.physics.transformer import Work, decode_work, mixed_work, prefill_work

Floats = NDArray[np.float64]
GROUPS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class Curves:
    """Rows are configurations (a chip and how many hold one model copy), columns are batches.

    layout: how each cuts a model. decode_s: one decode iteration at batch 1…B, +inf beyond what
    fits in memory (rows, B).
    mixed_s: the same beside one full chunk of prompt tokens. idle_mixed_s: a chunk alone (rows,).
    prefill_s: a whole prompt of mean length (rows,); load_s: fetching cached prefixes (rows,).
    tokens_per_step: output tokens a request gains in one iteration.
    """

    chips: tuple[Accelerator, ...]
    n_chips: NDArray[np.int64]
    layout: Layout
    decode: StepTime
    prefill: StepTime
    decode_s: Floats
    mixed_s: Floats
    idle_decode_s: Floats
    idle_mixed_s: Floats
    batch_cap: NDArray[np.int64]
    load_s: Floats
    chunk_tokens: float
    tokens_per_step: float
    kv_bytes_per_request: float
    kv_used_frac: float

    @property
    def prefill_s(self) -> Floats:
        """Time of a whole prompt of mean length (rows,) [s]."""
        return self.prefill.total_s


def curves(
    model: Model,
    demand: Demand,
    software: Software,
    chips: Sequence[Accelerator],
    ledger: Ledger,
) -> Curves | None:
    """All configurations whose memory holds the weights and at least one request; None if none."""
    held = profile(model, software.weight_precision, software.kv_precision)
    timed = [chip for chip in chips if chip.memory_bytes is not None]
    device = machine(timed, model, software.weight_precision, ledger)
    which = np.repeat(np.arange(len(timed)), len(GROUPS))
    n_chips = np.tile(np.array(GROUPS), len(timed))
    cap = _batch_cap(model, held, demand, software, device.at(which), n_chips, ledger)
    kept = np.flatnonzero(cap >= 1)
    if not len(kept):
        return None
    rows = _Rows(
        model=model,
        held=held,
        chips=tuple(timed[place] for place in which[kept]),
        n_chips=n_chips[kept],
        machine=device.at(which[kept]),
        layout=usual_layout(model, n_chips[kept]),
        batch_cap=cap[kept],
    )
    return _timed(rows, demand, software, ledger)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Configurations that hold the model, as `Curves` has them."""

    model: Model
    held: Profile
    chips: tuple[Accelerator, ...]
    n_chips: NDArray[np.int64]
    machine: Machine
    layout: Layout
    batch_cap: NDArray[np.int64]

    def step(self, work: Work) -> StepTime:
        """A step of each configuration (rows,)."""
        return step_time(self.held, self.machine, self.layout, work)

    def steps(self, work: Work) -> StepTime:
        """Steps of each configuration at each batch (rows, B)."""
        return step_time(self.held, self.machine.column(), self.layout.column(), work)


def _batch_cap(
    model: Model,
    held: Profile,
    demand: Demand,
    software: Software,
    device: Machine,
    n_chips: NDArray[np.int64],
    ledger: Ledger,
) -> NDArray[np.int64]:
    """Requests whose cache fits beside the weights, up to the engine's own limit."""
    shared = software.prefix_cache and not software.kv_offload
    prefixes = ledger["estimates.serving.prefix_cache_memory_frac"] if shared else 0.0
    fit = places(
        held,
        usual_layout(model, n_chips),
        device.memory_bytes,
        demand.context_tokens,
        memory_frac=ledger["estimates.serving.memory_usable_frac"],
        free_frac=(1 - prefixes) / (1 + ledger["estimates.serving.paging_waste_frac"]),
        reserve_bytes=0.0,
    )
    limit = ledger["estimates.serving.max_batch"]
    return np.asarray(np.clip(np.floor(fit), 0, limit), dtype=np.int64)


def _timed(rows: _Rows, demand: Demand, software: Software, ledger: Ledger) -> Curves:
    held, cap = rows.held, rows.batch_cap
    fresh = demand.fresh_tokens(prefix_cache=software.prefix_cache)
    cached, context = demand.input_tokens - fresh, demand.context_tokens
    drafts, gained = _speculation(software, ledger)
    spoken, before = {"tokens_per_sequence": drafts + 1}, demand.input_tokens / 2
    batch = np.arange(1, int(cap.max()) + 1)
    chunk = ledger["estimates.serving.chunk_tokens"]
    decode = rows.steps(decode_work(held, batch, context, **spoken))
    mixed = rows.steps(mixed_work(held, batch, context, chunk, before, **spoken))
    drafting = 1 + drafts * ledger["engines.drafts.layer_cost"] / rows.model.n_layers
    fits = batch <= cap[:, None]
    return Curves(
        chips=rows.chips,
        n_chips=rows.n_chips,
        layout=rows.layout,
        decode=decode,
        prefill=rows.step(prefill_work(held, fresh, cached)),
        decode_s=np.where(fits, decode.total_s * drafting, np.inf),
        mixed_s=np.where(fits, mixed.total_s * drafting, np.inf),
        idle_decode_s=decode.total_s[:, 0] * drafting,
        idle_mixed_s=rows.step(prefill_work(held, chunk, before)).total_s,
        batch_cap=cap,
        load_s=_load_s(held, cached, software, rows.n_chips, ledger),
        chunk_tokens=chunk,
        tokens_per_step=gained,
        kv_bytes_per_request=float(kv_bytes(held, demand.input_tokens)),
        kv_used_frac=1 - ledger["estimates.serving.paging_waste_frac"],
    )


def _speculation(software: Software, ledger: Ledger) -> tuple[int, float]:
    """Draft tokens per step, and output tokens a step yields on average."""
    if software.speculative == "none":
        return 0, 1.0
    drafts = int(software.speculative.removeprefix("mtp"))
    return drafts, float(ledger[f"software.speculative.drafts_{drafts}_tokens_per_step"])


def _load_s(
    held: Profile, cached: float, software: Software, n_chips: NDArray[np.int64], ledger: Ledger
) -> Floats:
    """Time to fetch cached prefixes from host memory; none where they stay on the chip."""
    if not (software.prefix_cache and software.kv_offload) or cached <= 0:
        return np.zeros(len(n_chips))
    stored = float(kv_bytes(held, cached))
    return np.asarray(stored / (n_chips * ledger["estimates.serving.host_link_bytes_per_s"]))
