"""Money as words: rows and lines of the money page."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pages.ui import tables
from planner import text

Document = Mapping[str, Any]
MONEY_WORDS = ("NPV", "IRR", "payback", "internal rate", "cash flows")


def headlines(document: Document) -> list[tuple[str, str, str]]:
    """Return, payback and cost of waiting of the recommended plan."""
    mine = document["headline"]["proposed"]
    years, waiting = mine["payback_years"], mine["waiting_usd_per_quarter"]
    waits = "Waiting a quarter pays" if (waiting or 0) < 0 else "Waiting a quarter costs"
    return [
        (
            "Return (IRR) a year",
            text.percent(mine["irr_frac"]),
            "Yearly rate at which the plan's cash is worth nothing.",
        ),
        ("Payback", _years(years), "Time until the running sum of cash stays above zero."),
        (
            waits,
            text.usd(None if waiting is None else abs(waiting)),
            "Present value of starting now less that of starting a quarter later.",
        ),
        (
            "Book value at risk",
            text.usd(document["headline"]["stranded_capital_usd"]),
            "Book value less resale of owned chips that the best option displaces.",
        ),
    ]


def _years(years: float | None) -> str:
    if years is None:
        return text.MISSING
    return f"{text.number(years)} years" if years else "at once"


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
