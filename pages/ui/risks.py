"""Uncertainty as tables and words: rows of the risk page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from pages.ui import kpis, tables
from planner import (
    Plan,
    kill_conditions,
    name_of,
    one_pool_sentence,
    range_of,
    text,
    value_of,
)

Document = Mapping[str, Any]
SHOWN_BARS = 8
RATIOS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
ACTIONS = tuple(tables.ACTIONS)
ADDED = {
    "": "Software in place",
    "chunked_prefill": "+ prompts in chunks",
    "weight_precision": "+ narrower weights",
    "kv_precision": "+ narrower cache",
    "prefix_cache": "+ shared prefixes kept",
    "kv_offload": "+ cache on the host",
    "speculative": "+ drafted tokens",
}
Show = Callable[..., str]


def strips(plan: Plan, document: Document) -> pd.DataFrame:
    """The headlines as shares of their middle value, with what each end reads."""
    head, option = document["headline"], kpis.rival(plan)
    rows: list[tuple[str, Mapping[str, Any], Show]] = [
        ("Tax after software", head["tax_frac"], text.percent),
        ("Stranded power", head["stranded_mw"], text.mw),
        ("Recovered power", head["ranges"]["recovered_mw"], text.mw),
        ("More throughput", head["ranges"]["extra_throughput_frac"], text.percent),
        ("$ per M tokens, as built", head["ranges"]["cost_usd_per_mtok"], text.usd),
        (f"$ per M tokens, {kpis.short(option)}", _unit_cost(plan, option), text.usd),
        ("Watts per token a second", head["ranges"]["j_per_useful_token"], text.number),
        (f"NPV, {kpis.short(option)}", _worth(plan), text.usd),
    ]
    return pd.DataFrame([_strip(*row) for row in rows if row[1]["p50"]])


def _unit_cost(plan: Plan, option: str) -> dict[str, float]:
    """The same option as in the tiles, as draws; without samples the stated value alone. [USD]"""
    return tables.quantiles(kpis.usd_per_mtok(plan.sampled or plan.money, option))


def _worth(plan: Plan) -> dict[str, float | None]:
    held = kpis.worth(plan)
    return {"p10": held.low, "p50": held.value, "p90": held.high}


def _strip(name: str, held: Mapping[str, Any], show: Show) -> dict[str, Any]:
    middle = abs(held["p50"])
    return {
        "id": name,
        "option": name,
        "p10": held["p10"] / middle,
        "p50": held["p50"] / middle,
        "p90": held["p90"] / middle,
        "words": text.around(show, held["p10"], held["p50"], held["p90"]),
    }


def tornado(plan: Plan, turns: Mapping[str, Any]) -> pd.DataFrame:
    """The widest inputs: what the worth is at both ends, and where each turns the verdict."""
    rows = []
    for swing in plan.risk.swings[:SHOWN_BARS]:
        held = swing.assumption
        turn = turns.get(held.parameter)
        value = turn.verdict if turn else None
        rows.append(
            {
                "name": name_of(held, plan.catalog),
                "low_usd": swing.npv_low_usd,
                "high_usd": swing.npv_high_usd,
                "low": value_of(held.low, held.unit),
                "now": value_of(held.value, held.unit),
                "high": value_of(held.high, held.unit),
                "turn": _turn(turn, value, held.unit),
            }
        )
    return pd.DataFrame(rows)


def _turn(turn: Any, value: float | None, unit: str) -> str:
    if turn is None or value is None:
        return ""
    return f"{tables.ACTIONS[turn.action].lower()} at {value_of(value, unit)}"


def turning(plan: Plan, turns: Mapping[str, Any]) -> pd.DataFrame:
    """Every widest input: now, where it turns the verdict, to what, or why it does not."""
    rows = []
    for swing in plan.risk.swings[:SHOWN_BARS]:
        held = swing.assumption
        turn = turns[held.parameter]
        rows.append(
            {
                "Input": name_of(held, plan.catalog),
                "Now": value_of(held.value, held.unit),
                "Range": range_of(held.low, held.high, held.unit),
                "Turns the verdict at": "not in its range"
                if turn.verdict is None
                else value_of(turn.verdict, held.unit),
                "To": "–" if turn.verdict is None else tables.ACTIONS[turn.action],
            }
        )
    return pd.DataFrame(rows)


def beside(plan: Plan, found: Mapping[str, Any] | None) -> list[str]:
    """What is no option and yet a rival: one pool on other chips."""
    names = {name: chip.name for name, chip in plan.catalog.accelerators.items()}
    return [one_pool_sentence(found, names)] if found else []


def killing(plan: Plan, turns: Mapping[str, Any]) -> list[str]:
    """The inputs to watch, the likeliest first."""
    return [row["sentence"] for row in kill_conditions(plan, list(turns.values()))]


def heat(columns: Sequence[Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """The map as a table: ratio by level of software, verdict and what is left to gain."""
    return pd.DataFrame(
        [
            {
                "ratio": text.ratio(cell["ratio"]),
                "level": ADDED.get(cell["added"], cell["added"].replace("_", " ")),
                "action": ACTIONS.index(cell["action"]) if cell["action"] else None,
                "verdict": tables.ACTIONS.get(cell["action"] or "", text.MISSING),
                "tax_frac": cell["tax_frac"],
                "left": text.percent(cell["tax_frac"]),
                "reason": cell["reason"],
            }
            for column in columns
            for cell in column
        ]
    ).sort_values("level", key=lambda names: names.map(list(ADDED.values()).index), kind="stable")


def regrets(columns: Sequence[Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """What a committed split loses at each ratio that may come true."""
    return pd.DataFrame(
        [
            {
                "If the ratio turns out": text.ratio(row["ratio"]),
                "Served without buying": text.percent(row["served_frac"]),
                "Committed plan, a year": text.usd(row["committed_usd_per_year"]),
                "Planned for it, a year": text.usd(row["resized_usd_per_year"]),
                "Regret a year": text.usd(row["regret_usd_per_year"]),
                "Regret": text.percent(row["regret_frac"]),
            }
            for rows in columns
            for row in rows
        ]
    )


def odds(plan: Plan) -> list[tuple[str, ...]]:
    """Share of futures in which each action is the best in hindsight."""
    shares = plan.risk.action_frac
    about = {
        "stay": "Share of futures in which carrying on is best.",
        "software": "Share of futures in which one pool with better software is best.",
        "split": "Share of futures in which two pools of general chips are best.",
        "specialise": "Share of futures in which chips made for one phase are best.",
    }
    return [
        (f"{tables.ACTIONS[name]} is best in", text.percent(shares[name]), about[name])
        for name in ACTIONS
    ]
