"""Where a workload may stand in 18 months: the log's own trend, else growth and scenarios."""

from collections.abc import Callable

import numpy as np

from planner.demand.logs.limits import DEFAULT_LIMITS, Limits
from planner.demand.logs.results import Audit, Outlook, Range
from planner.demand.trend import trend
from planner.demand.workload import RATIO_MONTHS
from planner.facts.quantities import Quantity
from planner.facts.units import MONTHS_PER_YEAR

SCENARIOS = {
    "longer_context": "Longer context",
    "reasoning": "Reasoning",
    "agents": "Agents",
}
"""Entries of hardware_catalog/demand.toml and what the reader calls them."""
KEPT = Range(1.0, 1.0, 1.0)
Number = Callable[[str], Quantity]


def outlooks(
    found: Audit,
    growth_frac_per_year: Range,
    number: Number,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Outlook, ...]:
    """What 18 months may do to requests and to the decode:prefill token ratio.

    growth_frac_per_year: the user's growth with its range, for a log too short to show a trend.
    number: the catalog's quantity under a dotted path.
    """
    ratio = found.decode_to_prefill_token_ratio
    if not ratio:
        return ()
    drift = trend(found, limits)
    if drift is not None:
        name, basis = "Trend of the log", f"trend of {drift.n_days} whole days"
        grown, mix = drift.requests, drift.ratio
    else:
        years = RATIO_MONTHS / MONTHS_PER_YEAR
        g = growth_frac_per_year
        grown = Range(*((1 + frac) ** years for frac in (g.low, g.value, g.high)))
        name, basis, mix = "Growth alone", "the scenario's growth; the log is too short", KEPT
    first = Outlook(name, basis, grown, scaled(mix, ratio), None)
    more = (_scenario(key, title, grown, ratio, number) for key, title in SCENARIOS.items())
    return (first, *more)


def _scenario(key: str, title: str, grown: Range, ratio: float, number: Number) -> Outlook:
    """One scenario on top of the growth."""
    read, written, asked = (
        _range(number(f"demand.outlook.{key}.{part}")) for part in ("input", "output", "requests")
    )
    mix = product(written, Range(1 / read.high, 1 / read.value, 1 / read.low))
    return Outlook(title, "an estimate", product(grown, asked), scaled(mix, ratio), None)


def _range(quantity: Quantity) -> Range:
    return Range(quantity.low, quantity.value, quantity.high)


def scaled(factor: Range, by: float) -> Range:
    """A range of factors on a known value."""
    return Range(factor.low * by, factor.value * by, factor.high * by)


def product(a: Range, b: Range) -> Range:
    """The product of two independent positive ranges: their widths add in quadrature, in logs."""
    value = a.value * b.value
    down = np.hypot(np.log(a.value / a.low), np.log(b.value / b.low))
    up = np.hypot(np.log(a.high / a.value), np.log(b.high / b.value))
    return Range(float(value * np.exp(-down)), value, float(value * np.exp(up)))
