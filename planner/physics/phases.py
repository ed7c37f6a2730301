"""Time of one step of a model, prefill, decode or both, on one kind of replica.

The parts of a step follow each other: products with weights, experts, attention, output head. Each
part is bound by arithmetic or by memory traffic (`roofline`); collectives and overheads add up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.physics.layout import Layout
from planner.physics.machines import Machine
from planner.physics.profile import Profile
from planner.physics.roofline import all_reduce_time_s, all_to_all_time_s, roof_time_s
from planner.physics.transformer import Attending, Work
from planner.physics.weights import BYTES_PER_ELEMENT, WIDE

Floats = NDArray[np.float64]
WIDE_BYTES = BYTES_PER_ELEMENT[WIDE]
NARROW_BYTES = BYTES_PER_ELEMENT["fp8"]


@dataclass(frozen=True, slots=True)
class StepTime:
    """One step and what it consists of [s]; arithmetic and traffic of a part overlap.

    compute_s, memory_s: at the rates reached, one after the other. peak_compute_s, peak_memory_s:
    the same at the peak rates, which tells how busy a chip is.
    """

    total_s: Floats
    compute_s: Floats
    memory_s: Floats
    link_s: Floats
    overhead_s: Floats
    peak_compute_s: Floats
    peak_memory_s: Floats

    @property
    def fixed_s(self) -> Floats:
        """What neither arithmetic nor memory explains [s]."""
        return self.link_s + self.overhead_s


@dataclass(frozen=True, slots=True)
class _Part:
    """Arithmetic and traffic of one part at peak rates [s], the shares reached, and a stretch."""

    compute_s: Floats
    memory_s: Floats
    compute_frac: Any
    memory_frac: Any
    stretch: Any = 1.0


def step_time(held: Profile, machine: Machine, layout: Layout, work: Work) -> StepTime:
    """Time of a step that does `work` on a replica; of each stage where it has several.

    A step with prompt tokens is launched kernel by kernel, so that it lasts at least as long as the
    host takes to launch it; decode alone replays a recorded graph. Arrays broadcast.
    """
    reached = machine.efficiency
    parts = list(_parts(machine, layout, work))
    roof_s = sum(_roof_s(part, reached.roof_order) for part in parts)
    link_s = _link_s(held, machine, layout, work)
    kernels_s = held.n_layers * reached.layer_overhead_s
    kernels_s = (kernels_s + held.n_moe_layers * reached.expert_layer_overhead_s) / layout.pp
    device_s = roof_s + link_s + kernels_s
    launch_s = held.n_layers * reached.launch_layer_s
    launch_s = (launch_s + held.n_moe_layers * reached.launch_expert_layer_s) / layout.pp
    launched_s = roof_time_s(device_s, launch_s * (work.prompt_tokens > 0), reached.launch_order)
    host_s = (
        reached.iteration_overhead_s
        + reached.sequence_overhead_s * work.sequences / layout.attention_dp
    )
    slower = reached.slowdown
    total_s = launched_s * slower + host_s
    return StepTime(
        total_s=np.asarray(total_s),
        compute_s=_total(p.compute_s / p.compute_frac * p.stretch for p in parts) * slower,
        memory_s=_total(p.memory_s / p.memory_frac * p.stretch for p in parts) * slower,
        link_s=np.asarray(link_s * slower),
        overhead_s=np.asarray(total_s - (roof_s + link_s) * slower),
        peak_compute_s=_peak_compute_s(machine, layout, work),
        peak_memory_s=_total(part.memory_s for part in parts),
    )


def _peak_compute_s(machine: Machine, layout: Layout, work: Work) -> Floats:
    """All arithmetic of a chip at peak, without the rows that only fill up tiles. [s]"""
    rates = machine.flop_per_s
    layers_s = _at_peak_s(work.fixed_flop_at, rates) + _at_peak_s(work.expert_flop_at, rates)
    layers_s = (layers_s + work.attention_flop / rates[WIDE]) / layout.pp
    return np.asarray((layers_s + work.head_flop / rates[WIDE]) / layout.stage_chips)


def _total(parts: Iterator[Any]) -> Floats:
    return np.asarray(sum(parts))


def _roof_s(part: _Part, order: Any) -> Floats:
    """Time of one part, its fullest chip waited for. [s]"""
    compute_s, memory_s = part.compute_s / part.compute_frac, part.memory_s / part.memory_frac
    return np.asarray(roof_time_s(compute_s, memory_s, order) * part.stretch)


def _parts(machine: Machine, layout: Layout, work: Work) -> Iterator[_Part]:
    """The parts of a step on one chip of a stage."""
    reached, rates = machine.efficiency, machine.flop_per_s
    per_s, chips = machine.memory_bytes_per_s, layout.stage_chips * layout.pp
    own_bytes = work.fixed_bytes / layout.tp + work.activation_bytes / layout.attention_dp
    yield _Part(
        _at_peak_s(work.fixed_flop_at, rates) / chips,
        own_bytes / layout.pp / per_s,
        reached.compute_frac,
        reached.memory_frac,
    )
    yield _Part(
        _at_peak_s(work.expert_flop_at, rates) * work.padded(reached.expert_padding_rows) / chips,
        work.expert_bytes / chips / per_s,
        reached.expert_compute_frac,
        reached.expert_memory_frac,
        np.where(np.asarray(layout.ep) > 1, reached.expert_imbalance, 1.0),
    )
    yield _Part(
        work.head_flop / rates[WIDE] / layout.stage_chips,
        work.head_bytes / layout.tp / per_s,
        reached.compute_frac,
        reached.memory_frac,
    )
    for each in work.attending:
        yield _Part(
            each.flop / rates[WIDE] / chips,
            _cache_bytes(each, work.holders, layout) / per_s,
            reached.attention_compute_frac,
            reached.cache_memory_frac,
        )


def _at_peak_s(flop_at: Mapping[str, Any], rates: Mapping[str, Any]) -> Floats:
    """Arithmetic at peak, each part at the rate of its precision. [s]"""
    return np.asarray(sum(flop / rates[precision] for precision, flop in flop_at.items()))


def _cache_bytes(each: Attending, holders: tuple[Any, ...], layout: Layout) -> Floats:
    """Cache and states that one chip reads and writes: copies where heads cannot be cut. [bytes]"""
    moved = (
        (read + written) / np.minimum(layout.tp, most)
        for read, written, most in zip(each.read_bytes, each.write_bytes, holders, strict=True)
    )
    own = sum(moved, start=2 * each.state_bytes / layout.tp)
    return np.asarray(own / (layout.attention_dp * layout.pp))


def _link_s(held: Profile, machine: Machine, layout: Layout, work: Work) -> Floats:
    """Communication of all layers of a stage among the chips of a replica. [s]

    Tensor parallel: two all-reduces of the hidden vectors a layer. Attention on each chip's own
    sequences: tokens are sent to their experts at 8 bits and come back at 16. Stages hand on hidden
    vectors.
    """
    own_tokens = work.tokens / layout.attention_dp
    message = own_tokens * held.hidden * WIDE_BYTES
    reduce_s = 2 * held.n_layers * all_reduce_time_s(machine.links, layout.tp, message)
    apart = np.asarray(layout.attention_dp) > 1
    both_ways = sum(
        all_to_all_time_s(
            machine.links,
            layout.stage_chips,
            own_tokens / layout.tp * held.hidden * width,
            held.n_experts_active,
        )
        for width in (NARROW_BYTES, WIDE_BYTES)
    )
    near = layout.n_chips <= machine.links.domain_chips
    onward = np.where(near, machine.links.inside_bytes_per_s, machine.links.outside_bytes_per_s)
    onward_s = machine.links.latency_s + message / onward
    return np.asarray(
        (reduce_s + np.where(apart, held.n_moe_layers * both_ways, 0.0)) / layout.pp
        + np.where(np.asarray(layout.pp) > 1, onward_s, 0.0)
    )
