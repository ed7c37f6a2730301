"""Series over ratio, load, strictness and time, as tables for the lines of pages."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pages.ui import answers, curves, maps, shelf, tables
from pages.ui.widgets import gathered
from planner import RATIOS, STRICTNESSES, Plan, Scenario, text

Rows = Iterable[Mapping[str, Any]]
MEASURES = {"ttft": "first token", "tpot": "further tokens"}
QUARTERS_PER_YEAR = 4


def by_ratio(scenario: Scenario) -> pd.DataFrame:
    """Yearly cost of every option at ratios from prompts alone to answers alone."""
    apart = answers.at_any_slider(scenario)
    found = gathered(
        "Planning every ratio", RATIOS, lambda ratio: answers.cost_at_ratio(apart, ratio)
    )
    return pd.DataFrame(
        [
            {
                "id": row["option_id"],
                "option": tables.SHORT[row["option_id"]],
                "ratio": row["ratio"],
                "usd": row["cost_usd_per_year"],
            }
            for rows in found
            for row in rows
            if row["cost_usd_per_year"] is not None
        ],
        columns=["id", "option", "ratio", "usd"],
    )


def turns(held: pd.DataFrame) -> pd.DataFrame:
    """Ratios at which another option that can be bought becomes the cheapest.

    Between the planned ratios cost is read off straight lines over the logarithm.
    """
    wide = _wide(held.loc[held["id"] != tables.PAPER])
    if wide.empty:
        return pd.DataFrame(columns=["ratio", "words"])
    fine = np.geomspace(min(RATIOS), max(RATIOS), 400)
    read = pd.DataFrame(
        {name: np.interp(np.log(fine), np.log(wide.index), wide[name]) for name in wide}
    )
    best = read.fillna(np.inf).idxmin(axis=1)
    places = [n for n in range(1, len(best)) if best[n] != best[n - 1]]
    return pd.DataFrame(
        [{"ratio": float(fine[n]), "words": f"{text.ratio(float(fine[n]))}"} for n in places],
        columns=["ratio", "words"],
    )


def cloud(plan: Plan, held: pd.DataFrame, option: str) -> pd.DataFrame:
    """Where 18 months may lead along the line of an option; empty where no drift is stated."""
    row = next(
        (row for row in plan.ledger.rows() if row["parameter"] == "ratio_in_18_months"), None
    )
    wide = _wide(held)
    if row is None or option not in wide:
        return pd.DataFrame(columns=["ratio", "usd"])
    ratios = curves.dots(row["low"], row["value"], row["high"])
    usd = np.interp(np.log(ratios), np.log(wide.index), wide[option])
    return pd.DataFrame({"ratio": ratios, "usd": usd})


def _wide(held: pd.DataFrame) -> pd.DataFrame:
    return held.pivot_table(index="ratio", columns="id", values="usd", sort=False).sort_index()


def by_load(rows: Rows, class_name: str) -> pd.DataFrame:
    """Share of the service levels of a class that options use as their chips are run fuller."""
    found = []
    for row in rows:
        if row["class"] != class_name:
            continue
        for measure, words in MEASURES.items():
            p99, limit = row[f"p99_{measure}_s"], row[f"limit_{measure}_s"]
            if p99 is not None:
                found.append(
                    {
                        "line": f"{tables.SHORT[row['option_id']]}, {words}",
                        "fullness": row["fullness"],
                        "used": p99 / limit,
                        "p99_s": p99,
                        "limit_s": limit,
                    }
                )
    return pd.DataFrame(found, columns=["line", "fullness", "used", "p99_s", "limit_s"])


def by_strictness(scenario: Scenario, chosen: Sequence[str]) -> pd.DataFrame:
    """Cost of some options against how soon the first token must come."""
    found = gathered(
        "Planning every service level",
        STRICTNESSES,
        lambda factor: answers.cost_at_strictness(scenario, factor),
    )
    return pd.DataFrame(
        [
            {
                "option": tables.SHORT[row["option_id"]],
                "limit_s": row["limit_s"],
                "usd": row["cost_usd_per_mtok"],
            }
            for rows in found
            for row in rows
            if row["option_id"] in chosen and row["cost_usd_per_mtok"] is not None
        ],
        columns=["option", "limit_s", "usd"],
    )


def pool_flow(plan: Plan, option: str) -> pd.DataFrame:
    """Chips that requests pass: from a class to the pool that does both, or over the fabric."""
    rows = []
    for pool in plan.fleets[option].pools:
        chip = shelf.short(plan.catalog.accelerators[pool.accelerator].name)
        words = pool.class_name.replace("_", " ").capitalize()
        name = {"prefill": "reads", "decode": "writes"}.get(pool.role, "reads and writes")
        node = f"{words} {name}: {text.count(pool.n_accelerators, chip, chip)}"
        ends = {"prefill": (node, maps.NETWORK), "decode": (maps.NETWORK, node)}
        source, target = ends.get(pool.role, (words, node))
        rows.append({"source": source, "target": target, "value": float(pool.n_accelerators)})
    return pd.DataFrame(rows, columns=["source", "target", "value"])


def cash(plan: Plan, option: str) -> pd.DataFrame:
    """After-tax cash by quarter and its running sum, with the band of 8 of 10 futures [USD]."""
    stated = np.asarray(plan.flows_usd(option), float)
    many = np.atleast_2d(plan.sampled_flows_usd(option))
    sums = np.cumsum(many, axis=-1)
    low, high = np.percentile(sums, (10, 90), axis=0)
    return pd.DataFrame(
        {
            "years": np.arange(len(stated)) / QUARTERS_PER_YEAR,
            "usd": stated,
            "sum": np.cumsum(stated),
            "p10": low,
            "p90": high,
        }
    )
