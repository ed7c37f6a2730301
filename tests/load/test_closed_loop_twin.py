"""The cycle of requests in flight against a twin of plain loops, and arrays of it."""

import numpy as np
import pytest

from planner.load.closed_loop import Loop, replica_cycle
from tests.oracle import cycle_twin


def drawn_replica(rng):
    """A random replica for the twin, and as the planner takes it."""
    base, slope, alone = (
        10 ** rng.uniform(-3, -1),
        10 ** rng.uniform(-6, -2),
        10 ** rng.uniform(-3, 1),
    )
    share, lean = rng.uniform(-0.1, 1), 10 ** rng.uniform(-6, -3)
    return cycle_twin.Replica(
        requests=int(rng.choice([1, 2, 3, 16, 100])),
        places=int(rng.choice([1, 4, 50, 10**9])),
        iterations=int(rng.choice([1, 10, 300])),
        drawn_frac=float(rng.choice([0, 0.06, 0.5])),
        slots_used=int(rng.choice([1, 2, 10])),
        mixed=bool(rng.integers(2)),
        alone_s=alone,
        step_s=lambda batch: base + slope * batch,
        beside_s=lambda batch, step: share * alone + lean * batch - 0.01 * step,
        clump_prompts=float(rng.choice([0, 1])),
        overhead_s=float(rng.choice([0, 0.05])),
    )


def as_planned(twin):
    loop = Loop(
        requests=float(twin.requests), places=float(twin.places), mixed=twin.mixed,
        iterations=float(twin.iterations), drawn_frac=twin.drawn_frac, slots_used=twin.slots_used,
    )  # fmt: skip
    return replica_cycle(
        loop, alone_s=twin.alone_s, step_s=twin.step_s, beside_s=twin.beside_s,
        clump_prompts=twin.clump_prompts, request_overhead_s=twin.overhead_s,
    )  # fmt: skip


def check_against_twin(seeds):
    for seed in seeds:
        twin = drawn_replica(np.random.default_rng(seed))
        found = as_planned(twin)
        for name, value in cycle_twin.cycle(twin).items():
            assert float(getattr(found, name)) == pytest.approx(value, rel=1e-9), (seed, name)


def test_a_cycle_is_what_its_twin_counts():
    check_against_twin(range(400))


@pytest.mark.sweep
@pytest.mark.parametrize("thousand", range(1, 7))
def test_thousands_of_cycles_are_what_their_twins_count(thousand):
    check_against_twin(range(1000 * thousand, 1000 * thousand + 1000))


KINDS = {
    "requests": np.array([1.0, 8, 8, 64, 64]),
    "places": np.array([1e9, 1e9, 3, 1e9, 20]),
    "iterations": np.array([100.0, 20, 300, 100, 50]),
    "drawn_frac": np.array([0, 0.06, 0, 0.3, 0]),
    "mixed": np.array([False, True, False, True, True]),
}
"""Loops of unlike kinds in one array."""


def timed(kinds):
    return replica_cycle(
        Loop(**kinds),
        alone_s=0.1,
        step_s=lambda batch: 0.02 + 0.0005 * batch,
        beside_s=lambda batch, step: 0.08 + 0.001 * step,
        clump_prompts=1.0,
        request_overhead_s=0.05,
    )


def check_rows(slots):
    kinds = KINDS | {"slots_used": np.array(slots)}
    together = timed(kinds)
    for row in range(len(slots)):
        alone = timed({name: values[row] for name, values in kinds.items()})
        for name in ("ttft_s", "iteration_s", "requests_per_s", "batch", "wait_s"):
            assert getattr(together, name)[row] == pytest.approx(float(getattr(alone, name)))


def test_arrays_are_their_scalars():
    check_rows([10] * 5)


def test_arrays_of_runs_of_unlike_length_are_their_scalars():
    check_rows([1, 2, 3, 10, 10])
