"""Where the verdict changes along each headline slider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.demand.workload import ratio

if TYPE_CHECKING:
    from planner.decision.plan import Plan

N_POINTS = 9
N_HALVINGS = 6
N_SAMPLES = 64
SPAN = 16


def flips(plan: Plan) -> tuple[dict[str, Any], ...]:
    """For each slider the nearest values on both sides where another action wins."""
    return tuple(flip for name in _sliders(plan) for flip in _along(plan, name))


def _sliders(plan: Plan) -> tuple[str, ...]:
    return ("decode_to_prefill_token_ratio", "power_budget_mw", "fleet_mix")


def _along(plan: Plan, name: str) -> Iterator[dict[str, Any]]:
    today, values = _values(plan, name)
    action = _action(plan, name)
    here = action(today) if today is not None else plan.verdict.action
    below = [v for v in values if today is not None and v < today][::-1]
    above = [v for v in values if today is None or v > today]
    for side in (below, above):
        if found := _first_change(today, side, here, action):
            yield {"input": name, "value": found[0], "action": found[1]}


def _values(plan: Plan, name: str) -> tuple[float | None, list[float]]:
    """Today's value of a slider (None: auto) and the values tried, within its limits."""
    if name == "fleet_mix":
        forced = plan.scenario.fleet_mix
        return (None if forced == "auto" else float(forced)), list(np.linspace(0, 1, N_POINTS))
    if name == "power_budget_mw":
        today = plan.scenario.power_budget_mw
        return today, list(np.geomspace(max(today, 1 / SPAN) / SPAN, max(today, 1 / SPAN) * 2, N_POINTS))
    about = type(plan.scenario).model_fields[name].metadata
    low, high = (float(next(getattr(m, e) for m in about if hasattr(m, e))) for e in ("ge", "le"))
    return ratio(plan.scenario, 0), list(np.geomspace(low, high, N_POINTS))


def _action(plan: Plan, name: str) -> Callable[[float], str]:
    from planner.decision.plan import plan as plan_of

    def action(value: float) -> str:
        other = plan.scenario.model_copy(update={name: float(value)})
        return plan_of(other, plan.catalog, n_samples=N_SAMPLES if plan.sampled else 0).verdict.action

    return action


def _first_change(
    today: float | None, side: list[float], here: str, action: Callable[[float], str]
) -> tuple[float, str] | None:
    """The nearest change of action along one side, narrowed by halving the interval."""
    before = today
    for value in side:
        found = action(value)
        if found != here:
            return _narrowed(before, value, here, found, action)
        before = value
    return None


def _narrowed(
    same: float | None, changed: float, here: str, found: str, action: Callable[[float], str]
) -> tuple[float, str]:
    if same is None:
        return changed, found
    for _ in range(N_HALVINGS):
        middle = (same + changed) / 2
        at_middle = action(middle)
        if at_middle == here:
            same = middle
        else:
            changed, found = middle, at_middle
    return changed, found
