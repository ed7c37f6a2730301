"""Every table of a plan: lists of records in its document, each as a CSV that is safe to open."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from planner.decision.plan import Plan
from planner.facts.units import QUARTERS_PER_YEAR

FORMULA = ("=", "+", "-", "@", "\t", "\r")
KEYS = ("id", "name", "parameter", "accelerator")
FIGURES = "figures"
JOINT = "-"


def tables(plan: Plan, document: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Every table by a name fit for a file; nothing is rounded.

    A list of records is a table, those within a record one more, beside what they belong to. The
    figures that stand alone are in one table of names and values, and cash is added by quarter.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    alone: list[dict[str, Any]] = []
    for key, value in document.items():
        _gather(key, value, {}, found, alone)
    made = {name: pd.DataFrame(rows) for name, rows in found.items()}
    return {FIGURES: pd.DataFrame(alone), **made, "cash-by-quarter": cash_by_quarter(plan)}


def cash_by_quarter(plan: Plan) -> pd.DataFrame:
    """After-tax cash of every option less that of as-built, a column an option. [USD]"""
    flows = {name: plan.flows_usd(name) for name in plan.money.cash if name != "as-built"}
    n = len(next(iter(flows.values()), ()))
    quarters = {"quarter": range(n), "years": [q / QUARTERS_PER_YEAR for q in range(n)]}
    return pd.DataFrame(quarters | flows)


def csv(table: pd.DataFrame) -> bytes:
    """A table as CSV that no spreadsheet takes for formulas; numbers stay numbers."""
    heads = {name: _harmless(name) for name in table.columns}
    return table.map(_harmless).rename(columns=heads).to_csv(index=False).encode()


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _gather(
    path: str,
    value: Any,
    owner: Mapping[str, Any],
    found: dict[str, list[dict[str, Any]]],
    alone: list[dict[str, Any]],
) -> None:
    """Lists of records go to `found` under their path, what is no list to `alone`."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _gather(f"{path}.{key}", inner, owner, found, alone)
    elif _is_records(value):
        for record in value:
            row, inner_lists = _row(record)
            found.setdefault(path.replace(".", JOINT), []).append({**owner, **row})
            beside = {**owner, **_named(path, record)}
            for key, inner in inner_lists.items():
                _gather(f"{path}.{key}", inner, beside, found, alone)
    elif not owner:
        shown = "; ".join(map(str, value)) if isinstance(value, list | tuple) else value
        alone.append({"figure": path, "value": shown})


def _is_records(value: Any) -> bool:
    listed = isinstance(value, list | tuple) and bool(value)
    return listed and all(isinstance(each, Mapping) for each in value)


def _row(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Sequence[Any]]]:
    """The single values of a record, and its lists of records apart."""
    row: dict[str, Any] = {}
    lists: dict[str, Sequence[Any]] = {}
    for key, value in _flat(record):
        if _is_records(value):
            lists[key] = value
        else:
            row[key] = "; ".join(map(str, value)) if isinstance(value, list | tuple) else value
    return row, lists


def _flat(record: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _named(path: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record is called, for the rows that belong to it."""
    last = path.rpartition(".")[2].removesuffix("s")
    return {f"{last}_{key}": record[key] for key in KEYS if key in record}
