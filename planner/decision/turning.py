"""Where one assumption alone turns the answer within its range."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.decision.assumptions import scenario_numbers, with_number
from planner.decision.flips import Judge
from planner.decision.sized import sized
from planner.decision.tornado import (
    Floats,
    Ints,
    actions,
    alone,
    contender,
    npv_usd,
    rivals,
    swings,
)
from planner.decision.verdict import choose, general_purpose
from planner.errors import ScenarioError
from planner.facts.ledger import Assumption

if TYPE_CHECKING:
    from planner.decision.plan import Plan

SHOWN_ROWS = 8
N_HALVINGS = 8
SHARPNESS = 8
"""A turn is known to this part of its distance from the stated value."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Where an assumption alone turns the answer, in its own unit; None with the reason.

    margin: all others at their stated values and sizing held, the contender's NPV there equals that
    of the best option with another action. verdict: stated there, its range moving along, the rule
    of the verdict (P50 of NPV and the confidence asked, over draws) takes another `action` from
    there on. resized: whether that is the verdict of fleets sized anew, as when a reader enters the
    value; facts that are no input are tried with sizing held.
    """

    assumption: Assumption
    margin: float | None
    margin_reason: str
    verdict: float | None
    action: str | None
    verdict_reason: str
    resized: bool


def turns(plan: Plan, judge: Judge, rows: Sequence[Assumption] | None = None) -> tuple[Turn, ...]:
    """Where each assumption turns the answer within its range.

    judge: the plan of sized options. rows: the assumptions; None: those of the widest bars.
    """
    if rows is None:
        widest = swings(plan)[:SHOWN_ROWS]
        rows = [swing.assumption for swing in widest if swing.width_usd > 0]
    pairs = zip(rows, _margins(plan, rows), strict=True)
    return tuple(_turn(plan, row, margin, judge) for row, margin in pairs)


def _turn(plan: Plan, row: Assumption, margin: float | None, judge: Judge) -> Turn:
    here, option = plan.verdict.action, contender(plan)
    resized = row.parameter in scenario_numbers(plan.scenario)
    action = _planned_anew(plan, row, judge) if resized else _restated(plan, row)
    value, there = _changed(row, here, action)
    sides = f"The NPV of {option} stays on one side of every other action's from low to high."
    return Turn(
        assumption=row,
        margin=margin,
        margin_reason="" if margin is not None else sides,
        verdict=value,
        action=there,
        verdict_reason="" if there else f"The verdict reads {here} at the low and the high end.",
        resized=resized,
    )


def _margins(plan: Plan, rows: Sequence[Assumption]) -> list[float | None]:
    """Nearest roots of the contender's NPV less the best of another action, by Chandrupatla."""
    option, acts = contender(plan), actions(plan)
    others = [name for name in acts if acts[name] != acts[option]]
    if not rows or not others:
        return [None] * len(rows)

    def margin_usd(value: Floats, which: Ints) -> Floats:
        npv = npv_usd(plan, alone(rows, value, which), (option, *others))
        best = np.maximum.reduce([np.broadcast_to(npv[name], value.shape) for name in others])
        return np.asarray(npv[option] - best)

    # It takes a second to import, and only the tornado needs it.
    find_root = importlib.import_module("scipy.optimize.elementwise").find_root
    stated = np.array([row.value for row in rows])
    which = np.arange(len(rows))
    roots = []
    for end in ("low", "high"):
        ends = np.array([getattr(row, end) for row in rows])
        sides = np.minimum(stated, ends), np.maximum(stated, ends)
        found = find_root(margin_usd, sides, args=(which,))
        roots.append(np.where(found.success & (sides[0] < sides[1]), found.x, np.nan))
    return [_nearest(row, pair) for row, pair in zip(rows, zip(*roots, strict=True), strict=True)]


def _nearest(row: Assumption, values: Iterable[float]) -> float | None:
    known = [float(value) for value in values if np.isfinite(value)]
    return min(known, key=lambda value: abs(value - row.value), default=None)


def _changed(
    row: Assumption, here: str, action: Callable[[float], str]
) -> tuple[float | None, str | None]:
    """The nearest value towards an end from which another action is taken, by halving; and it."""
    found: list[tuple[float, str]] = []
    for end in sorted({row.low, row.high} - {row.value}):
        same, changed, there = row.value, end, action(end)
        for _ in range(N_HALVINGS if there != here else 0):
            if SHARPNESS * abs(changed - same) <= abs(changed - row.value):
                break
            middle = (same + changed) / 2
            at_middle = action(middle)
            if at_middle == here:
                same = middle
            else:
                changed, there = middle, at_middle
        if there != here:
            found.append((changed, there))
    return min(found, key=lambda turn: abs(turn[0] - row.value), default=(None, None))


def _planned_anew(plan: Plan, row: Assumption, judge: Judge) -> Callable[[float], str]:
    """The action where a reader enters the value, with its range around it as before."""

    def action(value: float) -> str:
        try:
            other = sized(with_number(plan.scenario, row.parameter, value), plan.catalog)
            return judge(other, plan.n_samples).verdict.action
        except ScenarioError:
            return plan.verdict.action

    return action


def _restated(plan: Plan, row: Assumption) -> Callable[[float], str]:
    """The action where a fact has the value, its draws moving along, sizing held."""
    drawn = plan.ledger.sampled(plan.n_samples, plan.seed) if plan.n_samples else plan.ledger
    uncertain = (each for each in plan.ledger.used.values() if each.low < each.high)
    draws = {each.parameter: np.atleast_1d(drawn[each.parameter]) for each in uncertain}
    own, names = draws[row.parameter], rivals(plan)
    rule = (plan.fleets, plan.ledger["operator.min_confidence"], general_purpose(plan.catalog))

    def action(value: float) -> str:
        moved = own * (value / row.value) if row.value else np.full(own.shape, value)
        npv = npv_usd(plan, draws | {row.parameter: moved}, names)
        return choose({name: npv[name] for name in names}, *rule).action

    return action
