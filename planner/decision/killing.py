"""Kill conditions: the inputs to watch, and from which value on the recommendation is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from planner import text
from planner.decision.turning import Turn
from planner.decision.wording import name_of, value_of
from planner.facts.ledger import Assumption

if TYPE_CHECKING:
    from planner.decision.plan import Plan

SHOWN_NAMES = 5


def kill_conditions(plan: Plan, turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """A record per input that alone turns the verdict within its range, the likeliest first.

    Keys: parameter, name (in words), direction (above or below), threshold and unit, action (the
    verdict there), chance_frac (of lying beyond, by the input's own range), sentence.
    """
    found = [_condition(plan, turn) for turn in turns if turn.verdict is not None]
    return sorted(found, key=lambda each: -each["chance_frac"])[:SHOWN_NAMES]


def _condition(plan: Plan, turn: Turn) -> dict[str, Any]:
    row, value = turn.assumption, turn.verdict or 0.0
    above = value > row.value
    chance = 1 - below_frac(row, value) if above else below_frac(row, value)
    direction = "above" if above else "below"
    return {
        "parameter": row.parameter,
        "name": name_of(row, plan.catalog),
        "direction": direction,
        "threshold": value,
        "unit": row.unit,
        "action": turn.action,
        "chance_frac": chance,
        "sentence": (
            f"{name_of(row, plan.catalog)} {direction} {value_of(value, row.unit)} "
            f"(now {value_of(row.value, row.unit)}): the verdict reads {turn.action}, "
            f"{text.percent(chance)} likely."
        ),
    }


def below_frac(row: Assumption, value: float) -> float:
    """Probability of a value below, by the triangular law on [low, high]. Returns: [frac]

    Source: Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 2, ch. 26.
    """
    width = row.high - row.low
    if value <= row.value:
        return (value - row.low) ** 2 / (width * (row.value - row.low)) if value > row.low else 0.0
    return 1 - (row.high - value) ** 2 / (width * (row.high - row.value))
