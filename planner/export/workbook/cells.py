"""Numbers that know their formula: arithmetic on cells gives the value and the text of a formula.

The planner's own functions take cells in place of numbers, so a formula of the workbook is what the
planner computes. A cell cannot become a plain number unseen: what would need that fails.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, auto
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from planner.facts.units import MONTHS_PER_YEAR

WRONG = "#DIV/0!"


class Binding(IntEnum):
    """How tightly the outermost sign of a formula binds."""

    TEST = auto()
    PLUS = auto()
    TIMES = auto()
    POWER = auto()
    ATOM = auto()


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in the unit of whoever holds it, and the formula that gives it."""

    value: float
    text: str
    binding: Binding = Binding.ATOM

    def __add__(self, other: "Number") -> "Cell":
        if _is(self, 0) or _is(other, 0):
            return cell(other) if _is(self, 0) else self
        return _joined(self, "+", cell(other), Binding.PLUS, self.value + cell(other).value)

    def __radd__(self, other: "Number") -> "Cell":
        return cell(other) + self

    def __sub__(self, other: "Number") -> "Cell":
        return _joined(self, "-", cell(other), Binding.PLUS, self.value - cell(other).value)

    def __rsub__(self, other: "Number") -> "Cell":
        return cell(other) - self

    def __mul__(self, other: "Number") -> "Cell":
        if _is(self, 1) or _is(other, 0):
            return cell(other)
        if _is(other, 1) or _is(self, 0):
            return self
        return _joined(self, "*", cell(other), Binding.TIMES, self.value * cell(other).value)

    def __rmul__(self, other: "Number") -> "Cell":
        return cell(other) * self

    def __truediv__(self, other: "Number") -> "Cell":
        under = cell(other)
        value = self.value / under.value if under.value else math.nan
        return _joined(self, "/", under, Binding.TIMES, value)

    def __rtruediv__(self, other: "Number") -> "Cell":
        return cell(other) / self

    def __pow__(self, other: "Number") -> "Cell":
        return _joined(self, "^", cell(other), Binding.POWER, self.value ** cell(other).value)

    def __neg__(self) -> "Cell":
        return Cell(-self.value, f"-{_bracketed(self, Binding.POWER)}", Binding.PLUS)

    def __ge__(self, other: "Number") -> "Cell":
        return _tested(self, ">=", cell(other), holds=self.value >= cell(other).value)

    def __gt__(self, other: "Number") -> "Cell":
        return _tested(self, ">", cell(other), holds=self.value > cell(other).value)

    def __lt__(self, other: "Number") -> "Cell":
        return cell(other) > self

    def __bool__(self) -> bool:
        """Whether there is anything now: what a plan's shape, which is held, turns on."""
        return bool(self.value)

    def __array_ufunc__(self, ufunc: Any, method: str, *given: Any) -> "Cell":
        """The functions of numbers that the planner uses, as those of a spreadsheet."""
        if method != "__call__" or ufunc.__name__ not in UFUNCS:
            raise TypeError(f"No spreadsheet function stands for numpy.{ufunc.__name__}.")
        found: Cell = UFUNCS[ufunc.__name__](*map(cell, given))
        return found

    def __array_function__(self, function: Any, _: Any, given: Any, __: Any) -> Any:
        """A choice by a test; and whether there is any of what may change, which there may be."""
        if function is np.where:
            return where(*given)
        return True if function is np.any else NotImplemented

    def using(self, placed: Mapping["Cell", "Cell"]) -> "Cell":
        """The same formula with parts of it taken from the cells where they stand, in order."""
        text = self.text
        for part, place in placed.items():
            before, after = AROUND[part.binding]
            whole = re.compile(f"{before}{re.escape(part.text)}{after}")
            text = whole.sub(lambda _, found=place.text: found, text)  # type: ignore[misc]
            text = re.sub(rf"(?<=[-+*/,(])\({re.escape(place.text)}\)", place.text, text)
        return replace(self, text=text)

    def equals(self, other: "Number") -> "Cell":
        """Whether both are the same number; for counts, which are exact."""
        return _tested(self, "=", cell(other), holds=self.value == cell(other).value)


Number: TypeAlias = Cell | float


def cell(given: Any) -> Cell:
    """A number as a cell that holds nothing else; a cell as it is."""
    return given if isinstance(given, Cell) else _constant(float(given))


def _constant(value: float) -> Cell:
    text = f"{int(value)}" if value.is_integer() and abs(value) < EXACT else repr(value).upper()
    return Cell(value, text, Binding.ATOM if value >= 0 else Binding.PLUS)


