"""Starting values of a scenario, from the operator profiles in the catalog."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from planner.facts.catalog import Catalog, Quantity, load_catalog
from planner.facts.units import UNITS

DEFAULT_PROFILE = "axiom"
CAPTIONS = ("title", "about")
FIELD_UNITS = {"power_budget_mw": "MW", "gbit_per_s_per_node": "Gbit/s"}
LISTS = {"classes": "name", "owned": "accelerator"}


def names() -> tuple[str, ...]:
    """Ids of the profiles that the catalog holds, the default first."""
    return tuple(load_catalog().tables["operators"]["profile"])


def caption(profile: str) -> tuple[str, str]:
    """Title of a profile and a sentence about it."""
    table = load_catalog().tables["operators"]["profile"][profile]
    return str(table["title"]), str(table["about"])


@lru_cache
def start(profile: str) -> Mapping[str, Any]:
    """All fields of a profile with their quantities; what it leaves out comes from its base.

    Raises ValueError on an unknown profile.
    """
    tables = load_catalog().tables["operators"]["profile"]
    if profile not in tables:
        allowed = ", ".join(tables)
        raise ValueError(f"profile: {profile!r} is unknown; choose one of {allowed}.")
    table = dict(tables[profile])
    base = table.pop("extends", None)
    for word in CAPTIONS:
        table.pop(word, None)
    return _merged(start(base), table) if base else table


def completed(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields over the profile's starting values, numbers plain."""
    profile = given.get("profile", DEFAULT_PROFILE)
    base = _plain("", start(str(profile)))
    lists = {key: _items(base[key], given[key], by) for key, by in LISTS.items() if key in given}
    return _merged(base, given) | lists | {"profile": profile}


def _items(base: list[dict[str, Any]], given: Any, by: str) -> Any:
    """Each given row over the base row of the same name, else over the first one."""
    if not isinstance(given, list | tuple) or not all(isinstance(row, Mapping) for row in given):
        return given
    named = {row[by]: row for row in base}
    first = base[0] if base else {}
    return [{**named.get(str(row.get(by)), first), **row} for row in given]


def quantity(profile: str, path: str) -> Quantity | None:
    """The cited quantity behind a starting value at a dotted path, if it is a number."""
    here: Any = start(profile)
    for key in path.split("."):
        if isinstance(here, list | tuple):
            here = _row(here, key)
        else:
            here = here.get(key) if isinstance(here, Mapping) else None
    return here if isinstance(here, Quantity) else None


def _row(rows: Iterable[Any], key: str) -> Any:
    """A row of a list by its name, or by its place."""
    held = list(rows)
    named = [row for row in held if key in (row.get("name"), row.get("accelerator"))]
    if named or not key.isdecimal():
        return named[0] if named else None
    return held[int(key)] if int(key) < len(held) else None


def unknown(field: str, wanted: Iterable[str], kind: str, catalog: Catalog) -> Iterator[str]:
    """One sentence per name that the catalog does not hold."""
    held = getattr(catalog, kind)
    for name in wanted:
        if name not in held:
            yield f"{field}: {name!r} is not among the catalog's {kind} ({', '.join(held)})."


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Tables merge key by key; anything else is replaced."""
    both = {
        key: _merged(base[key], value)
        for key, value in over.items()
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
    }
    return {**base, **over, **both}


def _plain(key: str, value: Any) -> Any:
    """Quantities as the plain numbers that scenario fields hold, in the field's own unit."""
    if isinstance(value, Quantity):
        return value.value / per_base_unit(key)
    if isinstance(value, Mapping):
        return {name: _plain(name, item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(key, item) for item in value]
    return value


def per_base_unit(field: str) -> float:
    """Base units in one unit of a scenario field: 1 but for the few public non-SI names. [1]"""
    return UNITS[FIELD_UNITS[field]][1] if field in FIELD_UNITS else 1.0
