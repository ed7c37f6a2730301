"""Percentiles of an option's pools as its chips are run fuller: the curves that sizing read."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from planner.decision.plan import Plan
from planner.decision.sized import sizing
from planner.fleet.candidates import Candidates
from planner.fleet.curves import drafts
from planner.fleet.offers import allowed
from planner.fleet.pools import PREFILL, Pool

FULLNESS = np.linspace(0.5, 1.1, 25)
"""Chips of the plan over chips that are run: 1 is the plan, more is fewer chips."""


def latencies(plan: Plan, options: tuple[str, ...]) -> list[dict[str, Any]]:
    """A record per option, class and fullness, at the peak minute.

    Fullness: how full the chips are run over how full the plan runs them. Keys: option_id, class,
    fullness, p99_ttft_s, p99_tpot_s (None where a pool saturates), limit_ttft_s, limit_tpot_s.
    """
    held, _ = allowed(sizing(plan.scenario, plan.catalog))
    if held is None:
        return []
    return [row for name in options for row in _option(plan, held, name)]


def _option(plan: Plan, held: Candidates, name: str) -> Iterator[dict[str, Any]]:
    for demand in plan.sized.demands:
        pools = [pool for pool in plan.fleets[name].pools if pool.class_name == demand.name]
        read = [_percentiles(held, pool) for pool in pools]
        if not read or any(each is None for each in read):
            continue
        by_role: dict[str, Any] = {}
        for pool, each in zip(pools, read, strict=True):
            by_role[pool.role] = np.fmax(by_role.get(pool.role, 0.0), each[0])  # type: ignore[index]
        ttft, tpot = sum(by_role.values()), np.max([each[1] for each in read], axis=0)  # type: ignore[index]
        for fullness, first_s, next_s in zip(FULLNESS, ttft, tpot, strict=True):
            yield {
                "option_id": name,
                "class": demand.name,
                "fullness": float(fullness),
                "p99_ttft_s": float(first_s) if np.isfinite(first_s) else None,
                "p99_tpot_s": float(next_s) if np.isfinite(next_s) else None,
                "limit_ttft_s": demand.source.p99_ttft_s,
                "limit_tpot_s": demand.source.p99_tpot_s,
            }


def _percentiles(held: Candidates, pool: Pool) -> tuple[Any, Any] | None:
    """Times to the first and per further token of one pool along FULLNESS; None: not found. [s]"""
    row = _row(held, pool)
    if row is None:
        return None
    table = held.tables[pool.role].at(np.array([row]))
    loads = held.offered.per_s[row] / table.full_per_s[0, 0] / table.n_replicas[0]
    wanted = FULLNESS * pool.utilization

    def read(values: Any) -> Any:
        finite = np.isfinite(values)
        if not finite.any():
            return np.full(wanted.shape, np.inf)
        found = np.interp(wanted, loads[finite], values[finite])
        return np.where(wanted <= loads[finite][-1], found, np.inf)

    next_s = np.zeros(wanted.shape) if pool.role == PREFILL else read(table.tpot_s[0])
    return read(table.ttft_s[0]), next_s


def _row(held: Candidates, pool: Pool) -> int | None:
    """The configuration that a pool was built from."""
    grid = held.curves.grid
    chips = [place for place, chip in enumerate(grid.chips) if chip.id == pool.accelerator]
    offers = [place for place, row in enumerate(grid.offers) if _is_of(row, pool)]
    layout = grid.layout
    same = np.isin(grid.offer, offers) & np.isin(grid.chip, chips)
    for name in ("tp", "attention_dp", "ep", "pp"):
        same &= np.asarray(getattr(layout, name)) == getattr(pool, name)
    same &= grid.chunk_tokens == pool.chunk_tokens
    found = np.flatnonzero(same)
    return int(found[0]) if len(found) else None


def _is_of(row: Any, pool: Pool) -> bool:
    software = row.software
    drafted = drafts(software) if pool.role != PREFILL else pool.drafts
    return bool(
        row.demand.name == pool.class_name
        and software.weight_precision == pool.weight_precision
        and drafted == pool.drafts
        and bool(row.chunks) == (pool.role == "monolithic")
    )
