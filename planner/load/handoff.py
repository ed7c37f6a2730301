"""The hand-off of a request's cache from prefill to decode: what of it a request sees.

A mechanism is data: in how many pieces the cache crosses, what each piece costs beyond its bytes,
and what share of the bytes is left after compression.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.facts.units import BITS_PER_BYTE, BITS_PER_GBIT
from planner.load.checks import (
    Floats,
    Numbers,
    at_least_one,
    non_negative,
    open_fraction,
    positive,
    whole_servers,
)
from planner.load.lengths import length_quantile_frac
from planner.load.prefill import prefill_pool
from planner.load.results import Flags, plain

OVERLAPS = NO_OVERLAP, LAYERWISE = "none", "layerwise"
N_HALVINGS = 64


@dataclass(frozen=True, slots=True)
class Mechanism:
    """How a cache crosses: n_pieces per request, each costing piece_latency_s beside its bytes."""

    n_pieces: Numbers = 1.0
    piece_latency_s: Numbers = 0.0
    bytes_frac: Numbers = 1.0


@dataclass(frozen=True, slots=True)
class Handoff:
    """The hand-off as a request sees it [s] and as a node must carry it.

    transfer_s: a request of mean length alone on the link; wait_mean_s: for earlier transfers;
    visible_*: both, less what overlaps prefill. Infinite delays and feasible=False where transfers
    come faster than the link carries them.
    """

    transfer_s: Numbers
    wait_mean_s: Numbers
    visible_mean_s: Numbers
    visible_quantile_s: Numbers
    utilization: Numbers
    gbit_per_s_per_node: Numbers
    feasible: bool | Flags


def block_pieces(
    prompt_tokens: ArrayLike, block_tokens: ArrayLike, n_layers: ArrayLike, *, contiguous: bool
) -> Floats:
    """Pieces [1] of a paged cache: one a block where blocks are contiguous, else two a layer of it.

    Layout (blocks, layers, 2, …) against (layers, 2, blocks, …): FlowKV, arXiv 2504.03775.
    """
    blocks = np.ceil(
        positive("prompt_tokens", prompt_tokens) / positive("block_tokens", block_tokens)
    )
    return blocks if contiguous else blocks * 2 * at_least_one("n_layers", n_layers)


def piece_latency_s(
    slow_s: ArrayLike, fast_s: ArrayLike, slow_pieces: ArrayLike, fast_pieces: ArrayLike
) -> Floats:
    """Cost of a piece from one cache measured in many and in few pieces: Δtime/Δpieces. [s]."""
    time_s = np.asarray(slow_s, dtype=np.float64) - np.asarray(fast_s, dtype=np.float64)
    pieces = np.asarray(slow_pieces, dtype=np.float64) - np.asarray(fast_pieces, dtype=np.float64)
    return positive("slow_s - fast_s", time_s) / positive("slow_pieces - fast_pieces", pieces)


def transfer_s(kv_bytes: Floats, link_bytes_per_s: Floats, mechanism: Mechanism) -> Floats:
    """Time of one cache alone on a link: its pieces' latencies and its bytes. Returns: [s]."""
    latency_s = np.asarray(mechanism.n_pieces * mechanism.piece_latency_s)
    return latency_s + kv_bytes * mechanism.bytes_frac / link_bytes_per_s


def visible_s(transfer: Floats, prefill_s: Floats, n_layers: Floats, overlap: str) -> Floats:
    """What of a transfer follows prefill: all of it, or max(T/layers, T − prefill). Returns: [s].

    The latter where layers travel while later ones compute (Splitwise, ISCA 2024).
    Raises ValueError on an unknown overlap.
    """
    if overlap not in OVERLAPS:
        raise ValueError(f"overlap must be one of {', '.join(OVERLAPS)}; got {overlap!r}.")
    if overlap == NO_OVERLAP:
        return transfer
    return np.maximum(transfer / n_layers, transfer - prefill_s)


def gbit_per_s_per_node(requests_per_s: Floats, kv_bytes: Floats, n_nodes: Floats) -> Floats:
    """Link rate that the caches of all requests need on each node. Returns: [Gbit/s]."""
    return requests_per_s * kv_bytes * BITS_PER_BYTE / BITS_PER_GBIT / n_nodes


@dataclass(frozen=True, slots=True)
class Sending:
    """What crosses the links: every field broadcasts.

    requests_per_s over all nodes; kv_bytes, prefill_s of a request of mean length; both grow with
    it, so that a long prompt hides a long transfer. n_nodes: prefill nodes, each with a link.
    Requests leave prefill no more bunched than they came (arrival_scv) and go to any node alike:
    each sees an SCV of 1 + (Ca² − 1)/n (Whitt, Bell System Technical Journal 62(9), 1983).
    Raises ValueError on negative, empty or non-finite input and on an unknown overlap.
    """

    requests_per_s: ArrayLike
    kv_bytes: ArrayLike
    n_layers: ArrayLike
    prefill_s: ArrayLike
    n_nodes: ArrayLike = 1
    overlap: str = LAYERWISE
    mechanism: Mechanism = field(default_factory=Mechanism)
    input_scv: ArrayLike = 1.0
    arrival_scv: ArrayLike = 1.0
    quantile: ArrayLike = 0.99

    def checked(self) -> "Checked":
        """The same as arrays."""
        return Checked(
            rate_per_s=non_negative("requests_per_s", self.requests_per_s),
            kv_bytes=positive("kv_bytes", self.kv_bytes),
            n_layers=at_least_one("n_layers", self.n_layers),
            prefill_s=non_negative("prefill_s", self.prefill_s),
            n_nodes=whole_servers("n_nodes", self.n_nodes),
            input_scv=non_negative("input_scv", self.input_scv),
            arrival_scv=non_negative("arrival_scv", self.arrival_scv),
            level_frac=open_fraction("quantile", self.quantile),
            overlap=self.overlap,
            mechanism=self.mechanism,
        )


