"""The regret of committing to a split: what its fixed chips cost when another ratio comes true.

Prefill work goes with the length of prompts and decode work with that of answers (a longer context
slows decode no further); the plan of each pool (chip, parallelism, batch) is held. Chips of one
type change roles and classes freely, those of different types do not. What is short is bought, and
what is idle stays paid for; beside it stands the same option sized anew for that ratio, or the
committed plan cut to it where that is cheaper.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from planner.decision.heat import around
from planner.decision.plan import Plan, judged
from planner.decision.sized import Sized, sized
from planner.decision.tornado import contender
from planner.demand.workload import ratio, relative_lengths
from planner.errors import ScenarioError
from planner.fleet.pools import Fleet, Pool, Units, counts
from planner.fleet.sizing import server_chips
from planner.money.economics import costs
from planner.money.volumes import volumes


def regret(
    plan: Plan, ratios: Sequence[float] | None = None, option: str | None = None
) -> list[dict[str, Any]]:
    """A record per ratio of the planning month, at stated values; none where no split serves.

    option: the split that was committed to; None: the recommended one, else the best of them.

    Keys: ratio, option_id, served_frac (of demand, with nothing bought), lost_usd_per_year (revenue
    not served), committed_usd_per_year (topped up until all is served), resized_usd_per_year,
    regret_usd_per_year (their difference), regret_frac (over the latter), reason (where there is no
    answer: the other values are then None).
    """
    name = option or chosen_split(plan)
    if name is None:
        return []
    return [
        {"ratio": float(each), "option_id": name, **_at(plan, name, float(each))}
        for each in (ratios or _drifted(plan))
    ]


def chosen_split(plan: Plan) -> str | None:
    """The recommended option where it is a split, else the split with the highest NPV."""
    splits = {
        name: float(npv)
        for name, npv in plan.money.npv_usd.items()
        if plan.fleets[name].split and plan.fleets[name].feasible and name != "split-specialised"
    }
    rival = contender(plan)
    return rival if rival in splits else max(splits, key=splits.__getitem__, default=None)


def _drifted(plan: Plan) -> list[float]:
    """Ratios of the planning month around the planned one."""
    month = plan.scenario.planning_month
    drift = ratio(plan.scenario, month) / ratio(plan.scenario, 0)
    return [each * drift for each in around(plan)]


def _at(plan: Plan, name: str, wanted: float) -> dict[str, Any]:
    scenario, month = plan.scenario, plan.scenario.planning_month
    planned = ratio(scenario, month)
    slider = {"decode_to_prefill_token_ratio": wanted * ratio(scenario, 0) / planned}
    other = sized(scenario.model_copy(update=slider), plan.catalog)
    try:
        resized = judged(other).fleets[name]
    except ScenarioError as error:
        return dict.fromkeys(KEYS) | {"reason": str(error)}
    if not resized.feasible:
        return dict.fromkeys(KEYS) | {"reason": resized.reason}
    committed = plan.fleets[name]
    cut = scaled(committed, *relative_lengths(scenario, planned, wanted), _units(plan))
    share = served_frac(committed, cut)
    topped = _usd_per_year(other, topped_up(committed, cut))
    anew = min(_usd_per_year(other, fleet) for fleet in (cut, resized))
    lost = (1 - share) * _revenue_usd_per_year(other)
    values = (share, lost, topped, anew, topped - anew, (topped - anew) / anew)
    return dict(zip(KEYS, values, strict=True)) | {"reason": ""}


KEYS = (
    "served_frac",
    "lost_usd_per_year",
    "committed_usd_per_year",
    "resized_usd_per_year",
    "regret_usd_per_year",
    "regret_frac",
)


def scaled(fleet: Fleet, prompts: float, answers: float, units: Units) -> Fleet:
    """The plan of each pool at other lengths: work goes with its shares of prefill and decode."""

    def work(pool: Pool) -> float:
        return answers + (prompts - answers) * pool.shares.prefill_frac

    return replace(fleet, pools=tuple(pool.scaled(work(pool), units) for pool in fleet.pools))


def _units(plan: Plan) -> Units:
    at_most = int(plan.ledger["estimates.serving.server_chips"])
    chips = (plan.catalog.accelerators[name] for name in _used(plan))
    return Units(
        {chip.id: server_chips(chip, at_most) for chip in chips},
        int(plan.ledger["estimates.serving.spare_replicas"]),
    )


def _used(plan: Plan) -> set[str]:
    return {pool.accelerator for fleet in plan.fleets.values() for pool in fleet.pools}


def served_frac(committed: Fleet, needed: Fleet) -> float:
    """Share of demand that the committed chips carry when `needed` would carry all. [frac]"""
    held, wanted = counts(committed.pools), counts(needed.pools)
    return min(1.0, *(held[chip] / n for chip, n in wanted.items() if n))


def topped_up(committed: Fleet, needed: Fleet) -> Fleet:
    """The needed fleet and, of each type of chip, what is committed beyond the need, idle."""
    held, wanted = counts(committed.pools), counts(needed.pools)
    idle = {chip: max(0, held.get(chip, 0) - n) for chip, n in wanted.items()}
    return replace(
        needed, pools=tuple(_spread(p, idle.pop(p.accelerator, 0)) for p in needed.pools)
    )


def _spread(pool: Pool, more: int) -> Pool:
    """The pool's work on more chips."""
    n = pool.n_accelerators + more
    busy = pool.n_accelerators / n if n else 1.0
    return replace(
        pool,
        n_accelerators=n,
        n_replicas=n // pool.replica_chips,
        utilization=pool.utilization * busy,
        peak=pool.peak.times(busy),
        mean=pool.mean.times(busy),
    )


def _usd_per_year(held: Sized, fleet: Fleet) -> float:
    """Yearly cost at replacement prices, before what any split costs on top."""
    return float(
        costs(fleet, held.scenario, held.catalog, held.ledger, held.ledger).gross_usd_per_year
    )


def _revenue_usd_per_year(held: Sized) -> float:
    cached = held.scenario.available_software.prefix_cache
    sold = volumes(held.demands, held.ledger, held.ledger, prefix_cache=cached)
    return float(sold.revenue_usd)
