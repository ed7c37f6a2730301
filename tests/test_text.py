"""How numbers read. Expected texts are written by hand; nothing here repeats the code."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner import text

finite = st.floats(-1e15, 1e15).map(lambda x: x if abs(x) > 1e-9 else 0.0)


@pytest.mark.parametrize(
    ("value", "reads"),
    [
        (1.2e6, "$1.2M"),
        (0.42, "$0.42"),
        (0, "$0"),
        (999.6, "$1.0k"),
        (999_499, "$999k"),
        (999_600, "$1.0M"),
        (2.34e9, "$2.3B"),
        (7e12, "$7.0T"),
        (-340_000, "−$340k"),
    ],
)
def test_dollars_carry_a_magnitude_and_two_digits(value, reads):
    assert text.usd(value) == reads


@pytest.mark.parametrize(
    ("shown", "reads"),
    [
        (text.number(1234), "1,234"),
        (text.number(-0.5), "−0.50"),
        (text.count(1, "chip"), "1 chip"),
        (text.count(1234, "chip"), "1,234 chips"),
        (text.count(2, "class", "classes"), "2 classes"),
        (text.mw(12.34), "12 MW"),
        (text.mw(0.35), "0.35 MW"),
        (text.mw(1234), "1,234 MW"),
        (text.percent(0.31), "31%"),
        (text.percent(0.07), "7.0%"),
        (text.percent(-0.04), "−4.0%"),
        (text.percent(1.234), "123%"),
        (text.seconds(0.0534), "53 ms"),
        (text.seconds(1.2), "1.2 s"),
        (text.seconds(0.9996), "1.0 s"),
        (text.seconds(18e-6), "18 µs"),
        (text.tokens(40_000), "40k tokens"),
        (text.tokens(1_234_567), "1.2M tokens"),
        (text.tokens(512), "512 tokens"),
        (text.quantity(3.35e12, "byte/s"), "3.4 Tbyte/s"),
        (text.quantity(6e-12, "J/bit"), "6.0 pJ/bit"),
        (text.quantity(700, "W"), "700 W"),
    ],
)
def test_units_stand_beside_the_figure(shown, reads):
    assert shown == reads


@pytest.mark.parametrize(
    ("decode_to_prefill", "reads"),
    [(1 / 5.5, "1 : 5.5"), (2, "2.0 : 1"), (1, "1.0 : 1"), (1 / 70, "1 : 70"), (0, "n/a")],
)
def test_a_ratio_keeps_the_smaller_side_at_one(decode_to_prefill, reads):
    assert text.ratio(decode_to_prefill) == reads


@pytest.mark.parametrize(
    "show",
    [text.number, text.usd, text.mw, text.percent, text.seconds, text.tokens, text.ratio],
)
def test_what_is_not_known_is_said(show):
    assert show(None) == show(math.nan) == "n/a"


def test_what_has_no_bound_is_said():
    assert text.seconds(math.inf) == "∞"
    assert text.usd(-math.inf) == "−∞"


def test_a_change_shows_its_direction():
    assert text.percent(0.21, signed=True) == "+21%"
    assert text.usd(-2.5e6, signed=True) == "−$2.5M"
    assert text.mw(0, signed=True) == "0 MW"


@pytest.mark.parametrize(
    ("low", "high", "power_of_ten"),
    [
        # Particle Data Group, 5.3: 0.827 ± 0.119 is 0.83 ± 0.12, and ± 0.367 is 0.8 ± 0.4
        (0.827, 0.827 + 0.119, -2),
        (0.827, 0.827 + 0.367, -1),
        (100, 135, 0),
        (100, 136, 1),
        (-3e6, 3e6, 6),
        (1.2345678, 1.2345679, -3),
        (5, 5, None),
        (0, math.inf, None),
    ],
)
def test_a_range_justifies_so_many_digits(low, high, power_of_ten):
    assert text.justified_place(low, high) == power_of_ten


@pytest.mark.parametrize(
    ("show", "values", "reads"),
    [
        (text.usd, (1.21e6, 1.4e6, 1.63e6), "$1.4M ($1.2M to $1.6M)"),
        (text.percent, (0.12, 0.152, 0.18), "15% (12% to 18%)"),
        (text.percent, (-0.04, 0.01, 0.06), "1% (−4% to 6%)"),
        (text.mw, (9.8, 10.41, 11.04), "10.4 MW (9.8 MW to 11.0 MW)"),
        (text.usd, (63_000, 123_456, 183_000), "$120k ($60k to $180k)"),
        (text.usd, (None, 1.2e6, None), "$1.2M"),
    ],
)
def test_a_value_beside_its_range_has_no_surplus_digit(show, values, reads):
    assert text.interval(show, *values) == reads


def test_a_value_lost_in_its_range_reads_zero_without_a_sign():
    assert text.interval(text.usd, -3e6, -1e5, 3e6) == "$0 (−$3M to $3M)"


def test_rounded_parts_still_add_up():
    assert text.adding_up([1.4, 1.4, 1.4], 0) == [2.0, 1.0, 1.0]
    assert text.adding_up([0.16, -0.34, 0.55], -1) == [0.2, -0.3, 0.5]


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8), st.integers(-2, 6))
def test_no_part_moves_by_a_whole_unit(parts, place):
    unit = 10.0**place
    rounded = text.adding_up(parts, place)
    assert all(abs(r - p) < unit * (1 + 1e-6) for r, p in zip(rounded, parts, strict=True))
    assert abs(sum(rounded) - math.fsum(parts)) <= unit * (0.5 + 1e-6)


@given(finite)
def test_a_figure_reads_back_within_half_a_digit(value):
    shown = text.number(value).replace(",", "").replace("−", "-")
    assert math.isclose(float(shown), value, rel_tol=0.05, abs_tol=1e-12)


@given(finite)
def test_a_negative_reads_as_its_positive_with_a_true_minus(value):
    positive = text.usd(abs(value))
    assert text.usd(-abs(value)) == (positive if positive == "$0" else "−" + positive)


@pytest.mark.sweep
@given(finite, st.floats(0, 1e15))
def test_an_interval_never_contradicts_itself(low, width):
    middle, high = low + width / 2, low + width
    place = text.justified_place(low, high)
    shown = [text.number(v, place=place) for v in (low, middle, high)]
    values = [float(s.replace(",", "").replace("−", "-")) for s in shown]
    assert values == sorted(values)


def test_a_headline_reads_the_same_with_its_range_as_alone():
    assert text.around(text.usd, 22.1e6, 42.6e6, 98e6) == "$43M ($20M to $100M)"
    assert text.around(text.usd, None, 42.6e6, None) == text.usd(42.6e6) == "$43M"


def test_two_ends_show_what_their_distance_justifies():
    assert text.span(text.usd, 31.7e6, 97.6e6) == "$30M to $100M"
    assert text.span(text.mw, 7.01, 7.93) == "7.0 MW to 7.9 MW"
