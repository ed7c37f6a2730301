"""Saved scenarios side by side, as tables: rows that differ first."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import pandas as pd

from pages.ui import answers, fields, kpis, tables
from planner import Plan, Saved, Scenario, changes, text

SHOWN_CHARACTERS = 60
Column = tuple[str, Scenario]


def names(held: Mapping[str, Saved]) -> dict[str, str]:
    """What each saved scenario is called; those of one name are numbered."""
    found: dict[str, str] = {}
    for one, row in held.items():
        name = f"{row.name}, version {row.version}"
        n = sum(other == name or other.startswith(f"{name} (") for other in found.values())
        found[one] = f"{name} ({n + 1})" if n else name
    return found


def figures(held: Sequence[Column]) -> pd.DataFrame:
    """Verdict and headline figures, a column a scenario, rows that differ first."""
    return _sorted({name: _figures(scenario) for name, scenario in held}, "Figure")


def inputs(held: Sequence[Column]) -> pd.DataFrame:
    """Every input in which any of the scenarios differs, a column each."""
    documents = [scenario.model_dump(mode="json") for _, scenario in held]
    paths = sorted(
        {change.field for other in documents[1:] for change in changes(documents[0], other)}
    )
    rows = {
        name: {_label(path): _value(document, path) for path in paths}
        for (name, _), document in zip(held, documents, strict=True)
    }
    return _sorted(rows, "Input")


def worths(held: Sequence[Column]) -> pd.DataFrame:
    """Worth of each scenario's plan with its range [USD]."""
    rows = []
    for name, scenario in held:
        worth = kpis.worth(answers.plan_of(scenario))
        low, high = (end if end is not None else worth.value for end in (worth.low, worth.high))
        rows.append({"id": name, "option": name, "p10": low, "p50": worth.value, "p90": high})
    return pd.DataFrame(rows)


def same(held: pd.DataFrame) -> int:
    """How many of the rows read the same everywhere."""
    return int((~_differs(held.iloc[:, 1:])).sum())


def _figures(scenario: Scenario) -> dict[str, str]:
    plan, document = answers.plan_of(scenario), answers.document_of(scenario)
    head, chosen = document["headline"], tables.recommended(document)
    sure = document["verdict"]["confidence_frac"]
    found = {"Verdict": tables.ACTIONS[document["verdict"]["action"]]}
    found |= {"Confidence": text.percent(sure)}
    for name, tile in tiles(plan, document).items():
        found |= {name: tile.value, f"{name}, range": tile.span}
    return found | {
        "Output : input tokens": text.ratio(head["decode_to_prefill_token_ratio"]),
        "Chip time reading prompts": text.percent(head["prefill_time_frac"]),
        "Stranded power": text.mw(head["stranded_mw"]["p50"]),
        "Chips": text.number(chosen["n_accelerators"], place=0),
        "Watts per useful token a second": text.number(chosen["j_per_useful_token"]),
        "Cost a year": text.usd(chosen["cost_usd_per_year"]),
        "Capital": text.usd(chosen["capex_usd"]),
    }


LABELS = {
    "tax": "Best split saves a year, net",
    "recovered": "Recovered by the best option you can buy",
    "cost": "$ per M useful tokens",
    "worth": "NPV of the plan, or of the best alternative to staying",
}


def tiles(plan: Plan, document: Mapping[str, Any]) -> dict[str, kpis.Kpi]:
    """The four tiles by a name that holds whatever the verdict, the first as a signed saving."""
    shown = (kpis.saving(plan, document), *kpis.strip(plan, document, plan)[1:])
    return {LABELS[tile.id]: tile for tile in shown}


def _sorted(columns: Mapping[str, Mapping[str, str]], first: str) -> pd.DataFrame:
    table = pd.DataFrame(columns)
    differs = _differs(table)
    ordered = pd.concat([table[differs], table[~differs]])
    return ordered.rename_axis(first).reset_index()


def _differs(table: pd.DataFrame) -> pd.Series:
    return table.ne(table.iloc[:, 0], axis=0).any(axis=1)


def _label(path: str) -> str:
    """The titles of the fields that lead to a value, and the names of rows."""
    return " · ".join(title for title, _ in _trail(path))


def _trail(path: str) -> list[tuple[str, Any]]:
    """Title and field of every step of a dotted path; rows of a list go by their name."""
    model: Any = Scenario
    trail: list[tuple[str, Any]] = []
    for part in path.split("."):
        about = getattr(model, "model_fields", {}).get(part)
        trail.append((about.title or part, about) if about else (part.replace("_", " "), None))
        model = _inner(about.annotation) if about else model
    return trail


def _inner(annotation: Any) -> Any:
    """The model of a part, or of the rows of a list."""
    return next((kind for kind in (*get_args(annotation), annotation) if _is_part(kind)), None)


def _is_part(kind: Any) -> bool:
    return hasattr(kind, "model_fields")


def _value(document: Mapping[str, Any], path: str) -> str:
    """A field by its dotted path as words, in the unit in which its box shows it."""
    here: Any = document
    for part in path.split("."):
        if isinstance(here, list):
            here = next(
                (row for row in here if part in (row.get("name"), row.get("accelerator"))), None
            )
        else:
            here = here.get(part) if isinstance(here, Mapping) else None
    told = SAID_AS.get(path)
    return told(here) if told else _words(here, _trail(path)[-1][1])


def _ratio(value: float | None) -> str:
    return "as audited" if value is None else text.ratio(value)


SAID_AS = {
    "decode_to_prefill_token_ratio": _ratio,
    "ratio_in_18_months": lambda value: "unchanged" if value is None else text.ratio(value),
}
"""Fields that read better as their own kind of words than as a number with a unit."""


def _words(value: Any, about: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int) and about is not None and about.json_schema_extra:
        factor, unit = fields.shown_as(about)
        return f"{value * factor:,.6g} {unit}".rstrip()
    if isinstance(value, list):
        return ", ".join(map(str, value))[:SHOWN_CHARACTERS]
    return "none" if value is None else str(value)[:SHOWN_CHARACTERS]
