"""Time of one step of a model, prefill, decode or both, on one kind of replica."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.facts.models import Model
from planner.physics import roofline
from planner.physics.roofline import Machine
from planner.physics.transformer import Work
from planner.physics.weights import WIDE

Floats = NDArray[np.float64]
ACTIVATION_BYTES = 2.0


@dataclass(frozen=True, slots=True)
class StepTime:
    """One step and what it consists of [s]; compute and memory overlap, the rest adds up."""

    total_s: Floats
    compute_s: Floats
    memory_s: Floats
    fixed_s: Floats


def step_time(model: Model, machine: Machine, work: Work, tokens: ArrayLike) -> StepTime:
    """Time of a step that does `work` on `tokens` tokens at once. Arrays broadcast."""
    narrow_flop = np.asarray(
        sum(flop for name, flop in work.linear_flop_at.items() if name != WIDE)
    )
    compute_s = roofline.compute_time_s(machine, narrow_flop, work.flop - narrow_flop)
    memory_s = roofline.memory_time_s(machine, work.moved_bytes)
    roof_s = roofline.roof_time_s(compute_s, memory_s, machine.roof_order)
    message = np.multiply(tokens, model.hidden * ACTIVATION_BYTES)
    per_layer_s = machine.layer_overhead_s + 2 * roofline.all_reduce_time_s(machine, message)
    fixed_s = model.n_layers * per_layer_s + machine.iteration_overhead_s
    return StepTime(roof_s + fixed_s, compute_s, memory_s, fixed_s)
