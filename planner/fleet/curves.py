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
from planner.physics.machines import machine
from planner.physics.phases import StepTime, step_time
from planner.physics.roofline import Machine
from planner.physics.transformer import (
    decode_work,
    kv_bytes,
    mixed_work,
    prefill_work,
)
from planner.physics.weights import weight_bytes

Floats = NDArray[np.float64]
GROUPS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class Curves:
    """Rows are configurations (a chip and how many hold one model copy), columns are batches.

    decode_s: one decode iteration at batch 1…B, +inf beyond what fits in memory (rows, B).
    mixed_s: the same beside one full chunk of prompt tokens. idle_mixed_s: a chunk alone (rows,).
    prefill_s: a whole prompt of mean length (rows,); load_s: fetching cached prefixes (rows,).
    tokens_per_step: output tokens a request gains in one iteration.
    """

    chips: tuple[Accelerator, ...]
    n_chips: NDArray[np.int64]
    machine: Machine
    routed: bool
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
    weights = software.weight_precision
    rows = [(chip, n) for chip in chips for n in GROUPS if chip.memory_bytes is not None]
    memory = np.array([n * ledger[f"accelerators.{c.id}.memory_bytes"] for c, n in rows])
    cap = _batch_cap(model, demand, software, memory, ledger)
    kept = [index for index in range(len(rows)) if cap[index] >= 1]
    if not kept:
        return None
    held_chips = tuple(rows[index][0] for index in kept)
    n_chips = np.array([rows[index][1] for index in kept])
    device = machine(held_chips, list(n_chips), weights, ledger)
    return _timed(model, demand, software, held_chips, n_chips, device, cap[kept], ledger)


def _batch_cap(
    model: Model, demand: Demand, software: Software, memory: Floats, ledger: Ledger
) -> NDArray[np.int64]:
    """Requests whose cache fits beside the weights, up to the engine's own limit."""
    free = memory * ledger["estimates.serving.memory_usable_frac"] - weight_bytes(
        model, software.weight_precision
    )
    if software.prefix_cache and not software.kv_offload:
        free = free * (1 - ledger["estimates.serving.prefix_cache_memory_frac"])
    held = kv_bytes(model, demand.context_tokens, software.kv_precision)
    held = held * (1 + ledger["estimates.serving.paging_waste_frac"])
    limit = ledger["estimates.serving.max_batch"]
    return np.asarray(np.clip(np.floor(free / held), 0, limit), dtype=np.int64)


def _timed(
    model: Model,
    demand: Demand,
    software: Software,
    chips: tuple[Accelerator, ...],
    n_chips: NDArray[np.int64],
    device: Machine,
    cap: NDArray[np.int64],
    ledger: Ledger,
) -> Curves:
    formats = {"weight_precision": software.weight_precision, "kv_precision": software.kv_precision}
    fresh = demand.fresh_tokens(prefix_cache=software.prefix_cache)
    cached = demand.input_tokens - fresh
    drafts, gained = _speculation(software, ledger)
    spoken, prompt_context = drafts + 1, demand.input_tokens / 2
    batch = np.arange(1, int(cap.max()) + 1)
    chunk = ledger["estimates.serving.chunk_tokens"]
    columns = device.column()
    context = demand.context_tokens
    work = decode_work(model, batch, context, tokens_per_sequence=spoken, **formats)
    prompt = prefill_work(model, fresh, cached, **formats)
    both = mixed_work(
        model, batch, context, chunk, prompt_context, tokens_per_sequence=spoken, **formats
    )
    alone = prefill_work(model, chunk, prompt_context, **formats)
    decode = step_time(model, columns, work, batch * spoken)
    fits = batch <= cap[:, None]
    first = decode.total_s[:, 0]
    return Curves(
        chips=chips,
        n_chips=n_chips,
        machine=device,
        routed=model.n_experts > 0,
        decode=decode,
        prefill=step_time(model, device, prompt, fresh),
        decode_s=np.where(fits, decode.total_s, np.inf),
        mixed_s=np.where(
            fits, step_time(model, columns, both, batch * spoken + chunk).total_s, np.inf
        ),
        idle_decode_s=first,
        idle_mixed_s=step_time(model, device, alone, chunk).total_s,
        batch_cap=cap,
        load_s=_load_s(model, cached, software, n_chips, ledger),
        chunk_tokens=chunk,
        tokens_per_step=gained,
        kv_bytes_per_request=float(kv_bytes(model, demand.input_tokens, software.kv_precision)),
        kv_used_frac=1 - ledger["estimates.serving.paging_waste_frac"],
    )


def _speculation(software: Software, ledger: Ledger) -> tuple[int, float]:
    """Draft tokens per step, and output tokens a step yields on average."""
    if software.speculative == "none":
        return 0, 1.0
    drafts = int(software.speculative.removeprefix("mtp"))
    return drafts, float(ledger[f"software.speculative.drafts_{drafts}_tokens_per_step"])


def _load_s(
    model: Model, cached: float, software: Software, n_chips: NDArray[np.int64], ledger: Ledger
) -> Floats:
    """Time to fetch cached prefixes from host memory; none where they stay on the chip."""
    if not (software.prefix_cache and software.kv_offload) or cached <= 0:
        return np.zeros(len(n_chips))
    held = float(kv_bytes(model, cached, software.kv_precision))
    return np.asarray(held / (n_chips * ledger["estimates.serving.host_link_bytes_per_s"]))