def handoff(
    sending: Sending, link_bytes_per_s: ArrayLike, *, budget_s: ArrayLike = np.inf
) -> Handoff:
    """GI/G/1 of caches on the link of each prefill node: its delay, and whether that is in budget.

    The quantile adds the excesses of queue and length as squares. budget_s: what of the service
    level the hand-off may use [s].
    """
    load, link = sending.checked(), positive("link_bytes_per_s", link_bytes_per_s)
    delay, budget = _delay(load, link), np.asarray(budget_s, dtype=np.float64)
    return Handoff(
        **plain(
            transfer_s=transfer_s(load.kv_bytes, link, load.mechanism),
            wait_mean_s=delay.wait_s,
            visible_mean_s=delay.mean_s,
            visible_quantile_s=delay.quantile_s,
            utilization=delay.utilization,
            gbit_per_s_per_node=load.gbit_per_s_per_node,
            feasible=np.isfinite(delay.quantile_s) & (delay.quantile_s <= budget),
        )
    )


def needed_link_bytes_per_s(sending: Sending, budget_s: ArrayLike = np.inf) -> Floats:
    """The slowest link of a node whose hand-off quantile keeps a budget; +inf where none would.

    By halving its logarithm, from the link that the caches of a node would fill.
    """
    load, budget = sending.checked(), np.asarray(budget_s, dtype=np.float64)
    filled = np.maximum(load.gbit_per_s_per_node * BITS_PER_GBIT / BITS_PER_BYTE, 1.0)

    def enough(doublings: Floats) -> NDArray[np.bool_]:
        quantile_s = _delay(load, filled * 2.0**doublings).quantile_s
        return np.isfinite(quantile_s) & (quantile_s <= budget)

    shape = np.broadcast_shapes(filled.shape, budget.shape)
    low, high = np.full(shape, -float(N_HALVINGS)), np.full(shape, float(N_HALVINGS))
    possible = enough(high)
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        is_enough = enough(middle)
        low, high = np.where(is_enough, low, middle), np.where(is_enough, middle, high)
    return np.where(possible, filled * 2.0**high, np.inf)


@dataclass(frozen=True, slots=True)
class Checked:
    """What `Sending` says, as arrays."""

    rate_per_s: Floats
    kv_bytes: Floats
    n_layers: Floats
    prefill_s: Floats
    n_nodes: Floats
    input_scv: Floats
    arrival_scv: Floats
    level_frac: Floats
    overlap: str
    mechanism: Mechanism

    @property
    def gbit_per_s_per_node(self) -> Floats:
        """Link rate that the caches need on each node."""
        sent = self.kv_bytes * self.mechanism.bytes_frac
        return gbit_per_s_per_node(self.rate_per_s, sent, self.n_nodes)

    def visible_s(self, link: Floats, length: Floats) -> Floats:
        """What a request of `length` mean lengths sees of its own transfer. [s]"""
        own_s = transfer_s(self.kv_bytes, link, self.mechanism) * length
        return visible_s(own_s, self.prefill_s * length, self.n_layers, self.overlap)


@dataclass(frozen=True, slots=True)
class _Delay:
    wait_s: Floats
    mean_s: Floats
    quantile_s: Floats
    utilization: Floats


def _delay(load: Checked, link: Floats) -> _Delay:
    """Queue of a node's link, then the visible part of the own transfer."""
    queue = prefill_pool(
        load.rate_per_s / load.n_nodes,
        transfer_s(load.kv_bytes, link, load.mechanism),
        load.input_scv,
        1,
        arrival_scv=1 + (load.arrival_scv - 1) / load.n_nodes,
        quantile=load.level_frac,
    )
    stable = np.asarray(queue.stable)
    wait_s, tail_s = (
        np.where(stable, value, 0) for value in (queue.wait_mean_s, queue.wait_quantile_s)
    )
    own_s = load.visible_s(link, np.ones(()))
    longer_s = load.visible_s(link, length_quantile_frac(load.input_scv, load.level_frac)) - own_s
    excess_s = np.hypot(np.maximum(tail_s - wait_s, 0), np.maximum(longer_s, 0))
    return _Delay(
        wait_s=np.where(stable, wait_s, np.inf),
        mean_s=np.where(stable, wait_s + own_s, np.inf),
        quantile_s=np.where(stable, wait_s + own_s + excess_s, np.inf),
        utilization=np.asarray(queue.utilization),
    )
