"""What a benchmark run would measure, by the way its load is applied."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.evidence import conventions
from planner.evidence.bench import Bench, Outcome
from planner.evidence.deployments import Deployments, taken
from planner.evidence.layouts import Cut
from planner.load.closed_loop import Cycle, Loop, full_rate_per_s, replica_cycle, split_cycle
from planner.physics.efficiency import Efficiency
from planner.physics.machines import assembled

Floats = NDArray[np.float64]


def outcomes(points: Deployments, reached: Efficiency) -> Outcome:
    """What every point would measure."""
    n = len(points.load)
    numbers = {name: np.full(n, np.nan) for name in Outcome.__slots__ if name != "refused"}
    whole = Outcome(**numbers, refused=np.full(n, "", dtype=object))
    for load, run in RUNS.items():
        rows = np.flatnonzero(points.load == load)
        if len(rows):
            some, machine = points.at(rows), assembled(points.sheet, reached)
            _put(whole, rows, run(Bench(some, taken(machine, rows))))
    return whole


def _put(whole: Outcome, rows: NDArray[np.int64], part: Outcome) -> None:
    for name in whole.__slots__:
        getattr(whole, name)[rows] = getattr(part, name)


def _whole(
    bench: Bench, per_s: Floats, batch: Floats, refused: Any = "", **measured: Any
) -> Outcome:
    """Of replicas of both phases that each finish `per_s` requests in steps of `batch`."""
    points = bench.points
    layout, mixed = points.decode.layout, points.rules.mixed
    decode, prompt = bench.decode_busy(batch, per_s), bench.prefill_busy(layout, per_s)
    chips = points.n_accelerators
    rate = per_s * points.decode.workers * points.output_tokens / chips
    nothing = np.zeros_like(rate)
    found = {
        "ttft_s": np.full_like(rate, np.nan),
        "tpot_s": np.full_like(rate, np.nan),
        "output_tokens_per_s_per_accelerator": rate,
        "compute_util_frac": np.minimum(decode[0] + prompt[0], 1.0),
        # Prompts that share steps with decode share its reading of the weights.
        "memory_util_frac": np.minimum(decode[1] + np.where(mixed, 0.0, prompt[1]), 1.0),
        "prefill_compute_util_frac": nothing,
        "prefill_memory_util_frac": nothing,
        "prefill_chips_frac": nothing,
        "refused": np.broadcast_to(np.asarray(refused, dtype=object), rate.shape),
    }
    return Outcome(**(found | measured))


def _apart(bench: Bench, per_s: Floats, batch: Floats, cut: Cut | None, **measured: Any) -> Outcome:
    """Of pools that finish `per_s` requests together. cut: the prefill pool; None: only decode."""
    points = bench.points
    each = per_s / points.decode.workers
    whole = _whole(bench, each, batch, **measured)
    decode = bench.decode_busy(batch, each)
    if cut is None:
        return replace(whole, compute_util_frac=decode[0], memory_util_frac=decode[1])
    prompt = bench.prefill_busy(cut.layout, per_s / cut.workers)
    return replace(
        whole,
        compute_util_frac=np.minimum(decode[0], 1.0),
        memory_util_frac=np.minimum(decode[1], 1.0),
        prefill_compute_util_frac=np.minimum(prompt[0], 1.0),
        prefill_memory_util_frac=np.minimum(prompt[1], 1.0),
        prefill_chips_frac=cut.n_chips / (cut.n_chips + points.decode.n_chips),
    )


def _loop(bench: Bench, requests: Floats, room: Floats, replicas: Any) -> Loop:
    points = bench.points
    return Loop(
        requests=requests / replicas,
        places=room,
        iterations=bench.iterations,
        drawn_frac=points.drawn_frac,
        slots_used=points.requests_per_slot,
        mixed=points.rules.mixed,
    )


def _closed(bench: Bench) -> Outcome:
    """A fixed number of requests in flight on replicas of both phases."""
    points, reached = bench.points, bench.machine.efficiency
    replicas = points.decode.workers
    known = ~np.isnan(points.requests)
    loop = _loop(bench, np.where(known, points.requests, 1.0), bench.places(full=False), replicas)
    cycle = replica_cycle(
        loop,
        alone_s=bench.alone_s(points.decode.layout),
        step_s=bench.step_s,
        beside_s=bench.beside_s,
        clump_prompts=reached.clump_prompts,
        request_overhead_s=reached.request_overhead_s,
    )
    return _whole(
        bench,
        cycle.requests_per_s,
        cycle.batch,
        np.where(known, "", NO_REQUESTS),
        ttft_s=cycle.ttft_s,
        tpot_s=cycle.iteration_s / points.gained,
    )


NO_REQUESTS = (
    "concurrency is blank and no load says how requests arrive; give concurrency, or "
    "request_rate_per_s, or a load such as 'offline max throughput'."
)


def _offline(bench: Bench) -> Outcome:
    """All requests queued at once: as many run as find room."""
    return _filled(bench, bench.places(full=True))


def _batch(bench: Bench) -> Outcome:
    """So many requests at once, in as many rounds as they need."""
    points = bench.points
    asked = points.requests / points.decode.workers
    return _filled(bench, np.minimum(bench.places(full=True), asked))


def _filled(bench: Bench, running: Floats) -> Outcome:
    points = bench.points
    stages = points.decode.layout.pp
    together = np.maximum(points.rules.step_tokens / bench.fresh_tokens, 1.0)
    per_s, batch = full_rate_per_s(
        running,
        bench.iterations,
        bench.step_s,
        lambda b, step_s: bench.beside_s(b, step_s, together),
        stages,
    )
    return _whole(bench, per_s, batch, np.where(np.isnan(per_s), NO_REQUESTS, ""))


def _static(bench: Bench) -> Outcome:
    """One batch, its phases timed apart."""
    points = bench.points
    batch = np.nan_to_num(points.requests / points.decode.workers, nan=1.0)
    step = bench.step_s(batch)
    first = bench.alone_s(points.decode.layout, batch) * batch
    whole = first + step * bench.iterations
    rate = batch / step * points.gained * points.decode.workers / points.n_accelerators
    return _whole(
        bench,
        batch / whole,
        batch,
        ttft_s=first,
        tpot_s=step / points.gained,
        output_tokens_per_s_per_accelerator=rate,
    )


def _split(bench: Bench) -> Outcome:
    """A fixed number of requests in flight through a prefill pool and a decode pool."""
    points, reached = bench.points, bench.machine.efficiency
    known = ~np.isnan(points.requests)
    requests = np.where(known, points.requests, 1.0)
    waiting = np.maximum(requests / points.prefill.workers, 1.0)
    groups = points.prefill.layout.attention_dp
    together = np.maximum(np.floor(points.rules.step_tokens / bench.fresh_tokens), 1.0) * groups
    together = np.minimum(together, waiting)
    cycle = split_cycle(
        _loop(bench, requests, bench.places(full=True) * points.decode.workers, 1.0),
        prefill_workers=points.prefill.workers,
        decode_workers=points.decode.workers,
        alone_s=bench.alone_s(points.prefill.layout),
        together_s=bench.alone_s(points.prefill.layout, together),
        step_s=bench.step_s,
        handoff_s=reached.handoff_s,
        matching_frac=reached.matching_frac,
        request_overhead_s=reached.request_overhead_s,
    )
    per_s = cycle.requests_per_s
    return _apart(
        bench,
        per_s,
        cycle.batch,
        points.prefill,
        refused=np.where(known, "", NO_REQUESTS).astype(object),
        ttft_s=cycle.ttft_s,
        tpot_s=cycle.iteration_s / points.gained,
        output_tokens_per_s_per_accelerator=per_s * points.output_tokens / points.n_accelerators,
    )


def _prefill(bench: Bench) -> Outcome:
    """Prompts alone, so many in flight: the first token is the only one."""
    points, reached = bench.points, bench.machine.efficiency
    waiting = np.nan_to_num(points.requests / points.decode.workers, nan=1.0)
    most = np.maximum(np.floor(points.rules.step_tokens / bench.fresh_tokens), 1.0)
    together = np.clip(waiting, 1.0, most * points.decode.layout.attention_dp)
    each = bench.alone_s(points.decode.layout, together)
    compute, memory = bench.prefill_busy(points.decode.layout, 1 / each)
    return _whole(
        bench,
        1 / each,
        np.ones_like(each),
        ttft_s=reached.request_overhead_s + each * np.maximum(waiting, together),
        output_tokens_per_s_per_accelerator=points.decode.workers / each / points.n_accelerators,
        compute_util_frac=np.minimum(compute, 1.0),
        memory_util_frac=np.minimum(memory, 1.0),
    )


def _decode(bench: Bench) -> Outcome:
    """Answers alone, so many in flight."""
    points = bench.points
    room = bench.places(full=True)
    batch = np.minimum(np.nan_to_num(points.requests / points.decode.workers, nan=np.inf), room)
    step = bench.step_s(batch)
    rate = batch / step * points.gained * points.decode.workers
    return _apart(
        bench,
        rate / points.output_tokens,
        batch,
        None,
        tpot_s=step / points.gained,
        output_tokens_per_s_per_accelerator=rate / points.n_accelerators,
    )


def _open(bench: Bench) -> Outcome:
    """Requests at a rate: in flight as many as Little's law says, or a run that cannot keep up.

    Below capacity the cycle is solved for the number in flight that gives the rate. Above it the
    queue grows until the run's last request: first tokens wait half of what the run overruns.
    """
    points, reached = bench.points, bench.machine.efficiency
    replicas, room = points.decode.workers, bench.places(full=False)

    def cycle(requests: Floats) -> Cycle:
        return replica_cycle(
            replace(_loop(bench, requests * replicas, room, replicas), drawn_frac=1.0),
            alone_s=bench.alone_s(points.decode.layout),
            step_s=bench.step_s,
            beside_s=bench.beside_s,
            clump_prompts=0.0,
            request_overhead_s=reached.request_overhead_s,
        )

    offered = points.requests_per_s / replicas
    full = cycle(room)
    low, high = np.full_like(room, LEAST_REQUESTS), np.maximum(room, LEAST_REQUESTS)
    for _ in range(N_HALVINGS):
        middle = np.sqrt(low * high)
        slow = cycle(middle).requests_per_s < offered
        low, high = np.where(slow, middle, low), np.where(slow, high, middle)
    over = offered >= full.requests_per_s
    held = cycle(np.where(over, room, high))
    sent = points.requests_sent / replicas
    late = np.where(over, sent / 2 * (1 / full.requests_per_s - 1 / offered), 0.0)
    refused = np.where(
        np.isnan(offered), NO_REQUESTS, np.where(over & np.isnan(sent), OVERLOADED, "")
    )
    served = np.minimum(held.requests_per_s, offered)
    return _whole(
        bench,
        served,
        held.batch,
        refused,
        ttft_s=held.ttft_s + late,
        tpot_s=held.iteration_s / points.gained,
    )


LEAST_REQUESTS = 1e-3
N_HALVINGS = 30
OVERLOADED = (
    "request_rate_per_s is above what these chips can serve, so the queue grows without end; give "
    "a lower rate, more chips, or the number of prompts in load ('open-loop ..., 1000 prompts')."
)

RUNS: dict[str, Callable[[Bench], Outcome]] = {
    conventions.CLOSED: _closed,
    conventions.OFFLINE: _offline,
    conventions.BATCH: _batch,
    conventions.STATIC: _static,
    conventions.OPEN: _open,
    conventions.SPLIT: _split,
    conventions.PREFILL: _prefill,
    conventions.DECODE: _decode,
}
