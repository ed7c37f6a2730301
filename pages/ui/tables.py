"""A plan as tables: what each chart draws, each expander shows and each CSV holds.

Every function takes the document `plan/1` (or the plan where the document is silent) and returns a
data frame of plain values; nothing is rounded here.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner import Plan

Document = Mapping[str, Any]
W_PER_MW = 1e6
PERCENTILES = {"p10": 10, "p50": 50, "p90": 90}

SHORT = {
    "as-built": "As built",
    "monolithic-software": "Software only",
    "split-same-chip": "Split, same chips",
    "split-capped": "Split, power-capped",
    "split-mixed": "Split, best chips",
    "split-specialised": "Paper chips",
    "proposed": "Proposed mix",
}
LADDER = tuple(name for name in SHORT if name != "proposed")
PAPER = "split-specialised"
ACTIONS = {"stay": "Stay", "software": "Software", "split": "Split", "specialise": "Specialise"}


def records(document: Document) -> list[Mapping[str, Any]]:
    """The six options of the ladder."""
    return list(document["options"])


def record(document: Document, option: str) -> Mapping[str, Any]:
    """One option, the proposed plan included."""
    rows = {row["id"]: row for row in [*records(document), document["proposed"]]}
    return rows[option]


def recommended(document: Document) -> Mapping[str, Any]:
    """The option that the verdict names."""
    return record(document, document["verdict"]["option_id"])


def ladder(document: Document) -> pd.DataFrame:
    """Every option in one row: feasibility, chips, money, watts and percentiles."""
    columns = (
        "id",
        "label",
        "feasible",
        "reason",
        "access",
        "n_accelerators",
        "capex_usd",
        "cost_usd_per_year",
        "cost_usd_per_mtok",
        "capex_usd_per_mtok",
        "npv_usd",
        "facility_provisioned_w",
        "facility_peak_w",
        "facility_mean_w",
        "j_per_useful_token",
        "revenue_usd_per_kwh",
        "kv_efficiency_frac",
        "kv_gbit_per_s",
        "kv_transfer_s",
        "bottleneck",
        "p99_ttft_s",
        "p99_tpot_s",
    )
    rows = [*records(document), document["proposed"]]
    return pd.DataFrame([{name: row[name] for name in columns} for row in rows])


def bridge(document: Document) -> pd.DataFrame:
    """Savings per step [USD/year], the net last."""
    rows = [
        {"step": row["label"], "usd_per_year": row["usd_per_year"], "share": row["frac"]}
        for row in document["bridge"]
    ]
    net = document["net"]
    rows.append({"step": "Net", "usd_per_year": net["usd_per_year"], "share": net["frac"]})
    return pd.DataFrame(rows)


def stranded(document: Document) -> pd.DataFrame:
    """Power from provisioned to needed by cause [MW]."""
    held = document["stranded"]
    first = {"step": "Provisioned", "mw": held["provisioned_mw"]}
    causes = [{"step": row["label"], "mw": -row["mw"]} for row in held["causes"]]
    return pd.DataFrame([first, *causes, {"step": "Needed", "mw": held["needed_mw"]}])


def shown(plan: Plan) -> list[str]:
    """Options that charts compare; the proposed mix where it is forced, or recommended."""
    own = plan.scenario.fleet_mix != "auto" or plan.verdict.option_id == "proposed"
    mix = ("proposed",) if own else ()
    return [name for name in (*LADDER, *mix) if name in plan.money.costs]


def compared(document: Document) -> list[Mapping[str, Any]]:
    """Records of the options, and of the proposed mix where it is forced, or recommended."""
    forced = document["scenario"]["fleet_mix"] != "auto"
    own = forced or document["verdict"]["option_id"] == "proposed"
    return [*records(document), *([document["proposed"]] if own else [])]


def values(plan: Plan) -> pd.DataFrame:
    """Worth of each option against carrying on [USD]: P10, P50, P90."""
    money = plan.sampled or plan.money
    rivals = [name for name in shown(plan) if name != "as-built"]
    return pd.DataFrame(
        [{"id": name, "option": SHORT[name]} | quantiles(money.npv_usd[name]) for name in rivals]
    )


def last_place(sizes: Iterable[float]) -> int:
    """Power of ten of the third digit of the largest size: what a reader can still add up."""
    largest = max((abs(size) for size in sizes), default=0.0)
    return math.floor(math.log10(largest)) - 2 if largest else 0


def quantiles(samples: Any) -> dict[str, float]:
    """P10, P50 and P90 of samples; one number is its own range."""
    return {name: float(np.percentile(samples, level)) for name, level in PERCENTILES.items()}


def watts_per_token(plan: Plan, document: Document) -> pd.DataFrame:
    """Facility watts per useful token per second, by option and by what draws them."""
    found = []
    for name in shown(plan):
        row = record(document, name)
        parts = {each["label"]: each["j"] for each in row["j_per_useful_token_by_cause"]}
        found.append(
            {"id": name, "option": SHORT[name], **parts, "total": row["j_per_useful_token"]}
        )
    return pd.DataFrame(found)


def from_the_site(document: Document) -> pd.DataFrame:
    """Share of demand that each option serves when it fills the power ceiling."""
    budget_w = document["scenario"]["power_budget_mw"] * W_PER_MW
    found = [
        {
            "id": row["id"],
            "option": SHORT[row["id"]],
            "served": budget_w / row["facility_provisioned_w"],
        }
        for row in compared(document)
        if row["facility_provisioned_w"]
    ]
    return pd.DataFrame(found)


def power_words(plan: Plan) -> pd.DataFrame:
    """Nameplate, cap, peak and mean draw of each option [facility MW]."""
    facility = plan.ledger["site.pue"] / W_PER_MW
    rows = []
    for name in shown(plan):
        held = plan.watts[name].times(facility)
        words = {
            "nameplate_mw": held.nameplate_w,
            "cap_mw": held.provisioned_w,
            "peak_mw": held.peak_w,
            "mean_mw": held.mean_w,
        }
        rows.append({"option": SHORT[name]} | {k: float(v) for k, v in words.items()})
    return pd.DataFrame(rows)


def split_power_frac(plan: Plan, option: str) -> float:
    """Share of an option's serving power that stands in split pools."""
    pools = plan.fleets[option].pools
    held = [
        (pool.role != "monolithic", float(plan.pool_watts(pool).provisioned_w)) for pool in pools
    ]
    total = sum(watts for _, watts in held)
    return sum(watts for divided, watts in held if divided) / total if total else 0.0


