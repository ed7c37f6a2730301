"""From a chosen configuration to a pool: batch, time shares and activity of its chips."""

import numpy as np
from numpy.typing import NDArray

from planner.demand.workload import Demand
from planner.fleet.curves import Curves, drafts
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL, Activity, Pool, TimeShares
from planner.fleet.sizing import Choice
from planner.physics.layout import FIELDS
from planner.physics.phases import StepTime

Floats = NDArray[np.float64]
PARTS = ("compute_s", "memory_s", "link_s", "overhead_s")


def pool(
    role: str,
    curves: Curves,
    choice: Choice,
    demand: Demand,
    *,
    share: float = 1.0,
    sent_frac: float = 1.0,
) -> Pool:
    """The pool that a choice stands for. sent_frac: requests sent over requests asked."""
    grid, row = curves.grid, choice.row
    groups = float(grid.groups[row])
    batch = max(choice.batch / groups, 1) if role != PREFILL else 0.0
    mean_batch = max(batch * demand.mean_per_s / demand.peak_per_s, 1)
    held = batch / grid.batch_cap[row]
    software = grid.offers[grid.offer[row]].software
    layout = {name: int(getattr(grid.layout, name)[row]) for name in FIELDS}
    return Pool(
        role=role,
        model=demand.source.model,
        class_name=demand.name,
        accelerator=grid.chips[grid.chip[row]].id,
        n_accelerators=choice.n_accelerators,
        n_replicas=choice.n_replicas,
        n_needed=choice.n_needed,
        **layout,
        weight_precision=software.weight_precision,
        drafts=drafts(software) if role != PREFILL else 0,
        chunk_tokens=float(grid.chunk_tokens[row]),
        batch=batch * groups,
        utilization=choice.load,
        demand_frac=share,
        p99_ttft_s=choice.ttft_s,
        p99_tpot_s=choice.tpot_s if role != PREFILL else None,
        peak_to_mean=demand.peak_per_s / demand.mean_per_s,
        peak=_activity(role, curves, choice, share * sent_frac, demand.peak_per_s, batch),
        mean=_activity(role, curves, choice, share * sent_frac, demand.mean_per_s, mean_batch),
        in_prefill=_during(curves, curves.prefill, row, None) if role != DECODE else None,
        in_decode=_during(curves, curves.decode, row, batch) if role != PREFILL else None,
        shares=_shares(role, curves, row, batch),
        kv_stored_frac=float(min(held, 1) * curves.kv_used_frac),
    )


def _activity(
    role: str,
    curves: Curves,
    choice: Choice,
    share: float,
    requests_per_s: float,
    batch: float,
) -> Activity:
    """Achieved over peak arithmetic and bandwidth of the pool's chips at a request rate."""
    per_replica = requests_per_s * share / choice.n_replicas
    compute_s, memory_s = (
        _request_time_s(role, curves, choice.row, batch, name)
        for name in ("peak_compute_s", "peak_memory_s")
    )
    return Activity(min(per_replica * compute_s, 1), min(per_replica * memory_s, 1))


def _request_time_s(role: str, curves: Curves, row: int, batch: float, name: str) -> float:
    """A part of the steps of one request on each chip of a replica, in batches of a size. [s]

    A step is shared by the requests of all attention groups.
    """
    ranks = float(curves.grid.layout.attention_dp[row])
    total_s = 0.0
    if role in (MONOLITHIC, PREFILL):
        total_s += _read(curves, curves.prefill, name, row, None) / ranks
    if role in (MONOLITHIC, DECODE):
        each = curves.iterations[row] / (batch * ranks)
        total_s += each * _read(curves, curves.decode, name, row, batch)
    return float(total_s)


def _read(curves: Curves, step: StepTime, name: str, row: int, batch: float | None) -> float:
    """A part of a step; of a decode step, at a batch that need not be one of those timed. [s]"""
    values = np.broadcast_to(getattr(step, name), step.total_s.shape)[row]
    if batch is None:
        return float(values)
    return float(np.interp(batch, curves.batch[row], values))


def _during(curves: Curves, step: StepTime, row: int, batch: float | None) -> Activity:
    """Achieved over peak arithmetic and bandwidth while a step runs; batch: in decode."""
    total_s = _read(curves, step, "total_s", row, batch)
    return Activity(
        compute_util_frac=_read(curves, step, "peak_compute_s", row, batch) / total_s,
        memory_util_frac=_read(curves, step, "peak_memory_s", row, batch) / total_s,
    )


def _shares(role: str, curves: Curves, row: int, batch: float) -> TimeShares:
    """Accelerator-seconds of one request by phase and by what binds them."""
    each = curves.iterations[row] / max(batch, 1)
    nothing = np.zeros(len(PARTS))
    prefill = _parts_s(curves, curves.prefill, row, None) if role != DECODE else nothing
    decode = _parts_s(curves, curves.decode, row, batch) * each if role != PREFILL else nothing
    both = np.concatenate([prefill, decode])
    return TimeShares(*(float(part) for part in both / both.sum()))


def _parts_s(curves: Curves, step: StepTime, row: int, batch: float | None) -> Floats:
    """A step's time by part; the roof is shared by arithmetic and traffic in proportion."""
    compute_s, memory_s, link_s, overhead_s = (
        _read(curves, step, name, row, batch) for name in PARTS
    )
    roof_s = _read(curves, step, "total_s", row, batch) - link_s - overhead_s
    bound_s = compute_s + memory_s
    return np.array([roof_s * compute_s / bound_s, roof_s * memory_s / bound_s, link_s, overhead_s])
