"""Where a split begins to pay: the size of the fleet, and the ratio of output to input tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.decision.sized import Sized, sized
from planner.decision.valued import Valued, valued
from planner.demand.workload import ratio
from planner.errors import ScenarioError
from planner.facts.units import W_PER_MW
from planner.fleet.options import PURCHASABLE

if TYPE_CHECKING:
    from planner.decision.plan import Plan

SIZE, RATIO = "demand_scale", "decode_to_prefill_token_ratio"
N_TRIED = 7
SPAN = 256
N_HALVINGS = 5


def break_evens(plan: Plan) -> list[dict[str, Any]]:
    """For demand and for the ratio, the nearest values on both sides where a split starts to pay.

    Every value is sized anew; the friction of a split is in its cost.
    """
    return [row for name in (SIZE, RATIO) for row in _along(plan, name)]


def saving_frac(held: Sized, money: Valued) -> float:
    """Yearly saving of the cheapest split over the cheapest monolithic option. Returns: [frac]

    Where one kind cannot serve, the other saves all.
    """
    cheapest = {
        split: min((money.cost_usd_per_year(name) for name in names), default=math.inf)
        for split, names in _serving(held, money).items()
    }
    whole, divided = cheapest[False], cheapest[True]
    if math.isinf(whole) or math.isinf(divided):
        return float(math.isinf(whole)) - float(math.isinf(divided))
    return float(1 - divided / whole)


def _serving(held: Sized, money: Valued) -> dict[bool, list[str]]:
    names = [name for name in PURCHASABLE if name in money.costs and held.fleets[name].feasible]
    return {split: [n for n in names if held.fleets[n].split is split] for split in (False, True)}


def _along(plan: Plan, name: str) -> Iterator[dict[str, Any]]:
    today, values = _values(plan, name)
    here = _saving(plan, name, today)
    below = [value for value in values if value < today][::-1]
    above = [value for value in values if value > today]
    for side in (below, above):
        if found := _crossing(plan, name, (today, here), side):
            yield found


def _values(plan: Plan, name: str) -> tuple[float, list[float]]:
    """The value of today, and those tried around it within the field's limits."""
    limits = type(plan.scenario).model_fields[name].metadata
    low, high = (float(next(getattr(m, e) for m in limits if hasattr(m, e))) for e in ("ge", "le"))
    if name == RATIO:
        return ratio(plan.scenario, 0), list(np.geomspace(low, high, N_TRIED))
    today = plan.scenario.demand_scale
    ends = max(today / SPAN, low), min(today * SPAN, high)
    return today, list(np.geomspace(*ends, N_TRIED))


def _saving(plan: Plan, name: str, value: float) -> float:
    """The saving at another value; nobody to serve saves nothing."""
    held = _other(plan, name, value)
    return saving_frac(held, valued(held, held.ledger, held.fleets)) if held else 0.0


def _other(plan: Plan, name: str, value: float) -> Sized | None:
    try:
        return sized(plan.scenario.model_copy(update={name: float(value)}), plan.catalog)
    except ScenarioError:
        return None


def _crossing(
    plan: Plan, name: str, start: tuple[float, float], side: list[float]
) -> dict[str, Any] | None:
    """The nearest change of sign along one side."""
    before, saved = start
    for value in side:
        saves = _saving(plan, name, value)
        if (saves > 0) != (saved > 0):
            pays = saved > 0
            root = _root(plan, name, before, value, pays_at_one=pays)
            return _row(plan, name, root, pays_above=pays == bool(value < before))
        before, saved = value, saves
    return None


def _root(plan: Plan, name: str, one: float, other: float, *, pays_at_one: bool) -> float:
    """Where a split begins to pay between two values: sizes jump, so the bracket is halved."""
    for _ in range(N_HALVINGS):
        middle = math.sqrt(one * other)
        if (_saving(plan, name, middle) > 0) is pays_at_one:
            one = middle
        else:
            other = middle
    return math.sqrt(one * other)


def _row(plan: Plan, name: str, value: float, *, pays_above: bool) -> dict[str, Any]:
    """A crossing in words and sizes. pays_above: whether a split pays at larger values."""
    return {"input": name, "value": value, "pays": "above" if pays_above else "below"} | _size(
        plan, name, value
    )


def _size(plan: Plan, name: str, value: float) -> dict[str, Any]:
    """Chips and facility power of the cheaper of the options there."""
    held = _other(plan, name, value)
    if held is None:
        return {"option_id": None, "n_accelerators": None, "facility_mw": None}
    money = valued(held, held.ledger, held.fleets)
    names = [option for group in _serving(held, money).values() for option in group]
    best = min(names or ["as-built"], key=lambda option: float(money.cost_usd_per_year(option)))
    watts = held.watts[best].provisioned_w * held.ledger["site.pue"]
    return {
        "option_id": best,
        "n_accelerators": sum(pool.n_accelerators for pool in held.fleets[best].pools),
        "facility_mw": watts / W_PER_MW,
    }
