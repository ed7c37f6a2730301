"""One option as a record of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.demand.workload import Demand
from planner.facts.units import BITS_PER_BYTE, BITS_PER_GBIT, SECONDS_PER_YEAR, TOKENS_PER_MTOK
from planner.fleet import joules
from planner.fleet.pools import MONOLITHIC, PREFILL, Pool
from planner.fleet.watts import draw_by_hour_w
from planner.money.economics import j_per_useful_token, revenue_usd_per_kwh, usd_per_mtok

if TYPE_CHECKING:
    from planner.decision.plan import Plan

BOUND = {
    "compute": "arithmetic",
    "memory": "memory bandwidth",
    "link": "links between chips",
    "overhead": "software overhead",
}


def option_record(plan: Plan, name: str) -> dict[str, Any]:
    """All keys of an option; money and rates are null where it has no pools."""
    fleet = plan.fleets[name]
    latencies = by_class(fleet.pools, plan.sized.demands)
    worst = max(latencies, key=lambda row: row["slack"], default={})
    return {
        "id": fleet.id,
        "label": fleet.label,
        "feasible": fleet.feasible,
        "reason": fleet.reason,
        "pools": [pool_record(pool) for pool in fleet.pools],
        "n_accelerators": sum(pool.n_accelerators for pool in fleet.pools),
        "p99_ttft_s": worst.get("p99_ttft_s"),
        "p99_tpot_s": worst.get("p99_tpot_s"),
        "by_class": [{k: v for k, v in row.items() if k != "slack"} for row in latencies],
        "kv_gbit_per_s": kv_gbit_per_s(fleet.pools),
        "kv_transfer_s": max((pool.kv_transfer_s for pool in fleet.pools), default=0.0),
        "kv_efficiency_frac": kv_efficiency_frac(fleet.pools),
        "bottleneck": bottleneck(fleet.pools),
        "access": access(plan, fleet.pools),
        **_power(plan, name),
        **_money(plan, name),
    }


def pool_record(pool: Pool) -> dict[str, Any]:
    """A pool by the contract's keys."""
    return {
        "role": pool.role,
        "model": pool.model,
        "classes": [pool.class_name],
        "accelerator": pool.accelerator,
        "n_accelerators": pool.n_accelerators,
        "n_replicas": pool.n_replicas,
        "tp": pool.tp,
        "ep": pool.ep,
        "attention_dp": pool.attention_dp,
        "pp": pool.pp,
        "weight_precision": pool.weight_precision,
        "speculative_drafts": pool.drafts,
        "chunk_tokens": pool.chunk_tokens or None,
        "batch": pool.batch,
        "utilization": pool.utilization,
        "power_cap_frac": pool.power_cap_frac,
        "compute_util_frac": {
            "peak": pool.peak.compute_util_frac,
            "mean": pool.mean.compute_util_frac,
        },
        "memory_util_frac": {
            "peak": pool.peak.memory_util_frac,
            "mean": pool.mean.memory_util_frac,
        },
    }


def by_class(pools: Sequence[Pool], demands: Sequence[Demand]) -> list[dict[str, Any]]:
    """Worst p99s of each class over its pools, and how close they come to the service levels."""
    rows = []
    for demand in demands:
        mine = [pool for pool in pools if pool.class_name == demand.name]
        if not mine:
            continue
        ttft, tpot = _ttft_s(mine), max((p.p99_tpot_s for p in mine if p.p99_tpot_s), default=None)
        wanted = demand.source
        slack = max(ttft / wanted.p99_ttft_s, (tpot or 0.0) / wanted.p99_tpot_s)
        rows.append({"name": demand.name, "p99_ttft_s": ttft, "p99_tpot_s": tpot, "slack": slack})
    return rows


def _ttft_s(pools: Sequence[Pool]) -> float:
    """A whole replica's time to first token; of a split, prefill's and the wait before decode.

    The sum of two p99s is an upper bound.
    """
    by_role: dict[str, float] = {}
    for pool in pools:
        by_role[pool.role] = max(by_role.get(pool.role, 0.0), pool.p99_ttft_s or 0.0)
    whole = by_role.pop(MONOLITHIC, 0.0)
    return max(whole, sum(by_role.values()))


def kv_gbit_per_s(pools: Sequence[Pool]) -> float:
    """Cache traffic from prefill to decode at peak. Returns: [Gbit/s]"""
    return sum(pool.kv_bytes_per_s for pool in pools) * BITS_PER_BYTE / BITS_PER_GBIT


def kv_efficiency_frac(pools: Sequence[Pool]) -> float | None:
    """Share of cache memory that holds live tokens, over the chips that decode."""
    held = [(pool.n_accelerators, pool.kv_stored_frac) for pool in pools if pool.role != PREFILL]
    chips = sum(n for n, _ in held)
    return sum(n * frac for n, frac in held) / chips if chips else None


def bottleneck(pools: Sequence[Pool]) -> str | None:
    """What most accelerator-seconds wait for."""
    totals = {
        kind: sum(pool.n_accelerators * pool.shares.bound_by(kind) for pool in pools)
        for kind in BOUND
    }
    return BOUND[max(totals, key=lambda kind: totals[kind])] if pools else None


def access(plan: Plan, pools: Sequence[Pool]) -> str:
    """The least reachable of the chips: paper, captive, rent or buy."""
    used = {plan.catalog.accelerators[pool.accelerator].access for pool in pools}
    return next((kind for kind in ("paper", "captive", "rent", "buy") if kind in used), "buy")


def _power(plan: Plan, name: str) -> dict[str, Any]:
    watts, pue = plan.watts[name], plan.ledger["site.pue"]
    return {
        "it_nameplate_w": watts.nameplate_w,
        "it_peak_w": watts.peak_w,
        "facility_provisioned_w": watts.provisioned_w * pue,
        "facility_peak_w": watts.peak_w * pue,
        "facility_mean_w": watts.mean_w * pue,
        "facility_by_hour_w": list(
            draw_by_hour_w(plan.fleets[name], plan.catalog, plan.ledger) * pue
        ),
    }


def _money(plan: Plan, name: str) -> dict[str, Any]:
    if name not in plan.money.costs:
        return dict.fromkeys(MONEY)
    sold = plan.money.sold[name]
    costs = plan.money.costs[name]
    total = plan.money.cost_usd_per_year(name)
    facility_w = plan.watts[name].mean_w * plan.ledger["site.pue"]
    causes = joules.draw_by_cause_w(plan.fleets[name], plan.catalog, plan.ledger)
    values = (
        costs.capex_usd,
        sold.output_tokens / SECONDS_PER_YEAR,
        total,
        usd_per_mtok(total, sold),
        usd_per_mtok(costs.capital_usd_per_year, sold),
        revenue_usd_per_kwh(sold, costs),
        j_per_useful_token(facility_w, sold),
        np.median((plan.sampled or plan.money).npv_usd[name]),
        total / (sold.total_tokens / TOKENS_PER_MTOK),
        [
            {"id": cause, "label": joules.LABELS[cause], "j": j_per_useful_token(watts, sold)}
            for cause, watts in causes.items()
        ],
    )
    return dict(zip(MONEY, values, strict=True))


MONEY = (
    "capex_usd",
    "output_tokens_per_s",
    "cost_usd_per_year",
    "cost_usd_per_mtok",
    "capex_usd_per_mtok",
    "revenue_usd_per_kwh",
    "j_per_useful_token",
    "npv_usd",
    "cost_usd_per_total_mtok",
    "j_per_useful_token_by_cause",
)
