"""Uncertainty of a plan: ranges of the headlines, odds of each verdict, and what matters most.

First version: independent triangular draws between low and high, sizing held fixed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.decision.headline import quantiles
from planner.decision.plan import Plan, plan
from planner.decision.valued import valued
from planner.demand.scenario import Scenario
from planner.facts.ledger import Assumption, Ledger

Floats = NDArray[np.float64]
AS_BUILT = "as-built"
NOT_RIVALS = (AS_BUILT, "split-specialised")


@dataclass(frozen=True, slots=True)
class Swing:
    """NPV of the recommended option when one assumption alone is low or high."""

    assumption: Assumption
    npv_low_usd: float
    npv_high_usd: float

    @property
    def width_usd(self) -> float:
        """How much the assumption moves the NPV."""
        return abs(self.npv_high_usd - self.npv_low_usd)


@dataclass(frozen=True, slots=True)
class Risk:
    """A sampled plan; npv_usd: P10, P50, P90 by option; gain_frac: share of samples that gain.

    best_frac: share of samples in which the option has the highest NPV. swings: widest first.
    """

    plan: Plan
    npv_usd: Mapping[str, Mapping[str, float]]
    gain_frac: Mapping[str, float]
    best_frac: Mapping[str, float]
    swings: Sequence[Swing]


def sample(scenario: Scenario, n: int, seed: int = 0) -> Risk:
    """The plan of a scenario over n draws of every assumption with a range."""
    held = plan(scenario, n_samples=n, seed=seed)
    return risk(held)


def risk(held: Plan) -> Risk:
    """The uncertainty of a plan that was made with samples."""
    money = held.sampled or held.money
    names = list(money.npv_usd)
    wide = np.stack(np.broadcast_arrays(*map(np.atleast_1d, money.npv_usd.values())))
    winner = wide.argmax(axis=0)
    return Risk(
        plan=held,
        npv_usd={name: quantiles(row) for name, row in zip(names, wide, strict=True)},
        gain_frac={name: float((row > 1).mean()) for name, row in zip(names, wide, strict=True)},
        best_frac={name: float((winner == k).mean()) for k, name in enumerate(names)},
        swings=swings(held),
    )


def swings(held: Plan) -> tuple[Swing, ...]:
    """Every assumption at its low and its high, all others at their value, in one pass."""
    rows = [row for row in held.ledger.used.values() if row.low < row.high]
    draws = {row.parameter: _one_at_a_time(row, k, len(rows)) for k, row in enumerate(rows)}
    ledger = Ledger(held.ledger.find, draws)
    option = _contender(held)
    npv: Any = np.broadcast_to(
        valued(held.sized, ledger, held.fleets).npv_usd[option], (2 * len(rows),)
    )
    found = (Swing(row, float(npv[2 * k]), float(npv[2 * k + 1])) for k, row in enumerate(rows))
    return tuple(sorted(found, key=lambda swing: swing.width_usd, reverse=True))


def _contender(held: Plan) -> str:
    """The recommended option, or where that is to stay, the best of the others."""
    if held.verdict.option_id != AS_BUILT:
        return held.verdict.option_id
    built = held.fleets[AS_BUILT].pools
    others = {
        name: float(npv)
        for name, npv in held.money.npv_usd.items()
        if name not in NOT_RIVALS and held.fleets[name].pools != built
    }
    return max(others, key=others.__getitem__, default=AS_BUILT)


def _one_at_a_time(row: Assumption, index: int, n_rows: int) -> Floats:
    values = np.full(2 * n_rows, row.value)
    values[2 * index], values[2 * index + 1] = row.low, row.high
    return values
