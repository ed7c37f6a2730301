"""When a plan's cash is back: at stated values, and over the draws, told apart in words."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner import text
from planner.decision.ranges import LEVELS

AT_ONCE, NEVER = "at once", "not within the horizon"


@dataclass(frozen=True, slots=True)
class Payback:
    """Years until the cash is back. stated_years: at stated values, None where it never is.

    drawn_years: P10, P50 and P90 over the draws, infinite beyond the horizon; None without samples.
    """

    stated_years: float | None
    drawn_years: tuple[float, float, float] | None

    @property
    def figure(self) -> str:
        """The middle future; the stated one, and said so, where nothing was drawn."""
        if self.drawn_years is None:
            return f"{_years(self.stated_years)}, at stated values"
        return _years(self.drawn_years[1])

    @property
    def spread(self) -> str:
        """P10 to P90, and what the stated values say."""
        if self.drawn_years is None:
            return "No range sampled"
        low, _, high = self.drawn_years
        ends = f"{_years(low)} to {_years(high)}" if low != high else f"both {_years(low)}"
        return f"P10–P90 {ends}; at stated values {_years(self.stated_years)}"

    @property
    def sentence(self) -> str:
        """The middle future and its range: "paid back in 3.25 years (2.25 to 5)"."""
        if self.drawn_years is None:
            return f"payback {self.figure}"
        low, middle, high = self.drawn_years
        if high == 0:
            return "pays from the start"
        if math.isinf(middle):
            return "not paid back within the horizon in most futures"
        ends = (AT_ONCE if not low else text.given(low), _number(high))
        return f"paid back in {_years(middle)} ({ends[0]} to {ends[1]})"


def middle_and_ends(years: Any) -> tuple[float, float, float]:
    """P10, P50 and P90 of draws as quarter marks, of which some may be infinite. [years]"""
    low, middle, high = (
        float(np.quantile(years, level, method="inverted_cdf")) for _, level in LEVELS
    )
    return low, middle, high


def _years(years: float | None) -> str:
    """Quarter marks in full, for they are exact: 0.25 years."""
    if years is None or math.isinf(years):
        return NEVER
    return f"{_number(years)} years" if years else AT_ONCE


def _number(years: float) -> str:
    return "later than the horizon" if math.isinf(years) else text.given(years)
