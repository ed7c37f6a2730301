"""The same options at equal power and at equal yearly cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.decision.records import option_record
from planner.facts.units import W_PER_MW
from planner.fleet.options import LABELS

if TYPE_CHECKING:
    from planner.decision.plan import Plan

EXTENSIVE = (
    "capex_usd",
    "it_nameplate_w",
    "it_peak_w",
    "facility_provisioned_w",
    "facility_peak_w",
    "facility_mean_w",
    "facility_by_hour_w",
    "output_tokens_per_s",
    "cost_usd_per_year",
    "kv_gbit_per_s",
)


def iso_power(plan: Plan) -> list[dict[str, Any]]:
    """Every option filling the power ceiling at its own caps."""
    ceiling_w = plan.ledger["power_budget_mw"] * W_PER_MW
    return [_filled(plan, name, "facility_provisioned_w", ceiling_w) for name in LABELS]


def iso_cost(plan: Plan) -> list[dict[str, Any]]:
    """Every option spending the as-built yearly cost."""
    budget = float(plan.money.cost_usd_per_year("as-built"))
    return [_filled(plan, name, "cost_usd_per_year", budget) for name in LABELS]


def _filled(plan: Plan, name: str, limit: str, available: float) -> dict[str, Any]:
    """The option's record scaled until `limit` is used up; fractions of replicas round down."""
    record = option_record(plan, name)
    if not record[limit]:
        return record
    scale = available / float(record[limit])
    pools = [_scaled_pool(pool, scale) for pool in record["pools"]]
    return (
        record
        | {"scale": scale, "pools": pools}
        | {"n_accelerators": sum(pool["n_accelerators"] for pool in pools)}
        | {key: _times(record[key], scale) for key in EXTENSIVE}
    )


def _scaled_pool(pool: dict[str, Any], scale: float) -> dict[str, Any]:
    replicas = int(pool["n_replicas"] * scale)
    per_replica = pool["tp"] * pool["attention_dp"] * pool["pp"]
    return pool | {"n_replicas": replicas, "n_accelerators": replicas * per_replica}


def _times(value: Any, scale: float) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_times(each, scale) for each in value]
    return int(value * scale) if isinstance(value, int) else value * scale
