"""The figures at the top: as-built unlabelled, the recommended plan beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from planner.decision import megawatts
from planner.decision.ranges import ranged
from planner.demand.workload import RATIO_MONTHS, ratio
from planner.facts.units import BITS_PER_BYTE, HOURS_PER_YEAR, W_PER_KW, W_PER_MW
from planner.money import cash, tax
from planner.money.economics import j_per_useful_token, revenue_usd_per_kwh, usd_per_mtok

if TYPE_CHECKING:
    from planner.decision.plan import Plan
    from planner.decision.valued import Valued


def headline(plan: Plan, caveats: list[str], *, slow: bool) -> dict[str, Any]:
    """Figures of as-built, with the recommended plan's under `proposed`.

    slow: whether to size the fleet for today's demand as well.
    """
    if plan.sampled is None:
        caveats.append("Ranges and confidence are not computed: the plan was asked for no samples.")
    dated = {
        "speed_to_power_quarters": speed_to_power_quarters(plan),
        "at_18_months": _dated(plan, plan.at_18_months, RATIO_MONTHS),
    }
    if slow:
        dated["today"] = _dated(plan, plan.today, 0)
    recommended = _shared(plan, plan.verdict.option_id, caveats)
    return {**_shared(plan, "as-built", caveats), **dated, "proposed": {**recommended, **dated}}


def _shared(plan: Plan, option: str, caveats: list[str]) -> dict[str, Any]:
    held, money = plan.stranded, plan.money
    today = ratio(plan.scenario, 0)
    return {
        "option_id": option,
        "prefill_token_frac": 1 / (1 + today),
        "decode_to_prefill_token_ratio": today,
        "prefill_time_frac": prefill_time_frac(plan, option),
        "tax_frac": spread(plan, tax_frac),
        "gross_gap_frac": spread(plan, gross_gap_frac),
        "software_gain_frac": gross_gap_frac(plan, money) - tax_frac(plan, money),
        "paper_tax_frac": paper_tax_frac(plan, caveats),
        "stranded_mw": _stranded_mw(plan),
        "stranded_capital_usd": stranded_capital_usd(plan),
        "free_mw": plan.ledger["power_budget_mw"] - held.provisioned_w / W_PER_MW,
        "recovered_mw": held.recovered_w / W_PER_MW,
        "memory_j_per_bit": plan.ledger["calibration.memory_j_per_byte"] / BITS_PER_BYTE,
        "extra_throughput_frac": held.extra_throughput_frac,
        **_unit_figures(plan, option),
        **_cash_figures(plan, option, caveats),
        "ranges": ranges(plan, option),
    }


def prefill_time_frac(plan: Plan, option: str) -> float:
    """Share of accelerator-seconds spent in prefill over an option's fleet, at the mean rate."""
    pools = plan.fleets[option].pools
    mean_over_peak = {row.name: row.mean_per_s / row.peak_per_s for row in plan.sized.demands}
    busy = [p.n_accelerators * p.utilization * mean_over_peak[p.class_name] for p in pools]
    prefill = sum(b * pool.shares.prefill_frac for b, pool in zip(busy, pools, strict=True))
    return prefill / sum(busy) if sum(busy) else 0.0


def spread(plan: Plan, figure: Callable[[Plan, Valued], Any]) -> dict[str, Any]:
    """P10, P50 and P90 of a figure with their errors; without samples its value alone, as P50."""
    return ranged(figure(plan, plan.sampled or plan.money), plan.n_samples)


def tax_frac(plan: Plan, money: Valued) -> Any:
    """The bifurcation tax."""
    return tax.tax_frac(*plan.costs_along(money))


def gross_gap_frac(plan: Plan, money: Valued) -> Any:
    """As-built against the mixed split, before friction."""
    return tax.gross_gap_frac(*plan.costs_along(money))


def paper_tax_frac(plan: Plan, caveats: list[str]) -> Any:
    """The tax against paper chips, or None with its reason."""
    paper = plan.fleets["split-specialised"]
    if not paper.feasible or not paper.pools:
        caveats.append(f"paper_tax_frac is not known: {paper.reason}")
        return None
    gross = plan.money.gross_usd_per_year("split-specialised")
    return tax.paper_tax_frac(*plan.costs_along(plan.money), gross)


def _stranded_mw(plan: Plan) -> dict[str, Any]:
    watts = (plan.sampled_stranded or plan.stranded).stranded_w
    return ranged(watts / W_PER_MW, plan.n_samples)


def stranded_capital_usd(plan: Plan) -> float:
    """Book less resale value of owned chips that the best purchasable option displaces."""
    return float(plan.money.cash[plan.best].written_off_usd)


