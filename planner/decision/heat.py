"""The heat map: what is left to gain at each ratio, the more software is switched on."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from planner.decision.headline import tax_frac
from planner.decision.plan import Plan, judged
from planner.decision.sized import sized
from planner.demand.parts import Software
from planner.demand.workload import ratio
from planner.errors import ScenarioError

SPAN = 8
N_POINTS = 7


def heat_map(plan: Plan, ratios: Sequence[float] | None = None) -> list[dict[str, Any]]:
    """A record per ratio and remediation level, at stated values, every cell sized anew.

    Level 0 is the software in place; each level switches on one more of what the operator could
    have, in the order of its fields. Keys: ratio (output : input tokens today), level, added (what
    this level switches on), tax_frac, npv_usd and option_id of the verdict's option, action,
    reason (where there is no answer: the other values are then None).
    """
    wanted = around(plan) if ratios is None else ratios
    return [
        {"ratio": float(each), "level": level, "added": added, **_cell(plan, each, software)}
        for level, (added, software) in enumerate(levels(plan))
        for each in wanted
    ]


def around(plan: Plan) -> list[float]:
    """Ratios from an eighth to eight times today's, within the limits of the slider."""
    today = ratio(plan.scenario, 0)
    about = type(plan.scenario).model_fields["decode_to_prefill_token_ratio"].metadata
    low, high = (float(next(getattr(m, e) for m in about if hasattr(m, e))) for e in ("ge", "le"))
    return [
        float(r) for r in np.clip(np.geomspace(today / SPAN, today * SPAN, N_POINTS), low, high)
    ]


def levels(plan: Plan) -> Iterator[tuple[str, Software]]:
    """The software in place, then one more remediation at a time: its field, and all so far."""
    held, could = plan.scenario.software, plan.scenario.available_software
    yield "", held
    for field in type(held).model_fields:
        wanted = getattr(could, field)
        if getattr(held, field) != wanted:
            held = held.model_copy(update={field: wanted})
            yield field, held


def _cell(plan: Plan, at_ratio: float, software: Software) -> dict[str, Any]:
    change = {"decode_to_prefill_token_ratio": float(at_ratio), "available_software": software}
    try:
        other = judged(sized(plan.scenario.model_copy(update=change), plan.catalog))
    except ScenarioError as error:
        return dict.fromkeys(("tax_frac", "npv_usd", "option_id", "action")) | {
            "reason": str(error)
        }
    chosen = other.verdict.option_id
    return {
        "tax_frac": float(tax_frac(other, other.money)),
        "npv_usd": float(other.money.npv_usd[chosen]),
        "option_id": chosen,
        "action": other.verdict.action,
        "reason": "",
    }
