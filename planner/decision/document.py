"""The document `plan/1`: a plan as plain values, a missing one with its reason in the caveats."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planner.decision import megawatts as more_power
from planner.decision.accounts import economics
from planner.decision.headline import headline
from planner.decision.limits import short_of_power
from planner.decision.one_pool import one_pool
from planner.decision.proposing import missed_frac, worth
from planner.decision.records import option_record
from planner.decision.risk_record import ledger_rows, risk_record
from planner.decision.views import iso_cost, iso_power
from planner.facts.units import W_PER_MW
from planner.fleet.mix import PROPOSED
from planner.fleet.options import LABELS
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL
from planner.money import stranded as megawatts
from planner.money import tax
from planner.version import MODEL_VERSION

if TYPE_CHECKING:
    from planner.decision.plan import Plan

SCHEMA = "plan/1"
TOLERANCE = 1e-9


def document(plan: Plan, *, flips: bool, break_even: bool) -> dict[str, Any]:
    """All keys of the public contract."""
    caveats = [*plan.sized.caveats, *plan.fleets[PROPOSED].caveats, *plan.barred.values()]
    caveats += short_of_power(plan.sized)
    caveats += _not_searched(
        **{"verdict.flips": flips, "one_pool": flips, "economics.break_even": break_even}
    )
    options = [option_record(plan, name) for name in LABELS]
    body = {
        "schema": SCHEMA,
        "scenario": plan.scenario.model_dump(mode="json"),
        "model_version": MODEL_VERSION,
        "catalog_date": plan.catalog.date,
        "verdict": _verdict(plan, flips=flips),
        "declared": declared(plan),
        "headline": headline(plan, caveats, slow=flips),
        "economics": economics(plan, searched=break_even),
        "options": options,
        "proposed": option_record(plan, PROPOSED) | {"mix": _mix(plan)},
        "one_pool": one_pool(plan) if flips else None,
        "views": {
            "iso_power": {"options": iso_power(plan)},
            "iso_cost": {"options": iso_cost(plan)},
        },
        "bridge": _bridge(plan),
        "net": {"usd_per_year": plan.bridge.net, "frac": plan.bridge.net / plan.bridge.base},
        "stranded": _stranded(plan),
        "checks": checks(plan),
        "risk": risk_record(plan, caveats, slow=flips),
        "ledger": ledger_rows(plan, caveats),
    }
    plain: dict[str, Any] = finite(body, "", caveats)
    plain["caveats"] = list(dict.fromkeys([*_infeasible(plan), *caveats]))
    return plain


def _mix(plan: Plan) -> dict[str, Any] | None:
    """What the optimiser says of its mix: how far from the best, what binds, what more is worth.

    worth_usd_per_year: of one more megawatt, dollar of capital and rack.
    """
    held, site = plan.mix, plan.scenario.site
    if held is None:
        return None
    return {
        "gap_frac": held.gap_frac,
        "binding": list(held.binding),
        "worth_usd_per_year": dict(worth(held, site.rack_limit_w)),
        "over_mw": held.over_w / W_PER_MW,
        "off_frac": missed_frac(plan.sized, plan.fleets["proposed"]),
    }


def _not_searched(**searched: bool) -> list[str]:
    """One sentence about the slow parts that were not asked for."""
    missing = " and ".join(name for name, done in searched.items() if not done)
    asked = "are not searched: the document was asked for without them."
    return [f"{missing} {asked}"] if missing else []


def _verdict(plan: Plan, *, flips: bool) -> dict[str, Any]:
    held = plan.verdict
    return {
        "action": held.action,
        "option_id": held.option_id,
        "sentence": held.sentence,
        "confidence_frac": held.confidence_frac,
        "flips": [dict(flip) for flip in plan.flips] if flips else None,
    }


def declared(plan: Plan) -> dict[str, Any]:
    """The workload that the next cluster is built for, and what it takes."""
    option = plan.verdict.option_id
    pools = plan.fleets[option].pools
    pue = plan.ledger["site.pue"]
    by_role = dict.fromkeys((MONOLITHIC, PREFILL, DECODE), 0.0)
    for pool in pools:
        by_role[pool.role] += float(plan.pool_watts(pool).provisioned_w * pue)
    whole = by_role[MONOLITHIC]
    prefill_share = _prefill_share(plan, option)
    return {
        "primary_workload": "prefill" if prefill_share > 1 - prefill_share else "decode",
        "by_class": [
            {"class": demand.name, "action": plan.verdict.action} for demand in plan.sized.demands
        ],
        "prefill_mw": (by_role[PREFILL] + whole * prefill_share) / W_PER_MW,
        "decode_mw": (by_role[DECODE] + whole * (1 - prefill_share)) / W_PER_MW,
        "accelerators": sorted({pool.accelerator for pool in pools}),
        "flexibility_usd_per_year": flexibility_usd_per_year(plan),
    }


def flexibility_usd_per_year(plan: Plan) -> float:
    """What keeping one pool costs a year against the cheapest purchasable option; 0 for a split."""
    if plan.fleets[plan.verdict.option_id].split:
        return 0.0
    chosen = plan.money.cost_usd_per_year(plan.verdict.option_id)
    return max(float(chosen - plan.money.cost_usd_per_year(plan.best)), 0.0)


def _prefill_share(plan: Plan, option: str) -> float:
    pools = plan.fleets[option].pools
    chips = sum(pool.n_accelerators for pool in pools)
    return sum(p.n_accelerators * p.shares.prefill_frac for p in pools) / chips if chips else 0.0


def _bridge(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "id": step,
            "label": tax.LABELS[step],
            "usd_per_year": usd,
            "frac": usd / plan.bridge.base,
        }
        for step, usd in plan.bridge.steps.items()
    ]


def _stranded(plan: Plan) -> dict[str, Any]:
    held = plan.stranded
    return {
        "provisioned_mw": held.provisioned_w / W_PER_MW,
        "needed_mw": held.needed_w / W_PER_MW,
        "causes": [
            {"id": cause, "label": megawatts.label_of(cause, watts), "mw": watts / W_PER_MW}
            for cause, watts in held.causes.items()
        ],
        "worth": more_power.record(more_power.ways(plan.sized, plan.money, plan.best, held)),
    }


def checks(plan: Plan) -> dict[str, Any]:
    """The master check: what must add up, recomputed from the published parts."""
    held = plan.stranded
    power = sum(held.causes.values()) - (held.provisioned_w - held.needed_w)
    largest = max(held.provisioned_w, *map(abs, held.causes.values()))
    gross, feasible = plan.ladder_costs
    extras = plan.money.extras[tax.last_serving(feasible)].total
    ends = tax.carried(gross, feasible)
    money = plan.bridge.net - (ends[0] - ends[-1] - extras)
    served = {
        demand.name: sum(
            p.demand_frac for p in plan.fleets["as-built"].pools if p.class_name == demand.name
        )
        for demand in plan.sized.demands
    }
    tests = {
        "The causes add up to provisioned less needed power.": abs(power) <= TOLERANCE * largest,
        "The bridge adds up to the net.": abs(money) <= TOLERANCE * abs(plan.bridge.base),
        "As-built serves every class whole.": all(abs(s - 1) < TOLERANCE for s in served.values()),
        "Nameplate ≥ provisioned ≥ peak ≥ mean power for every option.": all(
            w.nameplate_w >= w.provisioned_w >= w.peak_w >= w.mean_w * (1 - TOLERANCE)
            for w in plan.watts.values()
        ),
    }
    failed = [name for name, passed in tests.items() if not passed]
    return {"ok": not failed, "failed": failed}


def _infeasible(plan: Plan) -> list[str]:
    return [
        f"{fleet.label} ({name}) is infeasible: {fleet.reason}"
        for name, fleet in plan.fleets.items()
        if not fleet.feasible
    ]


def finite(value: Any, path: str, caveats: list[str]) -> Any:
    """Plain Python values; what is not finite becomes None with a reason in the caveats."""
    if isinstance(value, Mapping):
        return {
            key: finite(item, f"{path}.{key}".strip("."), caveats) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [finite(item, path, caveats) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    number = float(value)
    if math.isfinite(number):
        return number
    caveats.append(f"{path} has no finite value: the system it describes is unstable or empty.")
    return None
