"""Percentiles of configurations at a grid of loads: what sizing chooses from."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from planner.fleet.curves import Curves
from planner.fleet.fabric import Link
from planner.load.handoff import Sending, handoff, transfer_s
from planner.load.lengths import length_quantile_frac
from planner.load.queueing import (
    Replica,
    chunked_replica,
    chunked_saturation_per_s,
    decode_pool,
    decode_pool_saturation_per_s,
    prefill_pool,
    prefill_priority_replica,
    prefill_priority_saturation_per_s,
)
from planner.load.waiting import pooled_wait_frac

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
N_LOADS = 24
LOADS = np.linspace(0, 1, N_LOADS + 2)[1:-1]


@dataclass(frozen=True, slots=True)
class Table:
    """What configurations (rows) answer at each load of LOADS (columns).

    n_replicas: that carry the whole peak at the load. ttft_s, tpot_s: quantiles; a pool that only
    decodes has in ttft_s the wait for a place and the first step, one that only prefills has no
    tpot_s. batch: requests in decode on a replica. patience_s: how long caches may wait for
    decode before they fill the memory of the pool that made them (back-pressure); infinite where
    none wait. full_per_s: rate at which a replica saturates (rows, 1).
    """

    n_replicas: Floats
    ttft_s: Floats
    tpot_s: Floats
    batch: Floats
    patience_s: Floats
    full_per_s: Floats

    def at(self, rows: Ints) -> "Table":
        """Some of the rows."""
        return Table(*(getattr(self, field.name)[rows] for field in fields(self)))


class Lazy:
    """A table whose rows are computed when first asked for."""

    def __init__(self, compute: Callable[[Ints], Table], n_rows: int) -> None:
        self._compute = compute
        self._place = np.full(n_rows, -1)
        self._parts: list[Table] = []
        self._n = 0

    def at(self, rows: Ints) -> Table:
        """The rows asked for, those that are new computed together."""
        new = np.unique(rows[self._place[rows] < 0])
        if len(new):
            self._place[new] = self._n + np.arange(len(new))
            self._n += len(new)
            self._parts = [_joined([*self._parts, self._compute(new)])]
        return self._parts[0].at(self._place[rows])


def _joined(parts: list[Table]) -> Table:
    return Table(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Table)))


@dataclass(frozen=True, slots=True)
class Offered:
    """What each row of a grid is asked: peak rate of its class and the spread of its requests."""

    per_s: Floats
    input_tokens: Floats
    input_scv: Floats
    output_scv: Floats
    arrival_scv: Floats

    def at(self, rows: Ints) -> "Offered":
        """As columns for some of the rows."""
        return Offered(*(getattr(self, field.name)[rows][:, None] for field in fields(self)))


def whole_table(curves: Curves, offered: Offered, level_frac: float, rows: Ints) -> Table:
    """Replicas that do both phases.

    A group answers for its own batch; prompts wait as in a fleet that routes them to the group
    that can start them first.
    """
    grid, asked = curves.grid, offered.at(rows)
    chunked = np.array([offer.software.chunked_prefill for offer in grid.offers])[grid.offer[rows]]
    result, full = _replicas(curves, asked, level_frac, rows, chunked)
    groups = grid.groups[rows][:, None]
    alone = np.asarray(result.ttft_quantile_s)
    queues = asked.per_s / (LOADS * full)
    left = pooled_wait_frac(LOADS, queues, asked.arrival_scv, asked.input_scv)
    unhindered = alone[:, :1]
    before_s = (curves.host_s + curves.load_s)[rows][:, None]
    ttft = before_s + unhindered + (alone - unhindered) * left
    return Table(
        n_replicas=queues / groups,
        ttft_s=ttft,
        tpot_s=np.asarray(result.tpot_quantile_s) / curves.tokens_per_step[rows][:, None],
        batch=np.asarray(result.batch_mean) * groups,
        patience_s=np.full_like(ttft, np.inf),
        full_per_s=full * groups,
    )


def _replicas(
    curves: Curves, asked: Offered, level_frac: float, rows: Ints, chunked: NDArray[np.bool_]
) -> tuple[Replica, Floats]:
    """Groups at each load, in chunks or whole prompts first, and their saturation as a column."""
    parts = []
    for flag, serve in ((True, _in_chunks), (False, _prompts_first)):
        mine = np.flatnonzero(chunked == flag)
        if len(mine):
            parts.append((mine, *serve(curves, asked, level_frac, rows, mine)))
    if len(parts) == 1:
        return parts[0][1:]
    order = np.argsort(np.concatenate([mine for mine, _, _ in parts]))
    merged = {
        field.name: np.concatenate([getattr(found, field.name) for _, found, _ in parts])[order]
        for field in fields(Replica)
    }
    return Replica(**merged), np.concatenate([full for _, _, full in parts])[order]


def _in_chunks(
    curves: Curves, asked: Offered, level_frac: float, rows: Ints, mine: Ints
) -> tuple[Replica, Floats]:
    at = rows[mine]
    decode = curves.full(curves.decode_s, at)
    mixed = curves.full(curves.mixed_s, at)
    mixed[:, 0] = np.minimum(curves.idle_mixed_s[at], mixed[:, 1])
    mixed = np.maximum.accumulate(np.maximum(mixed, decode), axis=1)
    fresh, chunk, answers = (
        values[at][:, None]
        for values in (curves.fresh_tokens, curves.grid.chunk_tokens, 1 + curves.iterations)
    )
    spread = asked.input_scv[mine]
    full = chunked_saturation_per_s(
        fresh[:, 0], answers[:, 0], decode, mixed, chunk[:, 0], input_scv=spread[:, 0]
    )[:, None]
    found = chunked_replica(
        LOADS * full,
        fresh,
        spread,
        answers,
        decode[:, None],
        mixed[:, None],
        chunk,
        output_scv=asked.output_scv[mine],
        quantile=level_frac,
    )
    return found, full


def _prompts_first(
    curves: Curves, asked: Offered, level_frac: float, rows: Ints, mine: Ints
) -> tuple[Replica, Floats]:
    at = rows[mine]
    decode = curves.full(curves.decode_s, at)
    fresh, answers = curves.fresh_tokens[at], 1 + curves.iterations[at]
    per_token_s = curves.prefill_s[at] / fresh
    full = prefill_priority_saturation_per_s(fresh, answers, decode, per_token_s)[:, None]
    found = prefill_priority_replica(
        LOADS * full,
        fresh[:, None],
        asked.input_scv[mine],
        answers[:, None],
        decode[:, None],
        per_token_s[:, None],
        output_scv=asked.output_scv[mine],
        quantile=level_frac,
    )
    return found, full


def decode_table(curves: Curves, offered: Offered, level_frac: float, rows: Ints) -> Table:
    """Replicas that only decode."""
    grid, asked = curves.grid, offered.at(rows)
    steps = curves.full(curves.decode_s, rows)[:, 1:]
    full = decode_pool_saturation_per_s(curves.iterations[rows], steps)[:, None]
    found = decode_pool(
        LOADS * full,
        curves.iterations[rows][:, None],
        steps[:, None],
        output_scv=asked.output_scv,
        quantile=level_frac,
    )
    groups = grid.groups[rows][:, None]
    ttft = np.asarray(found.wait_quantile_s) + curves.decode_s[rows, 0][:, None]
    return Table(
        n_replicas=asked.per_s / (LOADS * full * groups),
        ttft_s=ttft,
        tpot_s=np.asarray(found.tpot_quantile_s) / curves.tokens_per_step[rows][:, None],
        batch=np.asarray(found.batch_mean) * groups,
        patience_s=np.full_like(ttft, np.inf),
        full_per_s=full * groups,
    )


def prefill_table(
    curves: Curves, offered: Offered, link: Link, server_chips: Ints, level_frac: float, rows: Ints
) -> Table:
    """Replicas that only prefill, one shared queue before them; ttft_s ends with the hand-off.

    Excesses of independent parts over their means add as squares (exact for normal laws).
    server_chips: that share a node's link (rows of the grid,).
    """
    asked, groups = offered.at(rows), curves.grid.groups[rows][:, None]
    own_s, room = _own_s(curves, rows), curves.grid.held_requests[rows][:, None]
    # without room for a second cache the next prompt starts when the first cache has left
    busy_s = own_s + np.where(room < 2, _transfer_s(curves, asked, link, rows), 0)
    servers = np.maximum(np.ceil(asked.per_s * busy_s / LOADS), 1)
    pool = prefill_pool(
        asked.per_s,
        busy_s,
        asked.input_scv,
        servers,
        arrival_scv=asked.arrival_scv,
        quantile=level_frac,
    )
    nodes = servers / groups * curves.grid.n_chips[rows][:, None] / server_chips[rows][:, None]
    sent = handoff(
        sending(curves, asked, link, np.maximum(np.floor(nodes), 1), level_frac, rows),
        link.bytes_per_s,
    )
    longest = np.maximum(length_quantile_frac(asked.input_scv, np.asarray(level_frac)), 1)
    late = (
        _over(pool.wait_quantile_s, pool.wait_mean_s),
        own_s * (longest - 1),
        _over(sent.visible_quantile_s, sent.visible_mean_s),
    )
    mean = np.asarray(pool.wait_mean_s) + own_s + np.asarray(sent.visible_mean_s)
    mean = mean + curves.host_s[rows][:, None]
    ttft = np.where(np.isfinite(mean), mean + np.sqrt(sum(part**2 for part in late)), np.inf)
    none = np.zeros_like(ttft)
    return Table(
        n_replicas=servers / groups,
        ttft_s=ttft,
        tpot_s=none,
        batch=none,
        patience_s=np.maximum(room - 1, 0) * servers / asked.per_s,
        full_per_s=groups / busy_s,
    )


def _own_s(curves: Curves, rows: Ints) -> Floats:
    """Time that a mean prompt itself takes, as a column. [s]"""
    return (curves.prefill_s + curves.load_s)[rows][:, None]


def _transfer_s(curves: Curves, asked: Offered, link: Link, rows: Ints) -> Floats:
    """Time that a mean cache takes on a link of its own, as a column. [s]"""
    sent = sending(curves, asked, link, np.ones((len(rows), 1)), 1 / 2, rows)
    alone = transfer_s(np.asarray(sent.kv_bytes), np.asarray(link.bytes_per_s), sent.mechanism)
    return np.asarray(alone)


def _over(quantile: object, mean: object) -> Floats:
    """What a quantile adds to its mean, 0 where neither is finite."""
    high, low = np.asarray(quantile, float), np.asarray(mean, float)
    both = np.isfinite(high) & np.isfinite(low)
    over: Floats = np.maximum(np.where(both, high, 0) - np.where(both, low, 0), 0)
    return over


def sending(
    curves: Curves, asked: Offered, link: Link, nodes: Floats, level_frac: float, rows: Ints
) -> Sending:
    """The caches that some rows send from a number of nodes."""
    layers = curves.grid.of_offer([row.model.n_layers for row in curves.grid.offers])
    layers = layers[rows][:, None]
    return Sending(
        requests_per_s=asked.per_s,
        kv_bytes=curves.kv_bytes_per_request[rows][:, None],
        n_layers=layers,
        prefill_s=_own_s(curves, rows),
        n_nodes=nodes,
        overlap=link.overlap,
        mechanism=link.mechanism(asked.input_tokens, layers),
        input_scv=asked.input_scv,
        arrival_scv=asked.arrival_scv,
        quantile=level_frac,
    )
