"""What the fit to measurements found: shares of peak and overheads, and how far they miss.

`calibration.toml` is written by `python -m planner calibrate`, never by hand. Each number has one
value for everybody and effects of the groups a point belongs to (its chip, the chip's family, the
engine, the kind of model ...), which add up on the scale of the number's law::

    share      a share of a peak: effects add to its logit, so it stays between 0 and 1
    positive   a time, a rate or a factor: effects add to its logarithm

A group that was never measured has no effect, so an unknown chip inherits its family, and an
unknown family what holds for everybody. *Bands* tell how far measurements lie from predictions of
points that the fit had not seen.
"""

import math
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cached_property

from planner.facts.entry import Entry
from planner.facts.quantities import Quantity

FILE = "calibration.toml"
LAWS = ("share", "positive")
SCOPES = ("rows", "pairs", "chips")
"""What the fit had not seen of a point: its row alone, its model on its chip, or its chip."""

_OWN = ("value", "low", "high", "rows")
_HEADER = ("date", "source", "pairs", "bands", "errors")


@dataclass(frozen=True, slots=True)
class Effect:
    """Shift of one group on the scale of its number's law, with its 80 % range."""

    value: float
    low: float
    high: float
    n_rows: int


@dataclass(frozen=True, slots=True)
class Calibrated:
    """One fitted number: its value for everybody, and effects by level and group."""

    law: str
    whole: Quantity
    n_rows: int
    effects: Mapping[str, Mapping[str, Effect]]

    def at(self, groups: Mapping[str, str]) -> float:
        """The number for a point by its group on each level. [unit of the number]"""
        found = (self.effects[level].get(groups.get(level, "")) for level in self.effects)
        return shifted(self.law, self.whole.value, sum(each.value for each in found if each))


@dataclass(frozen=True, slots=True)
class Band:
    """Central 80 % of measured over predicted, on points of which the fit had not seen a part."""

    low_frac: float
    high_frac: float
    n_rows: int


@dataclass(frozen=True)
class Calibration:
    """The fitted numbers and their errors.

    pairs: "model chip" of each pair with rows. bands: by quantity, then by scope, or scope and kind
    of model. errors: median absolute errors by quantity and scope, as the report prints them.
    """

    date: str
    numbers: Mapping[str, Calibrated]
    pairs: frozenset[str]
    bands: Mapping[str, Mapping[str, Band]]
    errors: Mapping[str, Mapping[str, float]]

    @cached_property
    def latest_release(self) -> str:
        """The newest half-year of software with rows."""
        releases = {g for n in self.numbers.values() for g in n.effects.get("release", {})}
        return max(releases, default="")

    @cached_property
    def measured_chips(self) -> frozenset[str]:
        """Chips with rows of their own."""
        return frozenset(pair.split(" ")[1] for pair in self.pairs)

    def band(self, quantity: str, scope: str, kind: str) -> Band:
        """The band of a quantity for a kind of model, or of all kinds where it has none."""
        held = self.bands[quantity]
        return held.get(f"{scope} {kind}", held[scope])

    def scope(self, model: str, chip: str) -> str:
        """What the fit had not seen of this model on this chip."""
        if f"{model} {chip}" in self.pairs:
            return "rows"
        return "pairs" if chip in self.measured_chips else "chips"


def shifted(law: str, value: float, shift: float) -> float:
    """A value moved by `shift` on the scale of its law. [unit of the value]"""
    if law == "share":
        return 1 / (1 + math.exp(-math.log(value / (1 - value)) - shift))
    return value * math.exp(shift)


def calibration_from(table: Mapping[str, object], sources: Container[str]) -> Calibration:
    """Read the file; refuses as `Entry` does.

    Raises:
        CatalogError: naming file, entry and field, and what is allowed.
    """
    top = _Fitted(FILE, "calibration", table, sources)
    source = top.text("source")
    numbers = {name: _calibrated(top.below(name), source) for name in table if name not in _HEADER}
    return Calibration(
        date=top.text("date"),
        numbers=numbers,
        pairs=frozenset(top.texts("pairs")),
        bands={
            name: {
                scope: top.below("bands").below(name).band(scope)
                for scope in top.below("bands").below(name).names()
            }
            for name in top.below("bands").names()
        },
        errors={
            name: {scope: top.below("errors").below(name).number(scope) for scope in SCOPES}
            for name in top.below("errors").names()
        },
    )


class _Fitted(Entry):
    """An entry of fitted numbers, which share the source of the whole file."""

    def __init__(self, file: str, name: str, table: object, sources: Container[str]) -> None:
        super().__init__(file, name, table, sources)
        self._file, self._cited = file, sources

    def below(self, field: str) -> "_Fitted":
        """The table called `field`; needed."""
        return _Fitted(self._file, f"{self.name}.{field}", self._raw(field), self._cited)

    def names(self) -> tuple[str, ...]:
        """The fields of this table."""
        return tuple(self._table)

    def levels(self) -> tuple[str, ...]:
        """The fields that are tables of groups."""
        return tuple(name for name, held in self._table.items() if isinstance(held, Mapping))

    def number(self, field: str) -> float:
        """A finite number; needed."""
        raw = self._raw(field)
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
            raise self.refusal(field, f"{raw!r} is not a finite number.")
        return float(raw)

    def texts(self, field: str) -> tuple[str, ...]:
        """A list of texts; needed."""
        raw = self._raw(field)
        if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
            raise self.refusal(field, f"{raw!r} is not a list of texts.")
        return tuple(raw)

    def effect(self, field: str) -> Effect:
        """One group's shift, its range in order."""
        held = self.below(field)
        value, low, high = (held.number(name) for name in _OWN[:-1])
        read = Effect(value, low, high, int(held.number("rows")))
        if not read.low <= read.value <= read.high:
            raise self.refusal(field, "low, value and high are out of order.")
        return read

    def band(self, field: str) -> Band:
        """One band, around 1 or not."""
        held = self.below(field)
        read = Band(held.number("low"), held.number("high"), int(held.number("rows")))
        if not 0 < read.low_frac <= read.high_frac:
            raise self.refusal(field, "low and high are out of order.")
        return read


def _calibrated(entry: _Fitted, source: str) -> Calibrated:
    law = entry.text("law", allowed=LAWS)
    value, low, high = (entry.number(name) for name in _OWN[:-1])
    if not 0 < low <= value <= high or (law == "share" and high >= 1):
        raise entry.refusal("value", "low, value and high are out of order or out of bounds.")
    own = entry.text("source", source)
    return Calibrated(
        law=law,
        whole=Quantity(value, low, high, entry.text("unit"), "measured", own),
        n_rows=int(entry.number("rows")),
        effects={
            level: {group: entry.below(level).effect(group) for group in entry.below(level).names()}
            for level in entry.levels()
        },
    )
