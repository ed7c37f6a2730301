"""Why believe it: tables and sentences of the evidence page."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from pages.ui import scatter, shelf
from planner import Catalog, Plan, name_of, range_of, text, value_of

Document = Mapping[str, Any]
QUANTITIES = {
    "tpot": "Time per token",
    "ttft": "First token",
    "rate": "Throughput",
    "power": "Power",
    "energy": "Energy",
}
BY = {"chip": "Chip", "model": "Model", "engine": "Engine"}
LEAST_ROWS = 5
TENTH = (0.9, 1.1)
MOST_MARKS = 900
SHOWN_GROUPS = 4
WITHIN = {True: "Yes", False: "No"}
SHOWS: Mapping[str, Callable[..., str]] = {
    "tpot": text.seconds,
    "ttft": text.seconds,
    "rate": lambda value: f"{text.number(value)}/s",
    "power": lambda value: f"{text.number(value)} W",
    "energy": lambda value: f"{text.number(value)} J",
}
"""A value of each quantity in words."""
KINDS = {
    "measured": "Measured",
    "datasheet": "Data sheet",
    "quote": "Quote",
    "estimate": "Estimate",
    "assumption": "Assumption",
    "exact": "Exact",
    "derived": "Derived",
}
LIMITS = (
    "It plans text models. Images, audio and training runs are not planned.",
    "Answers are not judged: narrower numbers are taken to serve as well as wide ones.",
    "Sites do not fail as a whole; spare replicas cover single servers only.",
    "Queues are formulas checked by simulation, not a replay of your log.",
    "Money is in US dollars, with one tax rate and one cost of capital.",
    "Carbon, water and the terms of a contract are not counted.",
    "Chips nobody has measured are predicted from their family, with a wider range.",
)


def headlines(agreement: pd.DataFrame, points: pd.DataFrame) -> list[tuple[str, ...]]:
    """Four figures: how much was measured, how far off, how honest the ranges."""
    tpot = agreement.set_index("quantity").loc["tpot"]
    rate = agreement.set_index("quantity").loc["rate"]
    n = points["id"].nunique()
    return [
        (
            "Published measurements",
            text.number(n, place=0),
            "Rows of public benchmarks that the model is held against.",
            f"{points['model'].nunique()} models on {points['chip'].nunique()} chips",
        ),
        (
            "Error, time per token",
            text.percent(tpot["error_pairs_frac"]),
            "Median, on a model and chip that the fit had never seen together.",
            f"{text.percent(tpot['error_rows_frac'])} where only the row is new",
        ),
        (
            "Error, throughput",
            text.percent(rate["error_pairs_frac"]),
            "Median, on a model and chip that the fit had never seen together.",
            f"{text.percent(rate['error_rows_frac'])} where only the row is new",
        ),
        (
            "Inside the 80% range",
            text.percent(tpot["inside_pairs_frac"], place=-2),
            "Share of unseen measurements inside the stated range; 80% is honest.",
            "time per token, unseen pairs",
        ),
    ]


def agreement(held: pd.DataFrame) -> pd.DataFrame:
    """Errors and shares inside the range, as words, by quantity."""
    return pd.DataFrame(
        [
            {
                "What": row.words,
                "Rows": text.number(row.rows, place=0),
                "Error, new row": text.percent(row.error_rows_frac),
                "Error, new pair": text.percent(row.error_pairs_frac),
                "Error, new chip": text.percent(row.error_chips_frac),
                "Inside 80% range": text.percent(row.inside_pairs_frac, place=-2),
            }
            for row in held.itertuples()
        ]
    )


def grouped(
    points: pd.DataFrame, by: str, predicted: str = "pairs"
) -> tuple[pd.DataFrame, list[str]]:
    """Points with a group to colour by: the largest by name, the others together."""
    largest = list(points[by].value_counts().index[:SHOWN_GROUPS])
    group = points[by].where(points[by].isin(largest), scatter.REST).map(shelf.short)
    held = points.assign(group=group, predicted=points[predicted])
    names = [*map(shelf.short, largest), *([scatter.REST] if (group == scatter.REST).any() else [])]
    return held[["group", "id", "measured", "predicted"]], names


def every(points: pd.DataFrame) -> int:
    """Of how many rows one is drawn, so that a chart stays quick."""
    return max(1, round(len(points) / MOST_MARKS))


def errors(accuracy: pd.DataFrame, by: str) -> pd.DataFrame:
    """Errors of each group as words; groups of a few rows left out."""
    return pd.DataFrame(
        [
            {
                BY[by]: shelf.short(row.name),
                "Rows": text.number(row.rows, place=0),
                "Leaning": text.percent(row.bias_frac, signed=True),
                "Error, seen": text.percent(row.error_seen_frac),
                "Error, new row": text.percent(row.error_rows_frac),
                "Error, new pair": text.percent(row.error_pairs_frac),
            }
            for row in accuracy.itertuples(index=False)
            if row.rows >= LEAST_ROWS
        ]
    )


def published(rows: Iterable[Any]) -> pd.DataFrame:
    """Published results beside ours, those that differ first, with the reason."""
    held = pd.DataFrame(
        [
            {
                "Published by": row.source,
                "Result": row.quantity,
                "Published": value_of(row.published, row.unit),
                "Ours": value_of(row.ours, row.unit),
                "Allowed": "± "
                + (
                    value_of(row.tolerance, row.unit)
                    if row.absolute
                    else text.percent(row.tolerance)
                ),
                "Within": WITHIN[row.within],
                "Reason": row.note,
            }
            for row in rows
        ]
    )
    return held.sort_values("Within", kind="stable")


def reproduced(rows: Sequence[Any]) -> list[tuple[str, ...]]:
    """Four figures of the published results."""
    within = sum(row.within for row in rows)
    said = sum(bool(row.note) for row in rows if not row.within)
    off = len(rows) - within
    return [
        (
            "Published results tried",
            str(len(rows)),
            "Every figure that a source states and we compute.",
        ),
        ("Within the allowed error", str(within), "Each study states what it allows."),
        ("Outside it", str(off), "Printed all the same; none is left out."),
        ("Of those, explained", str(said), "The reason stands in the table."),
    ]


def board_says(steps: pd.DataFrame) -> str:
    """How far the metered steps lie from ours."""
    time, power = steps["time_error_frac"].abs(), steps["power_error_frac"].abs()
    return (
        f"{text.count(len(steps), 'step')}. Time: median error {text.percent(time.median())}, at "
        f"most {text.percent(time.max())}. Power: median error {text.percent(power.median())}."
    )


def board_points(steps: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Metered and predicted seconds of each step."""
    held = steps.rename(columns={"phase": "group", "step_s": "measured", "ours_s": "predicted"})
    held = held.assign(id=held["model"] + ", batch " + held["batch"].astype(int).astype(str))
    return held[["group", "id", "measured", "predicted"]], list(dict.fromkeys(held["group"]))


