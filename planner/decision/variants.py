"""The options of a plan at another ratio, strictness of service or mix, or on one other chip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planner.decision.assumptions import ledger_of
from planner.decision.proposing import missed_frac, proposed
from planner.decision.sized import Sized, sized
from planner.decision.valued import valued
from planner.demand.scenario import Scenario
from planner.errors import ScenarioError
from planner.facts.units import TOKENS_PER_MTOK, W_PER_MW
from planner.fleet.mix import PROPOSED
from planner.fleet.watts import provisioned_w, split_power_frac

if TYPE_CHECKING:
    from planner.decision.plan import Plan

RATIOS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 20.0)
"""Output : input ratios of a line, from prompts alone to answers alone."""

STRICTNESSES = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
"""Factors on every service level."""

SPLIT_FRACS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Shares of power forced into split pools."""


def at_ratio(plan: Plan, ratio: float) -> list[dict[str, Any]]:
    """A record per option at an output : input ratio of today, at stated values, sized anew.

    Keys: ratio, option_id, cost_usd_per_year (None where the option does not serve).
    """
    change = {"decode_to_prefill_token_ratio": float(ratio)}
    return [{"ratio": float(ratio), **row} for row in _costs(plan, change)]


def at_strictness(plan: Plan, factor: float) -> list[dict[str, Any]]:
    """A record per option with every service level times `factor`, at stated values, sized anew.

    Keys: factor, option_id, cost_usd_per_year, cost_usd_per_mtok (None where it does not serve),
    limit_s (to the first token, of the class that is asked the fastest).
    """
    classes = tuple(
        row.model_copy(
            update={
                "p99_ttft_s": row.p99_ttft_s * factor,
                "p99_tpot_s": row.p99_tpot_s * factor,
            }
        )
        for row in plan.scenario.classes
    )
    limit_s = min(row.p99_ttft_s for row in classes)
    rows = _costs(plan, {"classes": classes})
    return [{"factor": float(factor), "limit_s": limit_s, **row} for row in rows]


def at_mix(plan: Plan, split_frac: float | str) -> dict[str, Any]:
    """The proposed plan with a share of its power forced into split pools, or `auto`.

    Keys: split_frac, cost_usd_per_year, npv_usd, n_accelerators, facility_mw, formed_frac (the
    share that whole servers form), off_frac (how far that lies from the one asked), gap_frac (how
    far the answer may lie from the best); all but the first are None where no such mix serves.
    """
    other = plan.scenario.model_copy(update={"fleet_mix": split_frac})
    held = replace(plan.sized, scenario=other, ledger=ledger_of(other, plan.catalog))
    first = valued(held, held.ledger, held.fleets)
    fleet, mix = proposed(held, first)
    if mix is None:
        return dict.fromkeys(MIX_KEYS) | {"split_frac": split_frac}
    money = valued(held, held.ledger, {**held.fleets, PROPOSED: fleet}, known=first)
    watts = provisioned_w(fleet, held.catalog, held.ledger) * held.ledger["site.pue"]
    return {
        "split_frac": split_frac,
        "cost_usd_per_year": float(money.cost_usd_per_year(PROPOSED)),
        "npv_usd": float(money.npv_usd[PROPOSED]),
        "n_accelerators": sum(pool.n_accelerators for pool in fleet.pools),
        "facility_mw": float(watts) / W_PER_MW,
        "formed_frac": split_power_frac(fleet, held.catalog, held.ledger),
        "off_frac": missed_frac(held, fleet),
        "gap_frac": mix.gap_frac,
    }


def at_chip(plan: Plan, chip: str, option: str) -> dict[str, Any]:
    """An option where nothing is owned and one type of chip is had, sized anew.

    Keys: accelerator, n_accelerators, cost_usd_per_year (None where it does not serve).
    """
    change = {"owned": (), "default_accelerator": chip}
    held = _sized(plan.scenario.model_copy(update=change), plan)
    if held is None or not held.fleets[option].feasible:
        return {"accelerator": chip, "n_accelerators": None, "cost_usd_per_year": None}
    fleets = {name: held.fleets[name] for name in ("as-built", option)}
    money = valued(held, held.ledger, fleets)
    return {
        "accelerator": chip,
        "n_accelerators": sum(pool.n_accelerators for pool in held.fleets[option].pools),
        "cost_usd_per_year": float(money.cost_usd_per_year(option)),
    }


MIX_KEYS = (
    "split_frac",
    "cost_usd_per_year",
    "npv_usd",
    "n_accelerators",
    "facility_mw",
    "formed_frac",
    "off_frac",
    "gap_frac",
)


def _costs(plan: Plan, change: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Yearly cost of each option of a changed scenario, friction of a split included."""
    held = _sized(plan.scenario.model_copy(update=change), plan)
    money = valued(held, held.ledger, held.fleets) if held else None
    rows = []
    for name in plan.sized.fleets:
        serves = held is not None and money is not None and name in money.costs
        able = serves and held is not None and held.fleets[name].feasible
        usd = float(money.cost_usd_per_year(name)) if able and money else None
        tokens = float(money.sold[name].useful_tokens) if able and money else 1.0
        rows.append(
            {
                "option_id": name,
                "cost_usd_per_year": usd,
                "cost_usd_per_mtok": usd and usd / (tokens / TOKENS_PER_MTOK),
            }
        )
    return rows


def _sized(scenario: Scenario, plan: Plan) -> Sized | None:
    try:
        held = sized(scenario, plan.catalog)
    except ScenarioError:
        return None
    return held if held.fleets["as-built"].serves(d.name for d in held.demands) else None