def _unit_figures(plan: Plan, option: str) -> dict[str, Any]:
    sold, costs = plan.money.sold[option], plan.money.costs[option]
    facility_w = plan.watts[option].mean_w * plan.ledger["site.pue"]
    provisioned_w = plan.watts[option].provisioned_w * plan.ledger["site.pue"]
    return {
        "j_per_useful_token": j_per_useful_token(facility_w, sold),
        "revenue_usd_per_kwh": revenue_usd_per_kwh(sold, costs),
        "revenue_usd_per_mw_year": sold.revenue_usd / (provisioned_w / W_PER_MW),
        "cost_usd_per_mtok": usd_per_mtok(plan.money.cost_usd_per_year(option), sold),
        "capex_usd_per_mtok": usd_per_mtok(costs.capital_usd_per_year, sold),
    }


def _cash_figures(plan: Plan, option: str, caveats: list[str]) -> dict[str, Any]:
    """NPV and its company, all against as-built; as-built against itself has none."""
    base, held, terms = plan.money.cash["as-built"], plan.money.cash[option], plan.money.terms
    money = plan.sampled or plan.money
    if option == "as-built":
        caveats.append(
            "As-built has no IRR, payback or cost of waiting: it is what others are held against."
        )
        found: tuple[Any, Any, Any] = (None, None, None)
    else:
        flows = cash.flows_usd(held, base, terms)
        (irr, no_irr), (payback, no_payback) = cash.irr_frac(flows), cash.payback_years(flows)
        caveats.extend(filter(None, (no_irr, no_payback)))
        found = (irr, payback, cash.waiting_usd_per_quarter(held, base, terms))
    names = ("irr_frac", "payback_years", "waiting_usd_per_quarter")
    worth = ranged(money.npv_usd[option], plan.n_samples)
    return {"npv_usd": worth} | dict(zip(names, found, strict=True))


def ranges(plan: Plan, option: str) -> dict[str, dict[str, Any]]:
    """P10, P50 and P90 of the headlines that the contract states as one number.

    Without IRR and payback, which many draws do not have.
    """
    money, held = plan.sampled or plan.money, plan.sampled_stranded or plan.stranded
    displacing = money.cash[plan.best]
    figures = {
        "software_gain_frac": gross_gap_frac(plan, money) - tax_frac(plan, money),
        "stranded_capital_usd": displacing.written_off_usd,
        "free_mw": plan.ledger["power_budget_mw"] - held.provisioned_w / W_PER_MW,
        "recovered_mw": held.recovered_w / W_PER_MW,
        "extra_throughput_frac": held.extra_throughput_frac,
        **_sampled_unit_figures(money, option),
    }
    if plan.fleets["split-specialised"].feasible:
        gross = money.gross_usd_per_year("split-specialised")
        figures["paper_tax_frac"] = tax.paper_tax_frac(*plan.costs_along(money), gross)
    if option != "as-built":
        base = money.cash["as-built"]
        waiting = cash.waiting_usd_per_quarter(money.cash[option], base, money.terms)
        figures["waiting_usd_per_quarter"] = waiting
    return {name: ranged(figure, plan.n_samples) for name, figure in figures.items()}


def _sampled_unit_figures(money: Valued, option: str) -> dict[str, Any]:
    sold, costs = money.sold[option], money.costs[option]
    facility_w = costs.energy_kwh_per_year * W_PER_KW / HOURS_PER_YEAR
    return {
        "j_per_useful_token": j_per_useful_token(facility_w, sold),
        "revenue_usd_per_kwh": revenue_usd_per_kwh(sold, costs),
        "cost_usd_per_mtok": usd_per_mtok(money.cost_usd_per_year(option), sold),
        "capex_usd_per_mtok": usd_per_mtok(costs.capital_usd_per_year, sold),
    }


def speed_to_power_quarters(plan: Plan) -> dict[str, Any]:
    """Quarters to the first extra token: from recovered megawatts, and from new ones.

    New power feeds chips that arrive while it is built.
    """
    delivered = plan.ledger["estimates.money.delivery_quarters"]
    return {
        "recovered": plan.money.cash[plan.best].start_quarters,
        "new": max(plan.ledger["site.new_power_quarters"], delivered),
    }


def usd_per_mw(plan: Plan) -> dict[str, Any]:
    """What a megawatt is worth by the way it is come by; None where none of that kind is used."""
    found = megawatts.ways(plan.sized, plan.money, plan.best, plan.stranded)
    return {way.id: way.usd_per_mw for way in found}


def _dated(plan: Plan, then: Plan, month: float) -> dict[str, Any]:
    """The main figures with the fleet sized for a month."""
    return {
        "tax_frac": spread(then, tax_frac)["p50"],
        "recovered_mw": then.stranded.recovered_w / W_PER_MW,
        "stranded_mw": then.stranded.stranded_w / W_PER_MW,
        "extra_throughput_frac": then.stranded.extra_throughput_frac,
        "speed_to_power_quarters": speed_to_power_quarters(then),
        "usd_per_mw": usd_per_mw(then),
        "action": then.verdict.action,
        "decode_to_prefill_token_ratio": ratio(plan.scenario, month),
    }
