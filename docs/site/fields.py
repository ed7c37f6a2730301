"""Every field of a scenario as a table, from the fields themselves and the profiles."""

import re
import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.site.markdown import code, number, page, table
from planner import Scenario, load_catalog, profiles
from planner.demand.scenario import Part

OPENING = (
    "For whoever writes a scenario file or a link: every field, what it does, what it may hold, "
    "and where its starting value comes from."
)
USE = """
A scenario is a TOML or JSON file with any of these fields; what is left out starts from the
profile. In a link the fields stand as `?field=value`, those of a part as `site.pue`.

```toml scenario
profile = "neocloud"
power_budget_mw = 8.0
ratio_in_18_months = "none"

[site]
usd_per_kwh = 0.07

[[classes]]
name = "chat"
requests_per_s = 9.0
```

A row of `classes` or `owned` starts from the profile's row of the same name, else from its first.
The word `none` empties a field that may be empty. Whatever is refused is answered with one
sentence a field, and exit status 2.
""".strip()
EMPTY = "empty"


def written() -> str:
    """The page on scenario fields."""
    start = profiles.DEFAULT_PROFILE
    title, _ = profiles.caption(start)
    parts = [
        USE,
        "## Starting scenarios",
        table(["profile", "called", "for"], _captions()),
        "## The scenario itself",
        f"Starting values are those of {title} (`{start}`); other profiles follow at the end.",
        table(HEAD, _rows(Scenario, "", _plain(start))),
        *(part for name, model in _parts() for part in _section(name, model)),
        "## Starting values of every profile",
        "Of the fields that differ; classes and owned chips differ throughout.",
        table(["field", *map(code, profiles.names())], _differing()),
    ]
    return page("Scenario fields", OPENING, *parts)


HEAD = ["field", "what it is", "may be", "starts at", "because"]


def _captions() -> Iterator[list[str]]:
    for name in profiles.names():
        title, about = profiles.caption(name)
        yield [code(name), title, about]


def _plain(profile: str) -> Any:
    return Scenario.read({"profile": profile}).model_dump(mode="json")


def _parts() -> Iterator[tuple[str, type[BaseModel]]]:
    """Fields of the scenario that are tables of their own."""
    for name, field in Scenario.model_fields.items():
        if model := _model(field.annotation):
            yield name, model


def _model(kind: Any) -> type[BaseModel] | None:
    inner = get_args(kind)[0] if get_origin(kind) is tuple else kind
    return inner if isinstance(inner, type) and issubclass(inner, Part) else None


def _section(name: str, model: type[BaseModel]) -> list[str]:
    field = Scenario.model_fields[name]
    start = _plain(profiles.DEFAULT_PROFILE)[name]
    listed = isinstance(start, list)
    where = f"[[{name}]]" if listed else f"[{name}]"
    path = f"{name}.0." if listed else f"{name}."
    words = (
        f"{field.description} {(model.__doc__ or '').splitlines()[0]} In a file under `{where}`."
    )
    if listed:
        row = start[0]
        words += f" Starting values are those of the first, {code(str(next(iter(row.values()))))}."
    return [f"## {_heading(name)}", words, table(HEAD, _rows(model, path, start))]


def _heading(name: str) -> str:
    return f"{Scenario.model_fields[name].title}: {code(name)}"


def _anchor(heading: str) -> str:
    """How a link names a heading of its own page."""
    return re.sub(r"[^\w -]", "", heading).replace(" ", "-").lower()


def _rows(model: type[BaseModel], path: str, start: Any) -> Iterator[list[str]]:
    values = start[0] if isinstance(start, list) else start
    for name, field in model.model_fields.items():
        if _model(field.annotation):
            below = f"[its fields](#{_anchor(_heading(name))})"
            yield [code(name), f"**{field.title}.** {field.description}", below, "", ""]
            continue
        yield [
            code(name),
            f"**{field.title}.** {field.description}",
            _allowed(field),
            _shown(values[name]),
            _because(f"{path}{name}"),
        ]


def _allowed(field: FieldInfo) -> str:
    """Unit and limits of a number, the words of a choice, else what kind of text it is."""
    extra = field.json_schema_extra
    unit = extra.get("unit", "") if isinstance(extra, dict) else ""
    words = [value for kind in _kinds(field.annotation) for value in _choices(kind)]
    if limits := _limits(field):
        low, high = map(number, limits)
        words.append(f"{low} to {high} {unit}".removesuffix(" 1"))
    if type(None) in get_args(field.annotation):
        words.append(EMPTY)
    if field.annotation is bool:
        words = ["`true`", "`false`"]
    return ", ".join(words) or (
        "a list of ids" if get_origin(field.annotation) is tuple else "text"
    )


def _kinds(kind: Any) -> list[Any]:
    return list(get_args(kind)) if get_origin(kind) in {Union, types.UnionType} else [kind]


def _choices(kind: Any) -> list[str]:
    return [code(str(word)) for word in get_args(kind)] if get_origin(kind) is Literal else []


def _limits(field: FieldInfo) -> tuple[float, float] | None:
    kinds = _kinds(field.annotation)
    inner = [info for kind in kinds for info in getattr(kind, "__metadata__", ())]
    said = [*field.metadata, *(each for info in inner for each in info.metadata)]
    ends = [
        next((getattr(each, end) for each in said if hasattr(each, end)), None)
        for end in ("ge", "le")
    ]
    return None if None in ends else (float(ends[0]), float(ends[1]))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, float | int):
        return number(float(value))
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return EMPTY if value is None else code(value)


def _because(path: str) -> str:
    """Kind and source of a starting value; of a choice, that the profile makes it."""
    held = profiles.quantity(profiles.DEFAULT_PROFILE, path)
    if held is None:
        return "chosen by the profile"
    source = load_catalog().sources[held.source]
    cited = f"[{source.title}]({source.url})" if source.url else source.title
    return f"{held.kind}: {cited}" + (f"; {held.note}" if held.note else "")


def _differing() -> Iterator[list[str]]:
    held = {name: dict(_leaves(_plain(name))) for name in profiles.names()}
    first = held[profiles.DEFAULT_PROFILE]
    for path in first:
        shown = [_shown(each[path]) for each in held.values()]
        if len(set(shown)) > 1 and path not in {"name", "profile"}:
            yield [code(path), *shown]


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{key}.")
        elif key not in profiles.LISTS:
            yield f"{path}{key}", value
