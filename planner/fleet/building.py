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
    """Accelerator-seconds of one request by phase and by what binds them.

    Prompts that ride in chunks beside decode are charged what they add to those steps; by what
    binds them, in the proportions of a prompt alone.
    """
    nothing = np.zeros(len(PARTS))
    prefill = _parts(curves, curves.prefill, row, None) if role != DECODE else nothing
    decode = _parts(curves, curves.decode, row, batch) if role != PREFILL else nothing
    both = np.concatenate(
        [
            prefill * _prompt_s(role, curves, row, batch),
            decode * _answer_s(curves, row, batch),
        ]
    )
    return TimeShares(*(float(part) for part in both / both.sum()))


def _prompt_s(role: str, curves: Curves, row: int, batch: float) -> float:
    """Time of a stage that a prompt takes; in mixed steps of c tokens I/c·(t_m − t_d). [s]"""
    chunk_tokens = float(curves.grid.chunk_tokens[row])
    if role != MONOLITHIC or not chunk_tokens:
        return _read(curves, curves.prefill, "total_s", row, None)
    added_s = _stage_s(curves, curves.mixed_s, row, batch)
    added_s -= _stage_s(curves, curves.decode_s, row, batch)
    return float(curves.fresh_tokens[row]) / chunk_tokens * added_s


def _answer_s(curves: Curves, row: int, batch: float) -> float:
    """Time of a stage that the answer to one request takes, its drafts included. [s]"""
    step_s = _stage_s(curves, curves.decode_s, row, batch)
    return float(curves.iterations[row]) * step_s / max(batch, 1)


def _stage_s(curves: Curves, step_s: Floats, row: int, batch: float) -> float:
    """A stage's part of a step through all stages. [s]"""
    through_s = float(np.interp(batch, curves.batch[row], step_s[row]))
    return through_s / float(curves.grid.layout.pp[row])


def _parts(curves: Curves, step: StepTime, row: int, batch: float | None) -> Floats:
    """Shares of a step by part; the roof is shared by arithmetic and traffic in proportion."""
    compute_s, memory_s, link_s, overhead_s = (
        _read(curves, step, name, row, batch) for name in PARTS
    )
    total_s = _read(curves, step, "total_s", row, batch)
    roof_s = total_s - link_s - overhead_s
    bound_s = compute_s + memory_s
    parts_s = [roof_s * compute_s / bound_s, roof_s * memory_s / bound_s, link_s, overhead_s]
    return np.array(parts_s) / total_s
