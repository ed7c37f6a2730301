"""The ladder of options in the article's own rows, as words."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from pages.ui import drawing, tables
from pages.ui.widgets import plain
from planner import Plan, text

Document = Mapping[str, Any]


def article(document: Document) -> pd.DataFrame:
    """The article's four rows and what a buyer asks next; options in columns of one row each."""
    base = tables.record(document, "as-built")
    return pd.DataFrame([_row(row, base, document) for row in tables.compared(document)])


def _row(row: Mapping[str, Any], base: Mapping[str, Any], document: Document) -> dict[str, str]:
    chosen = row["id"] == document["verdict"]["option_id"]
    return {
        "Option": tables.SHORT[row["id"]] + (" ✓" if chosen else ""),
        "Procurement cost": f"{text.usd(row['capex_usd'])} ({_of(row, base, 'capex_usd')})",
        "Power provisioned": f"{_mw(row)} ({_of(row, base, 'facility_provisioned_w')})",
        "KV-cache efficiency": text.percent(row["kv_efficiency_frac"]),
        "Primary bottleneck": row["bottleneck"] or text.MISSING,
        "Cost a year": text.usd(row["cost_usd_per_year"]),
        "$ per M tokens": text.usd(row["cost_usd_per_mtok"]),
        "Worth today": text.usd(row["npv_usd"]),
        "Access": row["access"] if row["feasible"] else "not feasible",
    }


def _of(row: Mapping[str, Any], base: Mapping[str, Any], name: str) -> str:
    """A figure as a share of as-built's."""
    if not row[name] or not base[name]:
        return text.MISSING
    return text.percent(row[name] / base[name], place=-2)


def _mw(row: Mapping[str, Any]) -> str:
    return text.mw(row["facility_provisioned_w"] / tables.W_PER_MW)


def on_paper(held: Mapping[str, Any] | None) -> str:
    """What chips on paper would save over the best option on owned chips, three ways counted."""
    if held is None:
        return ""
    follows, passes = held["tax_frac_by_elasticity"], held["tax_frac_vendor_less_saving"]
    wide = held["tax_frac_at_16_bit"]
    said = (
        "Nobody makes the chips on paper. Against the best option on owned chips they would save "
        f"{text.percent(follows)} if prices follow what chips cost to make, {text.percent(passes)} "
        "if vendors pass on only that saving"
    )
    at_16 = "" if wide is None else f", and {text.percent(wide)} if nothing runs below 16 bits"
    return f"{said}{at_16}; below zero they cost more."


def brief(document: Document) -> pd.DataFrame:
    """The few columns of the ladder that the brief holds."""
    columns = [
        "Option",
        "Procurement cost",
        "Power provisioned",
        "Cost a year",
        "$ per M tokens",
        "Worth today",
    ]
    return article(document)[columns]


def refused(document: Document) -> str:
    """Why options are not feasible, and what to do; "" where all are."""
    rows = [row for row in (*tables.records(document), document["proposed"]) if not row["feasible"]]
    if not rows:
        return ""
    said = "\n".join(f"- {plain(tables.SHORT[row['id']])}: {plain(row['reason'])}" for row in rows)
    return f"**Cannot serve:**\n{said}\n\nRelax a service level, or allow other chips, below."


def handoff(row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """How much of the fleet and of the network the option takes."""
    return [
        ("Chips", text.number(row["n_accelerators"], place=0), "Accelerators over all pools."),
        (
            "Cache traffic",
            f"{text.number(row['kv_gbit_per_s'])} Gbit/s",
            "Traffic from prefill to decode pools at the peak minute.",
        ),
        (
            "Cache handover",
            text.seconds(row["kv_transfer_s"]),
            "Time that the cache of one request is on the wire.",
        ),
        (
            "Slowest first token",
            text.seconds(row["p99_ttft_s"]),
            "99 of 100 requests of the tightest class start sooner.",
        ),
    ]


def pools(plan: Plan, document: Document, option: str) -> pd.DataFrame:
    """The pools of an option as words."""
    chips = plan.catalog.accelerators
    rows = [
        {
            "Role": pool["role"],
            "Serves": ", ".join(pool["classes"]).replace("_", " "),
            "Chip": chips[pool["accelerator"]].name,
            "Chips": text.number(pool["n_accelerators"], place=0),
            "Replicas": text.number(pool["n_replicas"], place=0),
            "Layout": layout(pool),
            "Weights": pool["weight_precision"].upper(),
            "Requests at once": text.number(pool["batch"], place=0) if pool["batch"] else "–",
            "In use at peak": text.percent(pool["utilization"], place=-2),
            "Power cap": text.percent(pool["power_cap_frac"], place=-2),
        }
        for pool in tables.record(document, option)["pools"]
    ]
    return pd.DataFrame(rows)


LAYOUT = (("tp", "TP"), ("attention_dp", "DP"), ("ep", "EP"), ("pp", "PP"))


def layout(pool: Mapping[str, Any]) -> str:
    """How a replica's chips share the model, what is 1 left out: TP8, DP16 EP16."""
    named = [f"{short}{pool[name]}" for name, short in LAYOUT if pool[name] > 1]
    return " ".join(named) or "1 chip"


def steps(bridge: pd.DataFrame) -> tuple[list[str], list[float], list[str], drawing.Show]:
    """Labels, sizes, kinds and wording of the bridge, rounded so that what is shown adds up."""
    exact = [float(x) for x in bridge["usd_per_year"]]
    place = tables.last_place(exact[:-1])
    shown = text.adding_up(exact[:-1], place)
    kinds = [drawing.GAIN if x >= 0 else drawing.LOSS for x in shown]
    sizes, kinds = [*shown, round(sum(shown), -place)], [*kinds, drawing.TOTAL]
    return list(bridge["step"]), sizes, kinds, partial(text.usd, place=place)
