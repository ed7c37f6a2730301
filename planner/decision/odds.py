"""Uncertainty of a plan: ranges of NPV, odds of each option and action, and what matters most.

Triangular draws between low and high around the stated value, sizing held fixed; what moves
together is drawn together (`planner.facts.draws`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.decision.flips import Judge
from planner.decision.ranges import quantiles, share_error_frac, standard_errors
from planner.decision.tornado import Swing, actions, rivals, swings
from planner.decision.turning import Turn, turns
from planner.decision.valued import AS_BUILT
from planner.decision.verdict import ACTIONS_IN_ORDER

if TYPE_CHECKING:
    from planner.decision.plan import Plan


@dataclass(frozen=True)
class Risk:
    """A sampled plan; npv_usd: P10, P50, P90 by option, npv_error_usd their standard errors.

    gain_frac: share of futures in which an option gains. best_frac: in which it has the highest
    NPV of all that a verdict may name, as-built where none gains; action_frac: the same by action.
    swings: widest first. judge: the plan of sized options. Of a share p of n futures the standard
    error is √(p(1 − p)/n).
    """

    plan: Plan
    judge: Judge
    npv_usd: Mapping[str, Mapping[str, float]]
    npv_error_usd: Mapping[str, Mapping[str, float]]
    gain_frac: Mapping[str, float]
    best_frac: Mapping[str, float]
    action_frac: Mapping[str, float]
    swings: Sequence[Swing]

    @cached_property
    def turns(self) -> Sequence[Turn]:
        """Where the widest of the swings turn the answer."""
        return turns(self.plan, self.judge)

    def turn_of(self, swing: Swing) -> Turn:
        """Where one of the swings turns the answer; a second or so."""
        return turns(self.plan, self.judge, [swing.assumption])[0]

    def error_frac(self, share_frac: float) -> float:
        """Standard error of one of the shares."""
        return share_error_frac(share_frac, max(self.plan.n_samples, 1))


def risk(held: Plan, judge: Judge) -> Risk:
    """The uncertainty of a plan that was made with samples."""
    money = held.sampled or held.money
    n = max(held.n_samples, 1)
    wide = {name: np.broadcast_to(npv, (n,)) for name, npv in money.npv_usd.items()}
    best = best_frac(held)
    acts = actions(held)
    return Risk(
        plan=held,
        judge=judge,
        npv_usd={name: quantiles(row) for name, row in wide.items()},
        npv_error_usd={name: standard_errors(row) or {} for name, row in wide.items()},
        gain_frac={name: float((row > 1).mean()) for name, row in wide.items()},
        best_frac=best,
        action_frac={
            action: sum(best[name] for name in acts if acts[name] == action)
            for action in ACTIONS_IN_ORDER
        },
        swings=swings(held),
    )


def best_frac(held: Plan) -> dict[str, float]:
    """Share of futures in which each option that a verdict may name has the highest NPV.

    A gain of a dollar is rounding, so as-built is worth one; of equals the first in order is best.
    """
    money, names = held.sampled or held.money, rivals(held)
    n = max(held.n_samples, 1)
    worth = [
        np.broadcast_to(1.0 if name == AS_BUILT else money.npv_usd[name], (n,)) for name in names
    ]
    winner = np.argmax(worth, axis=0)
    return {name: float((winner == k).mean()) for k, name in enumerate(names)}
