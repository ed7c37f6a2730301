"""One pool on other chips: what part of a split's gain is the chips, not the splitting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planner import text
from planner.decision.sized import sizing
from planner.decision.variants import at_chip

if TYPE_CHECKING:
    from planner.decision.plan import Plan

WHOLE, SPLIT = "monolithic-software", "split-mixed"


def one_pool(plan: Plan) -> dict[str, Any] | None:
    """The cheapest pool for both phases on a single type of chip that can be bought or rented.

    It serves the same demand at the same service levels, with every software that could be
    switched on; chips are at replacement cost, as in the six options. No option or verdict: the
    owned fleet would go. None where no chip serves every class.

    Keys: accelerator, n_accelerators, cost_usd_per_year, below_split_usd_per_year (how much less
    than the best split of chips that can be bought; negative where the split costs less, None
    where it does not serve).
    """
    chips = sizing(plan.scenario, plan.catalog).purchasable
    found = [at_chip(plan, chip, WHOLE) for chip in chips]
    serving = [row for row in found if row["cost_usd_per_year"] is not None]
    if not serving:
        return None
    best = min(serving, key=lambda row: row["cost_usd_per_year"])
    split = None
    if plan.fleets[SPLIT].feasible:
        split = float(plan.money.cost_usd_per_year(SPLIT)) - best["cost_usd_per_year"]
    return {**best, "below_split_usd_per_year": split}


def one_pool_sentence(found: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What one pool on other chips says of the gap.

    names: of chips by id.
    """
    chips = f"{text.number(found['n_accelerators'], place=0)} {names[found['accelerator']]}"
    head = (
        f"One pool of {chips} would do the same for {text.usd(found['cost_usd_per_year'])} a year"
    )
    less = found["below_split_usd_per_year"]
    if less is None:
        return f"{head}; no split of chips that can be bought serves."
    if less > 0:
        gap = "the gap is the chips, not the splitting"
        return f"{head}, {text.usd(less)} less than the best split: {gap}."
    return f"{head}, {text.usd(-less)} more than the best split: that much is splitting itself."
