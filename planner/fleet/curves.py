"""Step times of every configuration of a grid, over the batches that fit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.demand.parts import Software
from planner.facts.ledger import Ledger
from planner.fleet.grid import Grid
from planner.physics.phases import StepTime, step_time
from planner.physics.profile import kv_bytes
from planner.physics.transformer import Work, decode_work, mixed_work, prefill_work

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
N_BATCHES = 14


@dataclass(frozen=True, slots=True)
class Curves:
    """Steps of the rows of a grid; batches are those of one group.

    batch: from 1 to the cap, evenly spaced in the logarithm (rows, N_BATCHES). decode: steps of a
    stage without prompts (rows, N_BATCHES); prefill: whole prompts of mean length, one in each
    attention group (rows,). decode_s, mixed_s: between two tokens of a request, without and beside
    a full chunk in every attention group, through all stages (rows, N_BATCHES); mixed_s is nan
    where pools are split. idle_mixed_s: a chunk with nothing to decode (rows,). prefill_s: a
    prompt through all stages (rows,). load_s: fetching cached prefixes (rows,). host_s: before a
    prompt may start, on the server's processor and so in nobody's way (rows,).
    fresh_tokens: computed of a prompt. tokens_per_step: that a request gains in an iteration.
    """

    grid: Grid
    batch: Floats
    decode: StepTime
    prefill: StepTime
    decode_s: Floats
    mixed_s: Floats
    idle_mixed_s: Floats
    prefill_s: Floats
    load_s: Floats
    host_s: Floats
    fresh_tokens: Floats
    tokens_per_step: Floats
    kv_bytes_per_request: Floats
    kv_used_frac: float

    @property
    def iterations(self) -> Floats:
        """Decode iterations of a request (rows,). [1]"""
        each = self.grid.of_offer([row.demand.iterations for row in self.grid.offers])
        return each / self.tokens_per_step

    def full(self, values: Floats, rows: Ints) -> Floats:
        """A curve [as given] of some rows over b = 0…B, the largest cap; +inf beyond a row's own.

        Linear between the batches that were timed; with nothing in decode as with one request.
        """
        caps = self.grid.batch_cap[rows]
        batch = np.arange(caps.max() + 1)
        read = [np.interp(batch, self.batch[row], values[row]) for row in rows]
        return np.where(batch <= caps[:, None], read, np.inf)


def curves(grid: Grid, ledger: Ledger) -> Curves:
    """All steps of a grid."""
    offers = grid.offers
    cap = grid.batch_cap[:, None].astype(float)
    batch = cap ** np.linspace(0, 1, N_BATCHES)
    fresh = grid.of_offer(
        [row.demand.fresh_tokens(prefix_cache=row.software.prefix_cache) for row in offers]
    )
    prompts = grid.of_offer([row.demand.input_tokens for row in offers])
    cached = prompts - fresh
    guessed, gained, drafting = _speculation(grid, ledger)
    decode, prefill = _decode(grid, batch, guessed), _prefill(grid, fresh, cached)
    mixed_s, idle_s = _mixed(grid, batch, guessed, drafting)
    stages = np.asarray(grid.layout.pp, float)
    return Curves(
        grid=grid,
        batch=batch,
        decode=decode,
        prefill=prefill,
        decode_s=decode.total_s * (stages * drafting)[:, None],
        mixed_s=mixed_s,
        idle_mixed_s=idle_s,
        prefill_s=prefill.total_s * stages,
        load_s=_load_s(grid, cached, ledger),
        host_s=np.broadcast_to(grid.machine.efficiency.request_overhead_s, len(grid)),
        fresh_tokens=fresh,
        tokens_per_step=gained,
        kv_bytes_per_request=np.asarray(kv_bytes(grid.held, prompts)),
        kv_used_frac=1 - ledger["estimates.serving.paging_waste_frac"],
    )


def _contexts(grid: Grid) -> Floats:
    return grid.of_offer([row.demand.context_tokens for row in grid.offers])


def _decode(grid: Grid, batch: Floats, guessed: Floats) -> StepTime:
    """Steps without prompts (rows, N_BATCHES)."""
    work = decode_work(
        grid.held_column,
        batch * grid.layout.column().attention_dp,
        _contexts(grid)[:, None],
        tokens_per_sequence=guessed[:, None] + 1,
    )
    return _timed(grid, work)


def _prefill(grid: Grid, fresh: Floats, cached: Floats) -> StepTime:
    """Whole prompts, one in each attention group (rows,)."""
    ranks = np.asarray(grid.layout.attention_dp, float)
    work = prefill_work(grid.held, fresh, cached, sequences=ranks)
    return step_time(grid.held, grid.machine, grid.layout, work)


def _timed(grid: Grid, work: Work) -> StepTime:
    """Steps of each row at each batch (rows, N_BATCHES)."""
    return step_time(grid.held_column, grid.machine.column(), grid.layout.column(), work)


def _mixed(grid: Grid, batch: Floats, guessed: Floats, drafting: Floats) -> tuple[Floats, Floats]:
    """Steps beside a full chunk of prompt in each attention group, and of a chunk alone."""
    mixed_s, idle_s = np.full(batch.shape, np.nan), np.full(len(grid), np.nan)
    rows = np.flatnonzero(grid.chunk_tokens)
    if not len(rows):
        return mixed_s, idle_s
    part = grid.at(rows)
    ranks, chunk = np.asarray(part.layout.attention_dp, float), part.chunk_tokens
    before = part.of_offer([row.demand.input_tokens / 2 for row in part.offers])
    work = mixed_work(
        part.held_column,
        batch[rows] * ranks[:, None],
        _contexts(part)[:, None],
        chunk[:, None],
        before[:, None],
        chunks=ranks[:, None],
        tokens_per_sequence=guessed[rows, None] + 1,
    )
    alone = prefill_work(part.held, chunk, before, sequences=ranks)
    stages = np.asarray(part.layout.pp, float)
    mixed_s[rows] = _timed(part, work).total_s * (stages * drafting[rows])[:, None]
    idle_s[rows] = step_time(part.held, part.machine, part.layout, alone).total_s * stages
    return mixed_s, idle_s


def _speculation(grid: Grid, ledger: Ledger) -> tuple[Floats, Floats, Floats]:
    """Drafts of a step, tokens that it yields on average, and its time over that without drafts."""
    guessed = [drafts(row.software) for row in grid.offers]
    gained = [
        float(ledger[f"software.speculative.drafts_{n}_tokens_per_step"]) if n else 1.0
        for n in guessed
    ]
    layer = ledger["engines.drafts.layer_cost"]
    cost = [1 + n * layer / row.model.n_layers for n, row in zip(guessed, grid.offers, strict=True)]
    return grid.of_offer(guessed), grid.of_offer(gained), grid.of_offer(cost)


def drafts(software: Software) -> int:
    """Draft tokens of a step."""
    return 0 if software.speculative == "none" else int(software.speculative.removeprefix("mtp"))


def _load_s(grid: Grid, cached: Floats, ledger: Ledger) -> Floats:
    """Time to fetch cached prefixes from host memory; none where they stay on the chip."""
    fetched = grid.of_offer(
        [row.software.prefix_cache and row.software.kv_offload for row in grid.offers]
    )
    stored = np.asarray(kv_bytes(grid.held, cached)) * fetched
    link = ledger["estimates.serving.host_link_bytes_per_s"]
    return np.asarray(stored / (np.asarray(grid.layout.stage_chips) * grid.layout.pp * link))