def _is(given: Number, value: float) -> bool:
    """Whether something is a plain number of this value, which then need not be written."""
    return cell(given).text == f"{value}"


def where(test: Cell, then: Number, other: Number) -> Cell:
    """One of two cells by a test."""
    yes, no = cell(then), cell(other)
    value = yes.value if test.value else no.value
    return Cell(value, f"IF({test.text},{yes.text},{no.text})")


def both(one: Cell, other: Cell) -> Cell:
    """Whether two tests hold."""
    return Cell(float(one.value and other.value), f"AND({one.text},{other.text})")


def least(*cells: Number) -> Cell:
    """The smallest of some cells."""
    return _called("MIN", min, cells)


def most(*cells: Number) -> Cell:
    """The largest of some cells."""
    return _called("MAX", max, cells)


def ceiling(given: Number) -> Cell:
    """The next whole number, of what is not negative."""
    held = cell(given)
    return Cell(float(math.ceil(held.value)), f"ROUNDUP({held.text},0)")


def floor(given: Number) -> Cell:
    """The whole number at or below."""
    held = cell(given)
    return Cell(float(math.floor(held.value)), f"INT({held.text})")


def rounded(given: Number) -> Cell:
    """The nearest whole number, the even one of two."""
    held = cell(given)
    text = f"IF(MOD({held.text},1)=0.5,2*ROUND(({held.text})/2,0),ROUND({held.text},0))"
    return Cell(float(round(held.value)), text)


def remainder(given: Cell, by: Cell) -> Cell:
    """What is left after whole times `by`, which is above zero."""
    return Cell(given.value % by.value, f"MOD({given.text},{by.text})")


def paid_monthly(rate: Cell, years: Cell, same: Cell) -> Cell:
    """A year of monthly payments per dollar lent, as the function that spreadsheets have for it.

    same: the planner's formula of it. Returns: [1/year]
    """
    months = cell(MONTHS_PER_YEAR)
    paid = Cell(-1.0, f"-PMT({(rate / months).text},{(months * years).text},1)", Binding.TIMES)
    return replace(paid * months, value=same.value)


def _log1p(given: Cell) -> Cell:
    return Cell(math.log1p(given.value), f"LN({(1 + given).text})")


def _expm1(given: Cell) -> Cell:
    return Cell(math.expm1(given.value), f"EXP({given.text})-1", Binding.PLUS)


def _called(
    name: str, function: Callable[[Sequence[float]], float], cells: Sequence[Number]
) -> Cell:
    held = [cell(each) for each in cells]
    text = f"{name}({','.join(each.text for each in held)})"
    return Cell(function([each.value for each in held]), text)


def _joined(left: Cell, sign: str, right: Cell, binding: Binding, value: float) -> Cell:
    """Both sides of a sign, bracketed where they bind less; to the right of - / ^ also as much."""
    loose = partial(_bracketed, binding=binding)
    tight = partial(_bracketed, binding=Binding(binding + 1))
    after = loose if sign in {"+", "*"} and not right.text.startswith("-") else tight
    before = tight if sign == "^" else loose
    return Cell(value, f"{before(left)}{sign}{after(right)}", binding)


def _tested(left: Cell, sign: str, right: Cell, *, holds: bool) -> Cell:
    return Cell(float(holds), f"{left.text}{sign}{right.text}", Binding.TEST)


def _bracketed(held: Cell, binding: Binding) -> str:
    return held.text if held.binding >= binding else f"({held.text})"


AROUND: Mapping[Binding, tuple[str, str]] = {
    Binding.TEST: (r"(?<![^(,])", r"(?![^),])"),
    Binding.PLUS: (r"(?<![^(,+])", r"(?![^),+-])"),
    Binding.TIMES: (r"(?<![\w.$/^])", r"(?![\w.^])"),
    Binding.POWER: (r"(?<![\w.$^])", r"(?![\w.^])"),
    Binding.ATOM: (r"(?<![\w.$])", r"(?![\w.])"),
}
"""What may stand around a part of a formula for it to be a whole operand there."""
PRECISION = np.finfo(float).nmant
EXACT = 2.0**PRECISION
UFUNCS: Mapping[str, Callable[..., Cell]] = {
    "add": lambda one, other: one + other,
    "subtract": lambda one, other: one - other,
    "multiply": lambda one, other: one * other,
    "divide": lambda one, other: one / other,
    "power": lambda one, other: one**other,
    "negative": lambda one: -one,
    "maximum": most,
    "minimum": least,
    "greater": lambda one, other: one > other,
    "less": lambda one, other: other > one,
    "ceil": ceiling,
    "log1p": _log1p,
    "expm1": _expm1,
}
