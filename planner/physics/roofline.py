"""Time of one step on a group of chips that holds one copy of a model.

A step is bound by arithmetic or by memory traffic, whichever is slower, softened where both are
close; collective communication and fixed overheads come on top. Arrays broadcast throughout.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Machine:
    """The chips of one replica and the shares of their peaks that serving reaches.

    Every field is an array of shape (configurations,) or (configurations, 1).
    flop_per_s, wide_flop_per_s: peak of one chip at the weights' precision and at 16 bits.
    memory_bytes_per_s, memory_bytes, link_bytes_per_s: of one chip.
    roof_order: the p of the p-norm that joins compute and memory; infinite is the plain roofline.
    """

    n_chips: Floats
    flop_per_s: Floats
    wide_flop_per_s: Floats
    memory_bytes_per_s: Floats
    memory_bytes: Floats
    link_bytes_per_s: Floats
    compute_frac: Floats
    memory_frac: Floats
    link_frac: Floats
    link_latency_s: Floats
    layer_overhead_s: Floats
    iteration_overhead_s: Floats
    roof_order: Floats

    def column(self) -> "Machine":
        """The same machines as a column, to broadcast against a row of batches."""
        return Machine(*(np.asarray(getattr(self, n))[..., None] for n in self.__slots__))


def compute_time_s(machine: Machine, narrow_flop: Floats, wide_flop: Floats) -> Floats:
    """Time of the arithmetic alone, each part at the rate of its precision. Returns: [s]"""
    at_peak_s = narrow_flop / machine.flop_per_s + wide_flop / machine.wide_flop_per_s
    return at_peak_s / (machine.n_chips * machine.compute_frac)


def memory_time_s(machine: Machine, moved_bytes: Floats) -> Floats:
    """Time of the memory traffic alone. Returns: [s]"""
    return moved_bytes / (machine.n_chips * machine.memory_bytes_per_s * machine.memory_frac)


def roof_time_s(compute_s: Floats, memory_s: Floats, order: Floats) -> Floats:
    """The p-norm of both times: their maximum for p → ∞, at most twice it for p = 1.

    Source: roofline model, Williams, Waterman, Patterson, CACM 52(4), 2009. Returns: [s]
    """
    slower, faster = np.maximum(compute_s, memory_s), np.minimum(compute_s, memory_s)
    return slower * (1 + (faster / slower) ** order) ** (1 / order)


def all_reduce_time_s(machine: Machine, message_bytes: Floats) -> Floats:
    """A ring all-reduce: 2(n−1)/n of the message over each link, plus its start-up; 0 for n = 1.

    Source: Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005. Returns: [s]
    """
    n = machine.n_chips
    wire_s = 2 * (n - 1) / n * message_bytes / (machine.link_bytes_per_s * machine.link_frac)
    return np.where(n > 1, wire_s + machine.link_latency_s, 0)


def all_to_all_time_s(machine: Machine, message_bytes: Floats) -> Floats:
    """All chips exchange their n-th of a message: (n−1)/n of it leaves each chip; 0 for n = 1.

    message_bytes: of all chips together. Source: Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005.
    Returns: [s]
    """
    n = machine.n_chips
    own = message_bytes / n * (n - 1) / n
    wire_s = own / (machine.link_bytes_per_s * machine.link_frac)
    return np.where(n > 1, wire_s + machine.link_latency_s, 0)
