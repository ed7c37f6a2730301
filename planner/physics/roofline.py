"""Bounds on the time of a step: the roofline, and collective communication over links.

Everything else about a step is in `phases`; arrays broadcast throughout.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Links:
    """Links of one chip: numbers or arrays.

    domain_chips: chips of the scale-up domain. inside_bytes_per_s, outside_bytes_per_s: within it
    and beyond it, one direction, as reached. latency_s: start-up of one collective.
    """

    domain_chips: Any
    inside_bytes_per_s: Any
    outside_bytes_per_s: Any
    latency_s: Any


def roof_time_s(compute_s: ArrayLike, memory_s: ArrayLike, order: ArrayLike) -> Floats:
    """The p-norm of both times: their maximum for p → ∞, at most twice it for p = 1.

    Source: roofline model, Williams, Waterman, Patterson, CACM 52(4), 2009. Returns: [s]
    """
    slower, faster = np.maximum(compute_s, memory_s), np.minimum(compute_s, memory_s)
    ratio = np.divide(faster, slower, out=np.zeros_like(slower, float), where=slower > 0)
    return np.asarray(slower * (1 + ratio**order) ** np.divide(1, order))


def all_reduce_time_s(links: Links, n_chips: ArrayLike, message_bytes: ArrayLike) -> Floats:
    """A ring all-reduce: 2(n−1)/n of the message over each link, plus its start-up; 0 for n = 1.

    Groups beyond the scale-up domain reduce inside it first, then a domain's share between domains.
    Source: Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005. Returns: [s]
    """
    n = np.asarray(n_chips, float)
    inside = np.minimum(n, links.domain_chips)
    groups = n / inside
    message = np.asarray(message_bytes, float)
    wire_s = _ring(inside) * message / links.inside_bytes_per_s
    wire_s = wire_s + _ring(groups) * message / inside / links.outside_bytes_per_s
    starts = (inside > 1).astype(float) + (groups > 1)
    return np.where(n > 1, wire_s + starts * links.latency_s, 0.0)


def _ring(n: Floats) -> Floats:
    """Share of a message that an all-reduce over n puts on each link."""
    return 2 * (n - 1) / n


def all_to_all_time_s(
    links: Links, n_chips: ArrayLike, own_bytes: ArrayLike, n_chosen: ArrayLike
) -> Floats:
    """Each chip sends its tokens to the chips of `n_chosen` experts drawn evenly; 0 for n = 1.

    own_bytes: of one copy of a chip's tokens. A token goes to a chip once, however many of its
    experts are there: (n−1)·(1 − (1−1/n)^k) copies leave. Beyond the scale-up domain it goes to
    each domain once and is handed on inside, as DeepEP does; both links work at once.
    Source: DeepSeek-V3, arXiv 2412.19437, section 3.2.2. Returns: [s]
    """
    n = np.asarray(n_chips, float)
    groups = n / np.minimum(n, links.domain_chips)
    own = np.asarray(own_bytes, float)
    inside_s = _others_chosen(n, n_chosen) * own / links.inside_bytes_per_s
    outside_s = _others_chosen(groups, n_chosen) * own / links.outside_bytes_per_s
    return np.where(n > 1, np.maximum(inside_s, outside_s) + links.latency_s, 0.0)


def _others_chosen(n: Floats, n_chosen: ArrayLike) -> Floats:
    """Places other than one's own, of n, that at least one of some even choices falls on."""
    return np.asarray((n - 1) * (1 - (1 - 1 / n) ** np.asarray(n_chosen, float)))
