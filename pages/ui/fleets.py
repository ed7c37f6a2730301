"""Owned and new chips as tables and words: rows of the fleet page."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pages.ui import answers, kpis, tables
from planner import SPLIT_FRACS, Plan, Scenario, text

Document = Mapping[str, Any]
OWNED, NEW = "Owned", "To buy or rent"
SHARES = SPLIT_FRACS
BINDING = {"power": "power", "capital": "capital", "space": "racks"}
NO_MIX = "auto"
WHOLE = text.percent(1.0, place=-2)


def serving(scenario: Scenario) -> dict[str, float]:
    """Owned chips that serve, by type; training keeps its share."""
    held: dict[str, float] = {}
    for row in scenario.owned:
        held[row.accelerator] = held.get(row.accelerator, 0.0) + row.n * (
            1 - scenario.training_frac
        )
    return held


def assigned(plan: Plan, option: str) -> pd.DataFrame:
    """Chips of each pool of an option: owned ones, as far as they reach, and new ones."""
    left = serving(plan.scenario)
    rows = []
    for pool in plan.fleets[option].pools:
        n = float(pool.n_accelerators)
        owned = min(n, left.get(pool.accelerator, 0.0))
        left[pool.accelerator] = left.get(pool.accelerator, 0.0) - owned
        chip = plan.catalog.accelerators[pool.accelerator].name
        name = f"{pool.class_name.replace('_', ' ')}, {pool.role}: {chip}"
        rows.append({"option": name, OWNED: owned, NEW: n - owned, "total": n})
    return pd.DataFrame(rows)


def owned(plan: Plan, option: str) -> pd.DataFrame:
    """What becomes of each owned type: how many serve, how many are idle, at what book value."""
    used: dict[str, float] = {}
    for pool in plan.fleets[option].pools:
        used[pool.accelerator] = used.get(pool.accelerator, 0.0) + pool.n_accelerators
    rows = []
    for row in plan.scenario.owned:
        mine = row.n * (1 - plan.scenario.training_frac)
        kept = min(mine, used.get(row.accelerator, 0.0))
        rows.append(
            {
                "Chip": plan.catalog.accelerators[row.accelerator].name,
                "Owned": text.number(float(row.n), place=0),
                "Training": text.number(row.n - mine, place=0),
                "Serving": text.number(kept, place=0),
                "Idle": text.number(mine - kept, place=0),
                "Book value of the idle": text.usd((mine - kept) * row.book_usd),
                "Resale of the idle": text.usd((mine - kept) * row.resale_usd),
            }
        )
    return pd.DataFrame(rows)


def headlines(plan: Plan, document: Document) -> list[tuple[str, ...]]:
    """The proposed plan in four figures."""
    mine = document["proposed"]
    chips = assigned(plan, "proposed")
    provisioned = text.mw(mine["facility_provisioned_w"] / tables.W_PER_MW)
    split = tables.split_power_frac(plan, "proposed")
    asked = plan.scenario.fleet_mix
    forced = asked != NO_MIX
    return [
        (
            "Power in split pools",
            text.percent(split, place=-2),
            "Share of serving power in pools that only read or only write.",
            f"you asked for {text.percent(float(asked))}" if forced else "picked by cost",
        ),
        (
            "Owned chips that serve",
            text.number(float(chips[OWNED].sum()), place=0),
            "Owned chips that the proposed plan puts to work.",
            f"of {text.number(sum(serving(plan.scenario).values()), place=0)} that may serve",
        ),
        (
            "Chips to buy or rent",
            text.number(float(chips[NEW].sum()), place=0),
            "Chips that the proposed plan adds to serve the demand planned for.",
            f"{basis(plan)}; {provisioned} provisioned",
        ),
        (
            "Book value at risk",
            text.usd(document["headline"]["stranded_capital_usd"]),
            "Book value less resale of owned chips that the cheapest option displaces.",
            f"under {kpis.short(plan.best)}, the cheapest option; not the proposed plan",
        ),
    ]


def about(document: Document) -> str:
    """Whose chips these are, and what they cost a year."""
    cost = text.usd(document["proposed"]["cost_usd_per_year"])
    return f"The proposed plan, {cost} a year: owned chips first, then what is bought or rented."


def basis(plan: Plan) -> str:
    """At which demand the chips of this page are counted, and cash elsewhere."""
    served = text.percent(plan.served_frac("proposed"), place=-2)
    cash = (
        ""
        if served == WHOLE
        else f"; cash and the ask buy for {served}, as power and backlog allow"
    )
    return f"for {WHOLE} of demand{cash}"


def optimum(scenario: Scenario, document: Document) -> list[tuple[str, str]]:
    """What the optimiser says of its plan: gap, limits, and what more of each would bring."""
    mix = document["proposed"]["mix"]
    if mix is None:
        return [("No mix of pools serves everything", "a pure option stands in")]
    worth = mix["worth_usd_per_year"]
    used = ", ".join(BINDING.get(name, name) for name in mix["binding"]) or "none"
    rows = [
        ("Limits that are used up", used),
        ("One more megawatt would bring", f"{text.usd(worth['mw'])} a year"),
        ("One more dollar of capital would bring", f"{text.usd(worth['usd'])} a year"),
        ("One more rack would bring", f"{text.usd(worth['rack'])} a year"),
        ("May lie from the best possible by", text.percent(mix["gap_frac"])),
    ]
    if mix["over_mw"] > 0:
        rows.append(("Beyond the power budget by", text.mw(mix["over_mw"])))
    if scenario.fleet_mix != NO_MIX:
        rows.append(("Forced share missed by", text.percent(mix["off_frac"])))
    return rows


def along_mix(rows: list[Mapping[str, Any]]) -> pd.DataFrame:
    """Worth and cost of the proposed plan at each forced share, as far as it can be formed."""
    return pd.DataFrame(
        [
            {
                "share": row["formed_frac"],
                "asked_frac": row["split_frac"],
                "npv_usd": row["npv_usd"],
                "cost_usd_per_year": row["cost_usd_per_year"],
                "chips": row["n_accelerators"],
                "facility_mw": row["facility_mw"],
                "missed_by": row["off_frac"],
            }
            for row in rows
            if row["npv_usd"] is not None
        ]
    )


def picked(scenario: Scenario) -> tuple[float, float, float] | None:
    """What the optimiser picks by itself: its share, its worth at stated values and the median."""
    free = answers.plan_of(answers.with_any_mix(scenario))
    if free.mix is None:
        return None
    middle = tables.quantiles((free.sampled or free.money).npv_usd["proposed"])["p50"]
    stated = float(free.money.npv_usd["proposed"])
    return tables.split_power_frac(free, "proposed"), stated, middle
