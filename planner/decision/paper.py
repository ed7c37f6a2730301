"""Chips on paper beside the ladder: at two prices, and against bought chips at equal precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.decision.sized import sized
from planner.decision.valued import ladder_costs, valued
from planner.demand.scenario import Scenario
from planner.fleet.pools import Fleet
from planner.money import prices, tax

if TYPE_CHECKING:
    from planner.decision.plan import Plan

PAPER = "split-specialised"
WIDE = {"weight_precision": "bf16", "kv_precision": "bf16"}
"""Every chip, on paper or not, has a published rate for 16 bits."""


def paper(plan: Plan, *, searched: bool) -> dict[str, Any] | None:
    """Paper chips at a price by elasticity, and at the vendor's price less what they save to make.

    searched: whether to size all options anew at equal precision. None where paper chips do not
    serve. Keys: chips (each with accelerator, by_elasticity_usd and vendor_less_saving_usd), and
    the paper tax at either price and at equal precision: tax_frac_by_elasticity,
    tax_frac_vendor_less_saving, tax_frac_at_16_bit (None where not searched).
    """
    fleet = plan.fleets[PAPER]
    if not fleet.feasible or PAPER not in plan.money.costs:
        return None
    catalog, ledger = plan.catalog, plan.ledger
    used = sorted({pool.accelerator for pool in fleet.pools})
    gross = plan.money.gross_usd_per_year(PAPER)
    other = gross + _dearer_usd_per_year(plan, fleet)
    along = plan.costs_along(plan.money)
    return {
        "chips": [
            {
                "accelerator": chip,
                "by_elasticity_usd": prices.chip_usd(chip, catalog, ledger),
                "vendor_less_saving_usd": prices.vendor_less_saving_usd(chip, ledger),
            }
            for chip in used
        ],
        "tax_frac_by_elasticity": tax.paper_tax_frac(*along, gross),
        "tax_frac_vendor_less_saving": tax.paper_tax_frac(*along, other),
        "tax_frac_at_16_bit": tax_frac_at_16_bit(plan) if searched else None,
    }


def tax_frac_at_16_bit(plan: Plan) -> float | None:
    """The paper tax where no option computes or stores below 16 bits [frac]; None: none serves.

    The rate of paper chips at 8 bits is an assumption, twice that at 16; here nothing rests on it.
    """
    held = sized(_wide(plan.scenario), plan.catalog)
    money = valued(held, held.ledger, held.fleets)
    if PAPER not in money.costs or not held.fleets[PAPER].feasible:
        return None
    along = ladder_costs(held, money)
    return float(tax.paper_tax_frac(*along, money.gross_usd_per_year(PAPER)))


def _wide(scenario: Scenario) -> Scenario:
    """The scenario with 16 bits for weights and cache, now and with what could be switched on."""
    both = {"software": scenario.software, "available_software": scenario.available_software}
    wide = {name: part.model_copy(update=WIDE) for name, part in both.items()}
    return scenario.model_copy(update=wide)


def _dearer_usd_per_year(plan: Plan, fleet: Fleet) -> Any:
    """Yearly capital and support of paper chips at vendor price less saving, over by elasticity."""
    ledger = plan.ledger
    rate, life = ledger["finance.wacc_frac"], ledger["finance.life_years"]
    support = ledger["prices.running.it_support_frac_per_year"]
    yearly = prices.paid_monthly_frac(rate, life) + support
    dearer: Any = 0.0
    for pool in fleet.pools:
        chip = pool.accelerator
        change = prices.vendor_less_saving_usd(chip, ledger) / prices.chip_usd(
            chip, plan.catalog, ledger
        )
        all_in = prices.all_in_usd(chip, plan.catalog, ledger)
        dearer += pool.n_accelerators * (change - 1) * all_in
    return dearer * yearly
