"""From a chosen configuration to a pool: batch, time shares and activity of its chips."""

import numpy as np
from numpy.typing import NDArray

from planner.demand.workload import Demand
from planner.fleet.curves import Curves
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL, Activity, Pool, TimeShares
from planner.fleet.sizing import Choice
from planner.physics.phases import StepTime

Floats = NDArray[np.float64]


def pool(role: str, curves: Curves, choice: Choice, demand: Demand, *, share: float = 1.0) -> Pool:
    """The pool that a choice stands for."""
    batch = max(choice.batch, 1) if role != PREFILL else 0.0
    row = choice.row
    tp = int(curves.n_chips[row])
    held = batch / curves.batch_cap[row] if role != PREFILL else 0.0
    return Pool(
        role=role,
        model=demand.source.model,
        class_name=demand.name,
        accelerator=curves.chips[row].id,
        n_accelerators=choice.n_accelerators,
        n_replicas=choice.n_replicas,
        n_needed=choice.n_needed,
        tp=tp,
        ep=tp if curves.routed else 1,
        batch=batch,
        utilization=choice.load,
        demand_frac=share,
        p99_ttft_s=choice.ttft_s,
        p99_tpot_s=choice.tpot_s if role != PREFILL else None,
        peak=_activity(role, curves, choice, demand, share, demand.peak_per_s, batch),
        mean=_activity(role, curves, choice, demand, share, demand.mean_per_s, batch),
        in_prefill=_during(curves, curves.prefill, row, None) if role != DECODE else None,
        in_decode=_during(curves, curves.decode, row, round(batch)) if role != PREFILL else None,
        shares=_shares(role, curves, row, demand, batch),
        kv_stored_frac=min(held, 1) * curves.kv_used_frac,
    )


def _activity(
    role: str,
    curves: Curves,
    choice: Choice,
    demand: Demand,
    share: float,
    requests_per_s: float,
    peak_batch: float,
) -> Activity:
    """Achieved over peak arithmetic and bandwidth of the pool's chips at a request rate."""
    per_replica = requests_per_s * share / choice.n_replicas
    batch = max(peak_batch * requests_per_s / demand.peak_per_s, 1.0)
    compute_s, memory_s = _request_time_s(role, curves, choice.row, demand, batch)
    device, row = curves.machine, choice.row
    return Activity(
        compute_util_frac=min(per_replica * compute_s * float(device.compute_frac[row]), 1),
        memory_util_frac=min(per_replica * memory_s * float(device.memory_frac[row]), 1),
    )


def at_batch(curve: Floats, batch: float) -> float:
    """A curve over batches 1…B read between whole batches."""
    return float(np.interp(batch, np.arange(1, len(curve) + 1), curve))


def _during(curves: Curves, step: StepTime, row: int, batch: int | None) -> Activity:
    """Achieved over peak arithmetic and bandwidth while a step runs; batch: its column, if any."""
    place = row if batch is None else (row, min(batch, step.total_s.shape[-1]) - 1)
    total_s = step.total_s[place]
    device = curves.machine
    return Activity(
        compute_util_frac=float(step.compute_s[place] * device.compute_frac[row] / total_s),
        memory_util_frac=float(step.memory_s[place] * device.memory_frac[row] / total_s),
    )


def _request_time_s(
    role: str, curves: Curves, row: int, demand: Demand, batch: float
) -> tuple[float, float]:
    """Arithmetic and memory time of one request in a role, its share of a batch of a size."""
    compute_s = memory_s = 0.0
    if role in (MONOLITHIC, PREFILL):
        compute_s += float(curves.prefill.compute_s[row])
        memory_s += float(curves.prefill.memory_s[row])
    if role in (MONOLITHIC, DECODE):
        each = demand.iterations / curves.tokens_per_step / batch
        compute_s += each * at_batch(curves.decode.compute_s[row], batch)
        memory_s += each * at_batch(curves.decode.memory_s[row], batch)
    return compute_s, memory_s


def _shares(role: str, curves: Curves, row: int, demand: Demand, batch: float) -> TimeShares:
    """Accelerator-seconds of one request by phase and by what binds them."""
    column = int(np.clip(round(batch), 1, curves.decode_s.shape[1])) - 1
    per_request = demand.iterations / curves.tokens_per_step / max(batch, 1)
    prefill = _bound(
        float(curves.prefill.total_s[row]),
        float(curves.prefill.compute_s[row]),
        float(curves.prefill.memory_s[row]),
        float(curves.prefill.fixed_s[row]),
    )
    decode = _bound(
        float(curves.decode.total_s[row, column]) * per_request,
        float(curves.decode.compute_s[row, column]) * per_request,
        float(curves.decode.memory_s[row, column]) * per_request,
        float(np.broadcast_to(curves.decode.fixed_s, curves.decode.total_s.shape)[row, column])
        * per_request,
    )
    parts = (
        prefill if role != DECODE else (0.0, 0.0, 0.0),
        decode if role != PREFILL else (0.0, 0.0, 0.0),
    )
    flat = np.concatenate(parts)
    return TimeShares(*(float(part) for part in flat / flat.sum()))


def _bound(
    total_s: float, compute_s: float, memory_s: float, fixed_s: float
) -> tuple[float, float, float]:
    """A step's time attributed to arithmetic and traffic in proportion, overheads apart."""
    roof_s = total_s - fixed_s
    return (
        roof_s * compute_s / (compute_s + memory_s),
        roof_s * memory_s / (compute_s + memory_s),
        fixed_s,
    )
