"""A number beside its source: the smallest thing the catalog can hold.

In a TOML file a quantity is one inline table, written together::

    tdp_w = { value = 700, low = 700, high = 700, unit = "W", kind = "datasheet", source = "h1" }

``low`` and ``high`` may be left out only where ``kind = "exact"``. Whatever is wrong is
refused with a `CatalogError` that names file, entry and field, and says what is allowed.
"""

import math
import sys
from collections.abc import Container, Mapping
from dataclasses import dataclass

from planner.errors import CatalogError
from planner.facts.units import UNITS
from planner.text import given

KINDS = ("measured", "datasheet", "quote", "estimate", "assumption", "exact", "derived")
SOURCE_KINDS = (
    "analyst", "config", "data", "judgement", "model-card", "official", "paper", "price-list",
    "secondary", "software", "textbook", "vendor",
)  # fmt: skip
SIGNED_WORDS = ("bias", "change", "drift", "gain", "saving")
"""A quantity may fall below zero only when its name holds one of these words."""

_NEEDED = ("value", "unit", "kind", "source")
_RANGE = ("low", "high")
_ALLOWED = (*_NEEDED, *_RANGE, "note")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A cited number in base units, with the range it may lie in: low <= value <= high."""

    value: float
    low: float
    high: float
    unit: str
    kind: str
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A document that numbers are cited from.

    retrieved: its text was read for this catalog; False marks a document that was quoted
    through another or is only the place to check, which is weaker.
    """

    id: str
    title: str
    publisher: str
    url: str
    date: str
    retrieved: bool
    kind: str
    licence: str
    note: str


def quantity(raw: object, place: str, sources: Container[str]) -> Quantity:
    """Read one inline table as a `Quantity` in base units.

    place: "file, entry, field", as the reader of an error should see it.
    sources: ids that may be cited. Raises CatalogError, naming place and fault.
    """
    table = _checked_table(raw, place)
    unit = _choice(table, "unit", UNITS, place)
    kind = _choice(table, "kind", KINDS, place)
    source = text_of(table["source"], f"{place}.source")
    if source not in sources:
        raise CatalogError(
            f"{place}: source {source!r} is not in sources.toml; add it there or cite one that is."
        )
    base_unit, factor = UNITS[unit]
    low, value, high = (number * factor for number in _ordered(table, place))
    if math.isinf(high):
        raise CatalogError(
            f"{place}: {table['value']!r} {unit} is beyond any number; check the unit."
        )
    note = text_of(table.get("note", ""), f"{place}.note")
    return Quantity(value, low, high, base_unit, kind, source, note)


def text_of(raw: object, place: str) -> str:
    """`raw` if it is text, else CatalogError."""
    if not isinstance(raw, str):
        raise CatalogError(f"{place}: {raw!r} is not text; write it in quotation marks.")
    return raw


def _checked_table(raw: object, place: str) -> Mapping[str, object]:
    if not isinstance(raw, Mapping):
        found = "an uncited number" if isinstance(raw, int | float) else "not a cited number"
        raise CatalogError(
            f"{place}: {raw!r} is {found}; write {{ value, low, high, unit, kind, source }} "
            "together in one inline table."
        )
    for key in raw:
        if key not in _ALLOWED:
            raise CatalogError(f"{place}: unknown key {key!r}; allowed are {', '.join(_ALLOWED)}.")
    exact = raw.get("kind") == "exact"
    for key in _NEEDED if exact else _NEEDED + _RANGE:
        if key not in raw:
            raise CatalogError(f"{place}: {key!r} is missing; a quantity needs all of "
                               f"{', '.join(_NEEDED + _RANGE)} (low and high may be left out "
                               'only where kind = "exact").')  # fmt: skip
    return raw


def _choice(
    table: Mapping[str, object],
    key: str,
    allowed: Mapping[str, object] | tuple[str, ...],
    place: str,
) -> str:
    chosen = text_of(table[key], f"{place}.{key}")
    if chosen not in allowed:
        raise CatalogError(
            f"{place}: {key} {chosen!r} is unknown; allowed are {', '.join(allowed)}."
        )
    return chosen


def _ordered(table: Mapping[str, object], place: str) -> tuple[float, float, float]:
    value = _number(table["value"], f"{place}.value")
    low = _number(table.get("low", value), f"{place}.low")
    high = _number(table.get("high", value), f"{place}.high")
    if not low <= value <= high:
        raise CatalogError(
            f"{place}: low {given(low)}, value {given(value)}, high {given(high)} "
            "are out of order; allowed is low <= value <= high."
        )
    name = place.rsplit(", ", 1)[-1]
    if low < 0 and not any(word in name for word in SIGNED_WORDS):
        raise CatalogError(
            f"{place}: {given(low)} is negative; only a quantity whose name says "
            f"{', '.join(SIGNED_WORDS)} may fall below zero."
        )
    return low, value, high


def _number(raw: object, place: str) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise CatalogError(
            f"{place}: {raw!r} is not a number; write a finite number without quotation marks."
        )
    number = float(raw) if abs(raw) <= sys.float_info.max else math.inf
    if not math.isfinite(number):
        raise CatalogError(
            f"{place}: {raw!r} is not finite; a number that is not known is left out."
        )
    return number