def pools(document: Document, option: str) -> pd.DataFrame:
    """The pools of an option."""
    rows = [
        dict(pool) | {"classes": ", ".join(pool["classes"])}
        for pool in record(document, option)["pools"]
    ]
    return pd.DataFrame(rows)


LINES = {
    "capital_usd_per_year": "Chips and servers",
    "space_usd_per_year": "Space and power plant",
    "energy_usd_per_year": "Electricity",
    "support_usd_per_year": "Support",
    "staff_usd_per_year": "Staff and licences",
    "licences_usd_per_year": "Staff and licences",
}
"""Lines of cost by what they are called; two of one name are added, for six colours tell apart."""


PARTS = (*dict.fromkeys(LINES.values()), "Only a split")


def costs(plan: Plan) -> pd.DataFrame:
    """Yearly cost of each option, line by line [USD/year]."""
    rows = []
    for option in shown(plan):
        held = plan.money.costs[option]
        lines = dict.fromkeys(LINES.values(), 0.0)
        for name, label in LINES.items():
            lines[label] += float(getattr(held, name))
        lines |= {"Only a split": float(plan.money.extras[option].total)}
        rows.append({"id": option, "option": SHORT[option]} | lines)
    table = pd.DataFrame(rows)
    return table.assign(total=table[list(PARTS)].sum(axis="columns"))


CASH = {
    "purchase_usd": "New chips bought",
    "setup_usd": "Re-equipping halls and risk of the change",
    "resale_usd": "Owned chips freed and sold",
    "surplus_resale_usd": "Spare owned chips put to work, not sold",
    "energy_usd_per_year": "Electricity a year",
    "running_usd_per_year": "Other running cost a year",
    "team_usd_per_year": "Platform team a year",
    "revenue_usd_per_year": "Revenue a year",
}
SPARED = {"purchase_usd": "New chips not needed"}
"""What a payment is called where as-built would make it and the option does not."""
PAID = (
    "purchase_usd",
    "setup_usd",
    "energy_usd_per_year",
    "running_usd_per_year",
    "team_usd_per_year",
)


def cash(plan: Plan, option: str) -> pd.DataFrame:
    """What changes hands under an option less the same under as-built [USD]; paid is negative."""
    mine, base = plan.money.cash[option], plan.money.cash["as-built"]
    rows = []
    for name, label in CASH.items():
        more = float(getattr(mine, name)) - float(getattr(base, name))
        yearly = name.endswith("_per_year")
        usd = -more if name in PAID else more
        rows.append(
            {
                "line": SPARED.get(name, label) if usd > 0 else label,
                "when": "every year" if yearly else "once",
                "usd": usd,
            }
        )
    return pd.DataFrame(rows)
