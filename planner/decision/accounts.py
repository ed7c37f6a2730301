"""The economics beside the headlines: lines of cost and revenue, and yearly cash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.decision.breakeven import break_evens
from planner.decision.megawatts import margin_usd_per_mw_year
from planner.decision.paper import paper
from planner.facts.units import QUARTERS_PER_YEAR

if TYPE_CHECKING:
    from planner.decision.plan import Plan


def economics(plan: Plan, *, searched: bool) -> dict[str, Any]:
    """Accounts of as-built and of the recommended option.

    searched: whether to size other scenarios for it: where a split begins to pay, equal precision.
    """
    option = plan.verdict.option_id
    return {
        "as_built": account(plan, "as-built"),
        "proposed": account(plan, option) | {"option_id": option},
        "owned": owned(plan),
        "flows_usd_by_year": flows_usd_by_year(plan, option),
        "paper": paper(plan, searched=searched),
        "break_even": break_evens(plan) if searched else None,
    }


def account(plan: Plan, option: str) -> dict[str, Any]:
    """A year of an option: revenue by kind of token, and every line of its cost."""
    money = plan.money
    sold, lines, extras = money.sold[option], money.costs[option], money.extras[option]
    provisioned_w = plan.watts[option].provisioned_w * plan.ledger["site.pue"]
    return {
        "revenue_usd_per_year": {
            "input": sold.input_revenue_usd,
            "cached": sold.cached_revenue_usd,
            "output": sold.output_revenue_usd,
            "total": sold.revenue_usd,
        },
        "cost_usd_per_year": {
            "capital": lines.capital_usd_per_year,
            "space": lines.space_usd_per_year,
            "energy": lines.energy_usd_per_year,
            "support": lines.support_usd_per_year,
            "staff": lines.staff_usd_per_year,
            "licences": lines.licences_usd_per_year,
            "fabric": extras.fabric,
            "orchestration": extras.orchestration,
            "flexibility": extras.flexibility,
            "total": plan.money.cost_usd_per_year(option),
        },
        "memory_in_capital_usd_per_year": lines.memory_usd_per_year,
        "energy_kwh_per_year": lines.energy_kwh_per_year,
        "margin_usd_per_mw_year": margin_usd_per_mw_year(lines, sold.revenue_usd, provisioned_w),
    }


def owned(plan: Plan) -> dict[str, Any]:
    """What the serving share of the owned fleet stands for in the books, and would fetch today."""
    ledger, chips = plan.ledger, plan.sized.owned
    haircut = ledger["estimates.money.resale_haircut_frac"]

    def total(field: str) -> float:
        return float(sum(n * ledger[f"owned.{chip}.{field}"] for chip, n in chips.items()))

    return {
        "n_accelerators": sum(chips.values()),
        "book_usd": total("book_usd"),
        "resale_usd": total("resale_usd") * (1 - haircut),
    }


def flows_usd_by_year(plan: Plan, option: str) -> list[float]:
    """After-tax cash of an option less that of as-built: today's, then a sum for each year."""
    flows = plan.flows_usd(option)
    years = np.arange(1, len(flows), QUARTERS_PER_YEAR)
    return [float(flows[0]), *(float(usd) for usd in np.add.reduceat(flows[1:], years - 1))]
