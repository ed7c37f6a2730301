"""From a chosen configuration to a pool: batch, time shares and activity of its chips."""

import numpy as np
from numpy.typing import NDArray

from planner.demand.workload import Demand
from planner.fleet.curves import Curves
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL, Activity, Pool, TimeShares
from planner.fleet.sizing import Choice
from planner.physics.phases import StepTime

Floats = NDArray[np.float64]
PARTS = ("compute_s", "memory_s", "link_s", "overhead_s")


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
        ep=int(curves.layout.ep[row]),
        batch=batch,
        utilization=choice.load,
        demand_frac=share,
        p99_ttft_s=choice.ttft_s,
        p99_tpot_s=choice.tpot_s if role != PREFILL else None,
        peak=_activity(role, curves, choice, demand, share, demand.peak_per_s, batch),
        mean=_activity(role, curves, choice, demand, share, demand.mean_per_s, batch),
        in_prefill=_during(curves.prefill, row, None) if role != DECODE else None,
        in_decode=_during(curves.decode, row, round(batch)) if role != PREFILL else None,
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
    return Activity(min(per_replica * compute_s, 1), min(per_replica * memory_s, 1))


def at_batch(curve: Floats, batch: float) -> float:
    """A curve over batches 1…B read between whole batches."""
    return float(np.interp(batch, np.arange(1, len(curve) + 1), curve))


def _during(step: StepTime, row: int, batch: int | None) -> Activity:
    """Achieved over peak arithmetic and bandwidth while a step runs; batch: its column, if any."""
    place = row if batch is None else (row, min(batch, step.total_s.shape[-1]) - 1)
    total_s = step.total_s[place]
    return Activity(
        compute_util_frac=float(step.peak_compute_s[place] / total_s),
        memory_util_frac=float(step.peak_memory_s[place] / total_s),
    )


def _request_time_s(
    role: str, curves: Curves, row: int, demand: Demand, batch: float
) -> tuple[float, float]:
    """Arithmetic and memory time at peak of one request in a role, in a batch of a size."""
    compute_s = memory_s = 0.0
    if role in (MONOLITHIC, PREFILL):
        compute_s += float(curves.prefill.peak_compute_s[row])
        memory_s += float(curves.prefill.peak_memory_s[row])
    if role in (MONOLITHIC, DECODE):
        each = demand.iterations / curves.tokens_per_step / batch
        compute_s += each * at_batch(curves.decode.peak_compute_s[row], batch)
        memory_s += each * at_batch(curves.decode.peak_memory_s[row], batch)
    return compute_s, memory_s


def _shares(role: str, curves: Curves, row: int, demand: Demand, batch: float) -> TimeShares:
    """Accelerator-seconds of one request by phase and by what binds them."""
    column = int(np.clip(round(batch), 1, curves.decode_s.shape[1])) - 1
    each = demand.iterations / curves.tokens_per_step / max(batch, 1)
    nothing = np.zeros(len(PARTS))
    prefill = _parts_s(curves.prefill, row) if role != DECODE else nothing
    decode = _parts_s(curves.decode, (row, column)) * each if role != PREFILL else nothing
    both = np.concatenate([prefill, decode])
    return TimeShares(*(float(part) for part in both / both.sum()))


def _parts_s(step: StepTime, place: int | tuple[int, int]) -> Floats:
    """A step's time by part; the roof is shared by arithmetic and traffic in proportion."""
    whole = step.total_s.shape
    parts = [float(np.broadcast_to(getattr(step, name), whole)[place]) for name in PARTS]
    compute_s, memory_s, link_s, overhead_s = parts
    roof_s = float(step.total_s[place]) - link_s - overhead_s
    bound_s = compute_s + memory_s
    return np.array([roof_s * compute_s / bound_s, roof_s * memory_s / bound_s, link_s, overhead_s])
