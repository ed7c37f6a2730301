"""Time of one step of a model, prefill, decode or both, on one kind of replica."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.facts.models import Model
from planner.physics import roofline
from planner.physics.roofline import Machine
from planner.physics.transformer import Work
from planner.physics.weights import BYTES_PER_ELEMENT, WIDE

Floats = NDArray[np.float64]
WIDE_BYTES = BYTES_PER_ELEMENT["bf16"]
NARROW_BYTES = BYTES_PER_ELEMENT["fp8"]


@dataclass(frozen=True, slots=True)
class StepTime:
    """One step and what it consists of [s]; compute and memory overlap, the rest adds up."""

    total_s: Floats
    compute_s: Floats
    memory_s: Floats
    link_s: Floats
    overhead_s: Floats

    @property
    def fixed_s(self) -> Floats:
        """What neither arithmetic nor memory explains [s]."""
        return self.link_s + self.overhead_s


def step_time(model: Model, machine: Machine, work: Work, tokens: ArrayLike) -> StepTime:
    """Time of a step that does `work` on `tokens` tokens at once. Arrays broadcast."""
    narrow_flop = np.asarray(
        sum(flop for name, flop in work.linear_flop_at.items() if name != WIDE)
    )
    compute_s = roofline.compute_time_s(machine, narrow_flop, work.flop - narrow_flop)
    memory_s = roofline.memory_time_s(machine, work.moved_bytes)
    roof_s = roofline.roof_time_s(compute_s, memory_s, machine.roof_order)
    link_s = model.n_layers * _exchange_time_s(model, machine, tokens)
    overhead_s = model.n_layers * machine.layer_overhead_s + machine.iteration_overhead_s
    return StepTime(roof_s + link_s + overhead_s, compute_s, memory_s, link_s, overhead_s)


def _exchange_time_s(model: Model, machine: Machine, tokens: ArrayLike) -> Floats:
    """Communication of one layer among the chips of a replica. Returns: [s]

    Dense models: two all-reduces of the hidden vectors (tensor parallel). Models with experts:
    attention on each chip's own sequences, tokens sent to their experts and back (expert parallel).
    """
    if not model.n_experts:
        message = np.multiply(tokens, model.hidden * WIDE_BYTES)
        return 2 * roofline.all_reduce_time_s(machine, message)
    routed = np.multiply(tokens, model.hidden * model.n_experts_active)
    sent, returned = routed * NARROW_BYTES, routed * WIDE_BYTES
    one_way = roofline.all_to_all_time_s
    return one_way(machine, sent) + one_way(machine, returned)
