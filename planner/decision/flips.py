"""Where the verdict changes along each headline slider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from planner.decision.assumptions import ledger_of
from planner.decision.sized import Sized, sized
from planner.demand.workload import ratio
from planner.fleet.mix import PROPOSED

if TYPE_CHECKING:
    from planner.decision.plan import Plan

Judge: TypeAlias = "Callable[[Sized, int], Plan]"
RATIO = "decode_to_prefill_token_ratio"
SLIDERS = (RATIO, "power_budget_mw", "fleet_mix")
N_POINTS = 9
N_HALVINGS = 4
SPAN = 16


def flips(plan: Plan, judge: Judge) -> tuple[dict[str, Any], ...]:
    """For each slider the nearest values on both sides where another action wins.

    judge: the plan of sized options with a number of samples.
    """
    return tuple(flip for name in SLIDERS for flip in _along(plan, name, judge))


def _along(plan: Plan, name: str, judge: Judge) -> Iterator[dict[str, Any]]:
    if name == "fleet_mix" and plan.verdict.option_id != PROPOSED:
        return  # a forced mix moves the proposed plan alone, and no forced one beats the free one
    today, values = _values(plan, name)
    action = _action(plan, name, judge)
    here = plan.verdict.action
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
        return today, list(
            np.geomspace(max(today, 1 / SPAN) / SPAN, max(today, 1 / SPAN) * 2, N_POINTS)
        )
    about = type(plan.scenario).model_fields[name].metadata
    low, high = (float(next(getattr(m, e) for m in about if hasattr(m, e))) for e in ("ge", "le"))
    return ratio(plan.scenario, 0), list(np.geomspace(low, high, N_POINTS))


def _action(plan: Plan, name: str, judge: Judge) -> Callable[[float], str]:
    """The action at another value of a slider; only the ratio needs new sizes."""

    def action(value: float) -> str:
        other = plan.scenario.model_copy(update={name: float(value)})
        if name == RATIO:
            held = sized(other, plan.catalog)
        else:
            held = replace(plan.sized, scenario=other, ledger=ledger_of(other, plan.catalog))
        return judge(held, plan.n_samples).verdict.action

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
