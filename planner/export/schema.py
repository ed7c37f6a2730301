"""The shape of the document `plan/1` as a JSON Schema, drawn from documents themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

from planner.demand.scenario import Scenario

SCENARIO = "scenario"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
UNITS = {
    "_usd": "US dollars",
    "_usd_per_year": "US dollars a year",
    "_usd_per_mtok": "US dollars per million tokens",
    "_usd_per_kwh": "US dollars per kilowatt-hour",
    "_frac": "fraction of one",
    "_usd_per_mw": "US dollars per megawatt",
    "_usd_per_mw_year": "US dollars per megawatt and year",
    "_usd_per_quarter": "US dollars per quarter",
    "_usd_per_total_mtok": "US dollars per million tokens",
    "_usd_by_year": "US dollars, a value a year",
    "_w": "watts",
    "_mw": "megawatts",
    "_s": "seconds",
    "_tokens_per_s": "tokens per second",
    "_gbit_per_s": "gigabits per second",
    "_j": "joules",
    "_j_per_bit": "joules per bit",
    "_j_per_useful_token": "joules per useful token",
    "_j_per_useful_token_by_cause": "joules per useful token",
    "_kwh": "kilowatt-hours",
    "_kwh_per_year": "kilowatt-hours a year",
    "_quarters": "quarters of a year",
    "_years": "years",
    "_tokens": "tokens",
    "_bytes": "bytes",
}
NAMES = {str: "string", bool: "boolean", int: "number", float: "number"}


def schema_of(
    documents: Sequence[Mapping[str, Any]], title: str, meanings: Mapping[str, str]
) -> dict[str, Any]:
    """What all the documents have in common, and what some of them have besides.

    A key that all hold is required, and more keys may follow; each value may be null, as a figure
    without one is. The scenario's shape is that of its own model.

    meanings: a sentence a key; `above.key` goes before `key`.
    """
    found = _object([{k: v for k, v in each.items() if k != SCENARIO} for each in documents])
    _describe(found, meanings)
    model = Scenario.model_json_schema(mode="serialization", ref_template="#/$defs/{model}")
    found["properties"][SCENARIO] = {k: v for k, v in model.items() if k != "$defs"}
    found["required"] = sorted([*found["required"], SCENARIO])
    head = {"$schema": DIALECT, "title": title, "type": "object"}
    return {**head, **found, "$defs": model["$defs"]}


def _shape(values: Sequence[Any], key: str) -> dict[str, Any]:
    """The shape of some values that stand in one place; of nothing but nulls none is known."""
    kinds = sorted({_kind(value) for value in values if value is not None})
    found: dict[str, Any] = {"type": [*kinds, "null"]} if kinds else {}
    if unit := _unit(key):
        found["unit"] = unit
    objects = [value for value in values if isinstance(value, Mapping)]
    if objects:
        found |= _object(objects)
    items = [item for value in values if isinstance(value, list | tuple) for item in value]
    if items:
        found["items"] = _shape(items, key)
    return found


def _object(objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    keys = dict.fromkeys(key for each in objects for key in each)
    return {
        "properties": {
            key: _shape([each[key] for each in objects if key in each], key) for key in keys
        },
        "required": sorted(key for key in keys if all(key in each for each in objects)),
    }


def _describe(shape: dict[str, Any], meanings: Mapping[str, str], above: str = "") -> None:
    for key, inner in shape.get("properties", {}).items():
        if said := meanings.get(f"{above}.{key}") or meanings.get(key):
            inner["description"] = said
        _describe(inner, meanings, key)
        _describe(inner.get("items", {}), meanings, key)


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "object"
    return "array" if isinstance(value, list | tuple) else NAMES[type(value)]


def _unit(key: str) -> str:
    endings = [ending for ending in UNITS if f"_{key}".endswith(ending)]
    return UNITS[max(endings, key=len)] if endings else ""
