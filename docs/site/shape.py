"""The document `plan/1` as tables of keys, from its published JSON Schema."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.site.markdown import code, page, table

OPENING = (
    "For whoever reads a plan by a program: every key of the document `plan/1`, what it means, and "
    "its unit."
)
USE = """
`python -m planner plan --json` and `Plan.as_dict()` give it;
[plan.schema.json](../plan.schema.json) is its JSON Schema. More keys may follow, none of these
goes. A figure without a value is `null`, with the reason in `caveats`; there is no NaN and no
infinity.

```console
$ python -m planner plan enterprise --json > plan.json
$ python -m json.tool plan.json | head -3
{
    "schema": "plan/1",
    "scenario": {
```

In the tables `[]` stands for each row of a list. A *range* is an object of `p10`, `p50` and
`p90`: one future in ten lies below the first and one above the last. Its `standard_error` holds
the error of sampling of each.
""".strip()
SCHEMA = Path(__file__).parents[1] / "plan.schema.json"
RANGE = {"p10", "p50", "p90"}
LEAST_KEYS = 4
Described = dict[frozenset[str], str]


def written() -> str:
    """The page on the JSON."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    seen: Described = {}
    alone, sections = [], []
    for key, shape in schema["properties"].items():
        below = _below(shape)
        if key == "scenario":
            said = "Every input, as in [Scenario fields](fields.md)"
            alone.append([code(key), said, "", "object"])
        elif not below:
            alone.append(_row(key, shape))
        else:
            top = f"{key}[]" if shape.get("items") else key
            words = f"{shape['description']}."
            rows = list(_rows(below, "", top, seen))
            sections += [f"## {code(top)}", words, table(HEAD, rows)]
    parts = [USE, "## Keys that stand alone", table(HEAD, alone), *sections]
    return page("The JSON of a plan", OPENING, *parts)


HEAD = ["key", "means", "unit", "type"]


def _rows(shape: dict[str, Any], path: str, place: str, seen: Described) -> Iterator[list[str]]:
    """The keys of an object and of those in it; what was described before is only named."""
    keys = shape["properties"]
    known = _known(frozenset(keys), seen)
    if known:
        yield [code(f"{path}…"), f"the keys of {code(seen[known])}", "", ""]
    elif len(keys) >= LEAST_KEYS:
        seen[frozenset(keys)] = place
    for key, inner in keys.items():
        if key not in known:
            yield _row(f"{path}{key}", inner, shape.get("unit", ""))
            yield from _inner(inner, f"{path}{key}", f"{place}.{key}", seen)


def _inner(shape: dict[str, Any], path: str, place: str, seen: Described) -> Iterator[list[str]]:
    below = _below(shape)
    if below and not _is_range(shape) and not _are_ranges(shape):
        listed = "[]" if _below(shape.get("items", {})) else ""
        inherited = {"unit": shape.get("unit", "")} | below
        yield from _rows(inherited, f"{path}{listed}.", f"{place}{listed}", seen)


def _known(keys: frozenset[str], seen: Described) -> frozenset[str]:
    """The described object that holds these keys or is held in them; empty where none is."""
    many = len(keys) >= LEAST_KEYS
    alike = [held for held in seen if held <= keys or (many and keys <= held)]
    return max(alike, key=lambda held: len(held & keys), default=frozenset())


def _row(name: str, shape: dict[str, Any], unit: str = "") -> list[str]:
    said = shape.get("description", "")
    if _are_ranges(shape):
        said += ": " + ", ".join(map(code, shape["properties"]))
    kind = _kind(shape)
    own = shape.get("unit") or (unit if kind in {"number", "range"} else "")
    return [code(name), said, own, kind]


def _below(shape: dict[str, Any]) -> dict[str, Any] | None:
    """The object that a shape is, or that each of its rows is."""
    inner = shape.get("items", shape)
    return inner if inner.get("properties") else None


def _is_range(shape: dict[str, Any]) -> bool:
    return shape.get("properties", {}).keys() >= RANGE


def _are_ranges(shape: dict[str, Any]) -> bool:
    inner = shape.get("properties", {}).values()
    return bool(inner) and all(map(_is_range, inner))


def _kind(shape: dict[str, Any]) -> str:
    if _is_range(shape):
        return "range"
    if _are_ranges(shape):
        return "object of ranges"
    kinds = [kind for kind in shape.get("type", ()) if kind != "null"]
    if kinds == ["array"]:
        inner = [kind for kind in shape.get("items", {}).get("type", ()) if kind != "null"]
        return f"list of {inner[0]}s" if inner else "list"
    return " or ".join(kinds) or "null"
