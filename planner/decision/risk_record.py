"""The uncertainty of a plan as plain values, and what each assumption is worth in the register."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.decision.killing import kill_conditions
from planner.decision.odds import Risk
from planner.decision.tornado import Swing, contender, priced
from planner.decision.turning import SHOWN_ROWS, Turn

if TYPE_CHECKING:
    from planner.decision.plan import Plan


def risk_record(plan: Plan, caveats: list[str], *, slow: bool) -> dict[str, Any] | None:
    """Ranges, odds and the tornado; None without samples.

    slow: whether to search where the bars turn the verdict; without it the flips are null.
    """
    if not plan.n_samples:
        return None
    held = plan.risk
    turns = held.turns if slow else None
    if not slow:
        caveats.append("risk: flips and kill conditions are not searched, like verdict.flips.")
    return {
        "n_samples": plan.n_samples,
        "seed": plan.seed,
        "contender": contender(plan),
        "action_frac": _shares(held, held.action_frac),
        "options": [
            {
                "id": name,
                "npv_usd": {**npv, "standard_error": held.npv_error_usd[name]},
                "gain_frac": held.gain_frac[name],
                "best_frac": held.best_frac.get(name),
            }
            for name, npv in held.npv_usd.items()
        ],
        "tornado": _tornado(held.swings, turns),
        "kill_conditions": None if turns is None else kill_conditions(plan, turns),
    }


def _shares(held: Risk, shares: Mapping[str, float]) -> list[dict[str, Any]]:
    return [
        {"action": name, "frac": share, "standard_error": held.error_frac(share)}
        for name, share in shares.items()
    ]


def _tornado(swings: Sequence[Swing], turns: Sequence[Turn] | None) -> list[dict[str, Any]]:
    """The widest bars, each with where it turns the answer."""
    found = {turn.assumption.parameter: turn for turn in turns or ()}
    return [_bar(swing, found.get(swing.assumption.parameter)) for swing in swings[:SHOWN_ROWS]]


def _bar(swing: Swing, turn: Turn | None) -> dict[str, Any]:
    held = swing.assumption
    return {
        "parameter": held.parameter,
        "unit": held.unit,
        "low": held.low,
        "value": held.value,
        "high": held.high,
        "npv_low_usd": swing.npv_low_usd,
        "npv_high_usd": swing.npv_high_usd,
        "margin_flip": {"value": turn.margin, "reason": turn.margin_reason} if turn else None,
        "verdict_flip": {
            "value": turn.verdict,
            "action": turn.action,
            "reason": turn.verdict_reason,
            "sizing": "anew" if turn.resized else "held",
        }
        if turn
        else None,
    }


def ledger_rows(plan: Plan, caveats: list[str]) -> list[dict[str, Any]]:
    """The register with `npv_effect_usd`: the contender's NPV at each high end less at its low.

    None where an assumption acts on what ranges hold, and where there are no samples.
    """
    rows = plan.ledger.rows()
    swings = plan.risk.swings if plan.n_samples else ()
    effects = {s.assumption.parameter: s.npv_high_usd - s.npv_low_usd for s in swings}
    known = priced(plan) if plan.n_samples else set()
    for row in rows:
        name = row["parameter"]
        row["npv_effect_usd"] = effects.get(name, 0.0) if name in known else None
    if plan.n_samples:
        caveats.append(
            "ledger: npv_effect_usd is null where an assumption acts on sizes or the horizon "
            "alone, which ranges hold."
        )
    return rows
