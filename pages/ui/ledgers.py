"""Money as words: rows and lines of the money page."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pages.ui import kpis, tables
from planner import Plan, text

Document = Mapping[str, Any]
MONEY_WORDS = ("NPV", "IRR", "payback", "internal rate", "cash flows")


def headlines(plan: Plan, document: Document) -> list[tuple[str, ...]]:
    """Return, payback and cost of waiting of the recommended plan, each with its option."""
    mine = document["headline"]["proposed"]
    waiting = mine["waiting_usd_per_quarter"]
    waits = "Waiting a quarter pays" if (waiting or 0) < 0 else "Waiting a quarter costs"
    return [
        (
            "Return (IRR) a year",
            text.percent(mine["irr_frac"]),
            "Yearly rate at which the plan's cash is worth nothing.",
        ),
        ("Payback", *_paid(plan)),
        (
            waits,
            text.usd(None if waiting is None else abs(waiting)),
            "Present value of starting now less that of starting a quarter later.",
        ),
        (
            "Book value at risk",
            text.usd(document["headline"]["stranded_capital_usd"]),
            "Book value less resale of owned chips that the best option displaces.",
            kpis.whose(plan, plan.best),
        ),
    ]


def _paid(plan: Plan) -> tuple[str, ...]:
    """The middle future's payback with its range; as built has none."""
    about = "Time until the running sum of cash stays above zero, in the middle future."
    if plan.verdict.action == "stay":
        return text.MISSING, about
    held = plan.payback(plan.verdict.option_id)
    return held.figure, about, held.spread


def basis(plan: Plan, option: str) -> str:
    """What the bars of cash are against, and how much of demand both sides serve."""
    mine, built = (text.percent(plan.served_frac(n), place=-2) for n in (option, "as-built"))
    return (
        "Against carrying on as built; received or spared to the right, paid to the left. "
        f"Each serves what power budget and backlog allow: {mine} of demand here, {built} as built."
    )


def lines(held: pd.DataFrame) -> tuple[list[str], list[float]]:
    """Labels and sizes of the cash chart."""
    once = held["when"] == "once"
    names = [f"{line}, once" if one else line for line, one in zip(held["line"], once, strict=True)]
    return names, [float(usd) for usd in held["usd"]]


def units(document: Document) -> pd.DataFrame:
    """Unit figures by option."""
    return pd.DataFrame([_unit(row) for row in tables.compared(document)])


def _unit(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "Option": tables.SHORT[row["id"]],
        "Cost per M useful tokens": text.usd(row["cost_usd_per_mtok"]),
        "Capital per M useful tokens": text.usd(row["capex_usd_per_mtok"]),
        "Cost per M tokens of any kind": text.usd(row.get("cost_usd_per_total_mtok")),
        "Revenue per kWh": text.usd(row["revenue_usd_per_kwh"]),
        "Worth today": text.usd(row["npv_usd"]),
    }


def notes(document: Document) -> list[str]:
    """Caveats about cash."""
    return [note for note in document["caveats"] if any(word in note for word in MONEY_WORDS)]
