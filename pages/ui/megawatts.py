"""Megawatts as words: rows and steps of the power page."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from pages.ui import drawing, tables
from pages.ui.kpis import LINE_FRAC, whose
from planner import Plan, Scenario, text

Document = Mapping[str, Any]
PJ_PER_J = 1e12
KEPT = ("Reserve for peaks and failures", "Quiet hours")
WORDS = {
    "nameplate_mw": "Nameplate",
    "cap_mw": "Cap",
    "peak_mw": "Peak draw",
    "mean_mw": "Mean draw",
}


def steps(held: pd.DataFrame) -> tuple[list[str], list[float], list[str], drawing.Show]:
    """Labels, sizes, kinds and wording of the way from provisioned to needed, adding up.

    The digits of the brief: those of the largest part, since the whole would hide the small ones.
    """
    *causes, needed = (float(x) for x in held["mw"].iloc[1:])
    parts = [needed, *(-x for x in causes)]
    place = min(tables.last_place(parts), 0)
    needed, *causes = text.adding_up(parts, place)
    sizes = [round(sum(causes) + needed, -place), *(-x for x in causes), needed]
    kinds = [
        drawing.REST if name in KEPT or size > 0 else drawing.LOSS
        for name, size in zip(held["step"], sizes, strict=True)
    ]
    kinds[0] = kinds[-1] = drawing.TOTAL
    return list(held["step"]), sizes, kinds, partial(text.mw, place=place)


def headlines(plan: Plan, document: Document) -> list[tuple[str, ...]]:
    """Stranded, recovered and free power, and what they let the site serve."""
    head = document["headline"]
    held, provisioned = head["stranded_mw"], text.mw(document["stranded"]["provisioned_mw"])
    return [
        (
            "Stranded",
            text.mw(held["p50"]),
            "Surplus chips, nameplate that a cap can free, and chips unlike the work.",
            _ends(held),
        ),
        (
            "Recovered",
            text.mw(head["recovered_mw"]),
            "Provisioned now less what the best option is provisioned for.",
            f"of {provisioned} provisioned; {whose(plan, plan.best)}",
        ),
        (
            "More throughput",
            text.percent(head["extra_throughput_frac"], signed=True),
            "Served from today's provisioned power by the best option you can buy.",
            f"from the {provisioned} provisioned; the article's line is +{text.percent(LINE_FRAC)}",
        ),
        (
            "Free under the ceiling",
            text.mw(head["free_mw"], place=-1),
            "Power budget less provisioned power; never called stranded.",
            f"of a budget of {text.mw(document['scenario']['power_budget_mw'])}",
        ),
    ]


def _ends(held: Mapping[str, Any]) -> str:
    if held["p10"] is None:
        return "No range sampled"
    return f"P10–P90 {text.span(text.mw, held['p10'], held['p90'])}"


def speed(scenario: Scenario, document: Document) -> list[tuple[str, str]]:
    """Quarters and capital until a megawatt serves: recovered, and new."""
    wait, site = document["headline"]["speed_to_power_quarters"], scenario.site
    return [
        ("Recovered: first extra token after", _quarters(wait["recovered"])),
        ("New: first extra token after", _quarters(wait["new"])),
        ("Recovered: re-equipping a megawatt", text.usd(site.retrofit_usd_per_mw)),
        ("New: building a megawatt, chips apart", text.usd(site.new_power_usd_per_mw)),
        (
            "Building what is recovered anew would cost",
            text.usd(max(document["headline"]["recovered_mw"], 0) * site.new_power_usd_per_mw),
        ),
    ]


def pj_per_bit(document: Document) -> float:
    """Energy of a bit from memory to where it is used, by the fit to measured boards. [pJ]"""
    return float(document["headline"]["memory_j_per_bit"]) * PJ_PER_J


def words(held: pd.DataFrame) -> pd.DataFrame:
    """The four words for power, each option in a row."""
    shown = {"Option": held["option"]}
    shown |= {title: held[name].map(text.mw) for name, title in WORDS.items()}
    return pd.DataFrame(shown)


def _quarters(n: float | None) -> str:
    return text.MISSING if n is None else f"{text.number(n)} quarters"