def register(document: Document, plan: Plan) -> pd.DataFrame:
    """Every assumption, the one that moves the worth most first."""
    rows = sorted(document["ledger"], key=lambda row: -abs(row["npv_effect_usd"] or 0.0))
    return pd.DataFrame([_assumed(row, plan) for row in rows])


def _assumed(row: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    source = plan.catalog.sources.get(row["source"])
    own = plan.catalog.is_own(row["source"])
    effect = row["npv_effect_usd"]
    return {
        "Assumption": name_of(plan.ledger.find(row["parameter"]), plan.catalog),
        "Value": value_of(row["value"], row["unit"]),
        "Range": "–"
        if row["low"] == row["high"]
        else range_of(row["low"], row["high"], row["unit"]),
        "Moves NPV by": "–" if not effect else text.usd(abs(effect)),
        "Kind": KINDS.get(row["kind"], row["kind"]),
        "Yours": "own figure" if own else "changed" if row["overridden"] else "",
        "Source": source.title if source else row["source"],
    }


def kinds(document: Document, catalog: Catalog) -> list[tuple[str, ...]]:
    """Four figures of the register."""
    rows = document["ledger"]
    guessed = sum(row["kind"] in {"estimate", "assumption"} for row in rows)
    moved = sum(bool(row["npv_effect_usd"]) for row in rows)
    mine = sum(row["overridden"] or catalog.is_own(row["source"]) for row in rows)
    return [
        ("Assumptions in use", str(len(rows)), "Every number this plan rests on."),
        ("Without a document", str(guessed), "Estimates and assumptions; each has a range."),
        ("Move the worth", str(moved), "Those whose range alone moves NPV."),
        ("Set by you", str(mine), "Inputs you changed and figures of your own."),
    ]


def sources(catalog: Catalog) -> pd.DataFrame:
    """Every document that a number is cited from."""
    return pd.DataFrame(
        [
            {
                "Document": held.title,
                "Publisher": held.publisher,
                "Date": held.date,
                "Kind": held.kind.replace("-", " "),
                "Read by us": "Yes" if held.retrieved else "Quoted",
                "Address": held.url,
            }
            for held in catalog.sources.values()
        ]
    )
