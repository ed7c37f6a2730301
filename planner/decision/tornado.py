"""What moves the answer most: each assumption alone at its ends, and who contends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from planner.decision.valued import AS_BUILT, MONOLITHIC_BEST, valued
from planner.decision.verdict import action_of, general_purpose
from planner.facts.ledger import Assumption
from planner.fleet.mix import PROPOSED
from planner.fleet.options import PURCHASABLE

if TYPE_CHECKING:
    from planner.decision.plan import Plan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Swing:
    """NPV of the contender when one assumption alone is low or high."""

    assumption: Assumption
    npv_low_usd: float
    npv_high_usd: float

    @property
    def width_usd(self) -> float:
        """How much the assumption moves the NPV."""
        return abs(self.npv_high_usd - self.npv_low_usd)


def swings(plan: Plan) -> tuple[Swing, ...]:
    """Every assumption at its low and its high, all others as stated, sizing held; widest first."""
    rows = [row for row in plan.ledger.used.values() if row.low < row.high]
    ends = np.array([[row.low, row.high] for row in rows]).reshape(-1)
    option = contender(plan)
    npv = npv_usd(plan, alone(rows, ends, np.arange(len(rows)).repeat(2)), (option,))[option]
    pairs = np.broadcast_to(npv, ends.shape).reshape(-1, 2)
    found = (Swing(row, float(a), float(b)) for row, (a, b) in zip(rows, pairs, strict=True))
    return tuple(sorted(found, key=lambda swing: swing.width_usd, reverse=True))


def contender(plan: Plan) -> str:
    """The recommended option, or where that is to stay, the best of the others."""
    if plan.verdict.option_id != AS_BUILT:
        return plan.verdict.option_id
    built = plan.fleets[AS_BUILT].pools
    others = {
        name: float(plan.money.npv_usd[name])
        for name in rivals(plan)
        if name != AS_BUILT and plan.fleets[name].pools != built
    }
    return max(others, key=others.__getitem__, default=AS_BUILT)


def rivals(plan: Plan) -> tuple[str, ...]:
    """The options that a verdict may name: as-built, and all others that serve within limits."""
    named = (name for name in (*PURCHASABLE, PROPOSED) if name in plan.money.npv_usd)
    able = {name for name, fleet in plan.fleets.items() if fleet.feasible} - set(plan.barred)
    return tuple(name for name in named if name == AS_BUILT or name in able)


def actions(plan: Plan) -> dict[str, str]:
    """What taking each of the rivals means: stay, software, split or specialise."""
    general = general_purpose(plan.catalog)
    return {name: action_of(name, plan.fleets[name], general) for name in rivals(plan)}


def alone(rows: Sequence[Assumption], values: Floats, which: Ints) -> dict[str, Floats]:
    """Draws in which at place i the assumption rows[which[i]] alone is at values[i]."""
    return {row.parameter: np.where(which == k, values, row.value) for k, row in enumerate(rows)}


def npv_usd(plan: Plan, draws: Mapping[str, Floats], options: Sequence[str]) -> Mapping[str, Any]:
    """NPV of some options under given values of some assumptions, sizing held."""
    needed = {AS_BUILT, MONOLITHIC_BEST, *options}
    fleets = {name: fleet for name, fleet in plan.fleets.items() if name in needed}
    return valued(plan.sized, plan.ledger.drawn(draws), fleets).npv_usd


def priced(plan: Plan) -> set[str]:
    """Assumptions that the money of the contender rests on, those of sizes apart."""
    ledger = plan.ledger.drawn({})
    needed = {AS_BUILT, MONOLITHIC_BEST, contender(plan)}
    fleets = {name: fleet for name, fleet in plan.fleets.items() if name in needed}
    valued(plan.sized, ledger, fleets)
    return set(ledger.used)
