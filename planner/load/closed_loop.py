"""A replica, or split pools, under a fixed number of requests in flight: the cycle of a request.

A request waits for its prompt, gets its tokens, and is followed at once by the next one. With N in
flight, N = λ·(TTFT + (output − 1)·TPOT) (Little). Per cycle of a request every other request's
prompt is worked on once, so the length of the cycle is known without the order of events:
N·p + n·t(b), with p the time a prompt adds, n the iterations of an answer and t(b) a step of b
sequences. Times are functions of a batch, so that this room knows no hardware. Arrays broadcast.

Source of the cycle: mean-value analysis of closed networks (Reiser and Lavenberg, JACM 27(2),
1980); how long the first wave waits is derived below.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Time = Callable[[Floats], Floats]
"""Seconds of a step of so many sequences."""

Beside = Callable[[Floats, Floats], Floats]
"""Seconds that a prompt adds to steps of so many sequences which last so long without it."""

N_TURNS = 4
"""Turns of the fixed point for the batch; each halves what is left of the distance."""

HIGHEST_SHARE = 0.9
NEARLY_ONE = 0.999
LEAST_BATCH = 1e-3
FLAT = 1e-12


@dataclass(frozen=True, slots=True)
class Loop:
    """Requests in flight and what each asks.

    requests: in flight on a replica. places: that its cache has room for. iterations: steps that an
    answer takes after its first token. drawn_frac: spread of lengths over their mean, 0 where all
    are equal. slots_used: requests that each slot serves in the run. mixed: prompts share steps
    with decode; else they go first, and decode stands still.
    """

    requests: Any
    places: Any
    iterations: Any
    drawn_frac: Any
    slots_used: Any
    mixed: Any


@dataclass(frozen=True, slots=True)
class Cycle:
    """Means over the requests of a run. batch: sequences in decode. step_s: one decode step.

    wait_s: for a place in the cache. prompt_s: what a prompt adds. iteration_s: mean time of an
    iteration of an answer, other requests' prompts included.
    """

    ttft_s: Floats
    iteration_s: Floats
    requests_per_s: Floats
    batch: Floats
    step_s: Floats
    prompt_s: Floats
    wait_s: Floats


def replica_cycle(
    loop: Loop,
    *,
    alone_s: Floats,
    step_s: Time,
    beside_s: Beside,
    clump_prompts: Any,
    request_overhead_s: Any,
) -> Cycle:
    """The cycle of a replica that does both phases.

    alone_s: a prompt by itself. step_s(b): a decode step of b sequences. beside_s(b, t): what a
    prompt adds to the steps of b sequences that carry it, which last t without it.
    """
    running = np.minimum(loop.requests, loop.places)
    batch = np.asarray(running, float)
    for _ in range(N_TURNS):
        state = _turn(loop, running, batch, alone_s, step_s, beside_s, clump_prompts)
        first_s = request_overhead_s + alone_s + state.step_s + state.queue_s
        decoding = running * (1 - np.minimum(first_s / state.cycle_s, HIGHEST_SHARE))
        batch = (np.clip(decoding, 1, running) + batch) / 2
    wait_s = (loop.requests - running) * state.cycle_s / running
    answer_s = np.maximum(state.cycle_s - state.queue_s - alone_s, state.step_s * loop.iterations)
    whole_s = wait_s + first_s + answer_s
    return Cycle(
        ttft_s=wait_s + first_s,
        iteration_s=answer_s / loop.iterations,
        requests_per_s=loop.requests / whole_s,
        batch=batch,
        step_s=state.step_s,
        prompt_s=state.prompt_s,
        wait_s=wait_s,
    )


@dataclass(frozen=True, slots=True)
class _Turn:
    step_s: Floats
    prompt_s: Floats
    cycle_s: Floats
    queue_s: Floats


def _turn(
    loop: Loop,
    running: Floats,
    batch: Floats,
    alone_s: Floats,
    step_s: Time,
    beside_s: Beside,
    clump_prompts: Any,
) -> _Turn:
    """Times at a batch; queue_s: mean wait of a prompt for the prompts before it."""
    step = step_s(batch)
    prompt = np.where(loop.mixed, np.maximum(beside_s(batch, step), 0.0), alone_s)
    cycle = running * prompt + loop.iterations * step
    beside = np.maximum(running - 1, 0.0)
    others = beside * prompt / cycle
    queue = np.minimum(
        prompt * others / (2 * (1 - np.minimum(others, NEARLY_ONE))), running * prompt / 2
    )
    in_step = np.where(loop.mixed, queue + clump_prompts * prompt * beside / running, 0.0)
    steady = np.where(np.asarray(loop.drawn_frac) > 0, queue, in_step)
    # per cycle every other prompt is worked on once, and nobody waits for more than all of them
    waits = np.minimum(first_wave_s(loop, running, prompt) + steady, beside * prompt)
    return _Turn(step, prompt, cycle, waits)


def first_wave_s(loop: Loop, running: Floats, prompt_s: Floats) -> Floats:
    """Mean wait over a run because its first N requests arrive together.

    N prompts at once wait (N − 1)·p/2 on average. They leave spread over N·p, which answers of
    unlike length only widen, so that later waves find the prompts before them done; only where
    answers are equal and decode stands still for prompts do all end in step and every wave wait.
    """
    spread = (np.asarray(loop.drawn_frac) > 0) | np.asarray(loop.mixed, bool)
    waits_s = np.maximum(running - 1, 0.0) * prompt_s / 2
    return np.asarray(waits_s / np.where(spread, loop.slots_used, 1.0))


def full_rate_per_s(
    running: Floats, iterations: Any, step_s: Time, beside_s: Beside, stages: Any = 1.0
) -> tuple[Floats, Floats]:
    """Requests per second of a replica that is never idle, and the batch of its steps.

    running: requests in flight; a pipeline of `stages` works on that many parts of them in turn.
    """
    batch = running / stages
    step = step_s(batch)
    whole_s = running * beside_s(batch, step) + iterations * stages * step
    return running / whole_s, batch


def split_cycle(
    loop: Loop,
    *,
    prefill_workers: Any,
    decode_workers: Any,
    alone_s: Floats,
    together_s: Floats,
    step_s: Time,
    handoff_s: Any,
    matching_frac: Any,
    request_overhead_s: Any,
) -> Cycle:
    """The cycle through a prefill pool and a decode pool.

    alone_s: a prompt by itself; together_s: what each of many costs. places: of the whole decode
    pool. matching_frac: share of its ideal rate that the prefill pool keeps, with whole workers
    and imperfect routing.
    """
    most_per_s = prefill_workers / together_s * matching_frac
    held = np.minimum(loop.requests, loop.places)
    fixed_s = alone_s + handoff_s + request_overhead_s
    wave_s = (loop.requests - 1) * together_s / prefill_workers / 2 / loop.slots_used

    def rate(answer_s: Floats) -> Floats:
        free = loop.requests / (fixed_s + wave_s + answer_s)
        return np.asarray(np.minimum(np.minimum(free, most_per_s), held / answer_s))

    def decoding(batch: Floats) -> Floats:
        answer_s = loop.iterations * step_s(batch)
        return np.asarray(rate(answer_s) * answer_s / decode_workers)

    batch = settled(decoding, held / decode_workers)
    step = step_s(batch)
    per_s = rate(loop.iterations * step)
    first_s = loop.requests / per_s - loop.iterations * step
    return Cycle(
        ttft_s=first_s,
        iteration_s=step,
        requests_per_s=per_s,
        batch=batch,
        step_s=step,
        prompt_s=together_s,
        wait_s=first_s - fixed_s,
    )


def settled(decoding: Callable[[Floats], Floats], start: Floats) -> Floats:
    """The batch that gives itself: a fixed point on the scale of logarithms. [1]

    Steffensen's method (Aitken's extrapolation of two plain turns), which converges where the turns
    do, and twice as fast in digits; a turn that would lead nowhere stays a plain one.
    """
    x = np.log(np.maximum(start, LEAST_BATCH))
    for _ in range(N_TURNS):
        one = np.log(np.maximum(decoding(np.exp(x)), LEAST_BATCH))
        two = np.log(np.maximum(decoding(np.exp(one)), LEAST_BATCH))
        bend = two - 2 * one + x
        leap = np.divide((one - x) ** 2, bend, out=np.zeros_like(x), where=np.abs(bend) > FLAT)
        x = np.clip(np.where(leap == 0, two, x - leap), np.log(LEAST_BATCH), np.log(start))
    return np.exp(x)
