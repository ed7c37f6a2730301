"""Each unit converts as the SI brochure and arithmetic by hand say."""

import pytest

from planner.facts.units import UNITS

BY_HAND = {
    "%": ("frac", 0.01),
    "FLOP": ("FLOP", 1),
    "FLOP/s": ("FLOP/s", 1),
    "TFLOP/s": ("FLOP/s", 1_000_000_000_000),
    "PFLOP/s": ("FLOP/s", 1_000_000_000_000_000),
    "bytes": ("bytes", 1),
    "kB": ("bytes", 1_000),
    "MB": ("bytes", 1_000_000),
    "GB": ("bytes", 1_000_000_000),
    "TB": ("bytes", 1_000_000_000_000),
    "GiB": ("bytes", 1_073_741_824),
    "bytes/token": ("bytes/token", 1),
    "bytes/s": ("bytes/s", 1),
    "GB/s": ("bytes/s", 1_000_000_000),
    "TB/s": ("bytes/s", 1_000_000_000_000),
    "Gbit/s": ("bytes/s", 125_000_000),
    "ms": ("s", 0.001),
    "us": ("s", 0.000_001),
    "W": ("W", 1),
    "kW": ("W", 1_000),
    "MW": ("W", 1_000_000),
    "GW": ("W", 1_000_000_000),
    "J": ("J", 1),
    "J/bit": ("J/bit", 1),
    "pJ/bit": ("J/bit", 0.000_000_000_001),
    "J/FLOP": ("J/FLOP", 1),
    "pJ/FLOP": ("J/FLOP", 0.000_000_000_001),
}


@pytest.mark.parametrize("unit", BY_HAND)
def test_physical_units_become_si(unit):
    base, factor = BY_HAND[unit]
    assert UNITS[unit][0] == base
    assert UNITS[unit][1] == pytest.approx(factor, rel=1e-15)


@pytest.mark.parametrize("unit", sorted(set(UNITS) - set(BY_HAND)))
def test_money_counts_and_long_spans_keep_the_unit_they_are_named_in(unit):
    assert UNITS[unit] == (unit, 1.0)
    assert unit.startswith(("USD", "FTE", "tokens", "requests", "frac", "1", "mm")) or unit in (
        "s", "hours", "days", "weeks", "months", "quarters", "years",
    )  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_a_base_unit_is_its_own_base(unit):
    base, _ = UNITS[unit]
    assert UNITS[base] == (base, 1.0)
