"""Explain: how a headline is made, from which inputs, and where each of them comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pages.ui import kpis, ladder, tables
from planner import Plan, name_of, range_of, text, value_of

Document = Mapping[str, Any]
SHOWN = 12
QUARTERS_PER_YEAR = 4


@dataclass(frozen=True, slots=True)
class Explanation:
    """formula: in words. steps: (what, value) so that the result can be recomputed by hand."""

    formula: str
    steps: tuple[tuple[str, str], ...]
    behind: tuple[str, ...]


def of(kpi: str, plan: Plan, document: Document) -> Explanation:
    """How one of the four headlines is made."""
    makers = {"tax": _tax, "recovered": _recovered, "cost": _cost, "worth": _worth}
    return makers[kpi](plan, document)


def _tax(plan: Plan, document: Document) -> Explanation:
    gross, feasible = plan.ladder_costs
    able = {name: float(usd) for name, usd in gross.items() if feasible[name]} or gross
    owned = {name: usd for name, usd in able.items() if name != "split-mixed"} or able
    on_owned, anywhere = min(owned, key=lambda k: owned[k]), min(able, key=lambda k: able[k])
    labels, sizes, _, show = ladder.steps(tables.bridge(document))
    steps = [(name, show(usd, signed=True)) for name, usd in zip(labels, sizes, strict=True)]
    return Explanation(
        "Net = the sum of the steps from as built to the best split, dollars a year. Tax after "
        "software = 1 − cheapest option you can buy ÷ cheapest on the chips you own, both before "
        "network, team and flexibility.",
        (
            *steps,
            (f"Cheapest you can buy ({tables.SHORT[anywhere]})", _exact(able[anywhere])),
            (f"Cheapest on owned chips ({tables.SHORT[on_owned]})", _exact(able[on_owned])),
            (
                "Tax, every input at its stated value",
                text.percent(1 - able[anywhere] / able[on_owned]),
            ),
            ("Tax, the middle of the samples and its range", _tax_range(document)),
        ),
        ("accelerators.", "prices.", "calibration.", "finance.wacc", "finance.life", "operator."),
    )


def _tax_range(document: Document) -> str:
    held = document["headline"]["tax_frac"]
    return text.around(text.percent, held["p10"], held["p50"], held["p90"])


def _recovered(plan: Plan, document: Document) -> Explanation:
    best = float(plan.watts[plan.best].provisioned_w * plan.ledger["site.pue"]) / tables.W_PER_MW
    held = document["stranded"]["provisioned_mw"]
    return Explanation(
        "Power provisioned for the owned fleet − power the best option you can buy is provisioned "
        "for, at its caps. More throughput = the first ÷ the second − 1.",
        (
            ("Provisioned today, at the meter", text.mw(held, place=-2)),
            (f"Best option ({tables.SHORT[plan.best]}), at its caps", text.mw(best, place=-2)),
            ("Recovered = first − second", text.mw(held - best, place=-2)),
            ("More throughput = first ÷ second − 1", text.percent(held / best - 1)),
        ),
        ("site.pue", "owned.", "power.", "estimates.power", "demand_scale", "growth"),
    )


def _cost(plan: Plan, _: Document) -> Explanation:
    tokens = float(plan.money.volumes.useful_tokens)
    steps = []
    for name in dict.fromkeys(("as-built", kpis.rival(plan))):
        usd = float(plan.money.cost_usd_per_year(name))
        each = text.usd(usd / tokens * kpis.TOKENS_PER_MTOK, place=-3)
        steps.append((f"Yearly cost, {tables.SHORT[name].lower()}", _exact(usd)))
        steps.append((f"÷ useful tokens, {tables.SHORT[name].lower()}", f"{each} per million"))
    return Explanation(
        "Yearly cost (chips at replacement price spread over their life, space, electricity, "
        "support, and what only a split costs) ÷ millions of useful tokens a year.",
        (
            ("Useful tokens a year", text.tokens(tokens, place=tables.last_place([tokens]) - 1)),
            *steps,
        ),
        ("prices.", "finance.", "site.", "accelerators.", "demand_scale"),
    )


def _worth(plan: Plan, _: Document) -> Explanation:
    option, terms = kpis.rival(plan), plan.money.terms
    first = text.number(float(plan.money.cash[option].start_quarters))
    return Explanation(
        f"After-tax cash of the plan ({tables.SHORT[option].lower()}) less that of carrying on, "
        "quarter by quarter, each ÷ (1 + cost of capital) to the power of its years. Their sum is "
        "the NPV with every input at its stated value; the headline is the middle of the samples.",
        (
            *_years(plan, option),
            ("The headline: the middle of the samples", text.usd(kpis.worth(plan).value)),
            ("Cost of capital", text.percent(float(terms.wacc_frac), place=-3)),
            ("Tax rate", text.percent(float(terms.tax_frac))),
            ("First benefit after", f"{first} quarters"),
        ),
        ("finance.", "operator.", "estimates.money", "site.", "growth", "classes."),
    )


def _years(plan: Plan, option: str) -> list[tuple[str, str]]:
    """After-tax cash of each year at today's value, rounded so that it adds up, and the sum."""
    flows = np.asarray(plan.flows_usd(option), float)
    quarter = np.arange(len(flows))
    growth = 1 + float(plan.money.terms.wacc_frac)
    present = flows / growth ** (quarter / QUARTERS_PER_YEAR)
    years = np.ceil(quarter / QUARTERS_PER_YEAR).astype(int)
    sums = np.bincount(years, weights=present)
    place = tables.last_place(sums)
    shown = text.adding_up([float(x) for x in sums], place)
    rows = [
        (f"Year {n}, at today's value" if n else "At the decision", usd)
        for n, usd in enumerate(shown)
    ]
    rows.append(("Sum: NPV with every input at its stated value", sum(shown)))
    return [(name, text.usd(usd, place=place, signed=True)) for name, usd in rows]


def assumptions(plan: Plan, document: Document, behind: tuple[str, ...]) -> pd.DataFrame:
    """The widest inputs behind a headline: value, range, unit and source, as words."""
    rows = [row for row in document["ledger"] if row["parameter"].startswith(behind)]
    rows.sort(key=_relative_width, reverse=True)
    return pd.DataFrame([_row(plan, row) for row in rows[:SHOWN]])


def _row(plan: Plan, row: Mapping[str, Any]) -> dict[str, str]:
    source = plan.catalog.sources.get(row["source"])
    return {
        "Input": name_of(plan.ledger.find(row["parameter"]), plan.catalog),
        "Value": value_of(row["value"], row["unit"]),
        "Range": range_of(row["low"], row["high"], row["unit"]),
        "Kind": row["kind"],
        "Source": source.title if source else row["source"],
    }


def _relative_width(row: Mapping[str, Any]) -> float:
    return abs(row["high"] - row["low"]) / abs(row["value"]) if row["value"] else 0.0


def _exact(usd: float) -> str:
    """Enough digits to recompute by hand."""
    return text.usd(usd, place=tables.last_place([usd]) - 1)
