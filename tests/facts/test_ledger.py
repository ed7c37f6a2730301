"""The register: what was used, what the user changed, and draws that follow their triangles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.decision.assumptions import ledger_of, scenario_numbers
from planner.demand.scenario import Scenario
from planner.errors import CatalogError
from planner.facts.catalog import load_catalog
from planner.facts.ledger import Assumption, triangular
from planner.facts.quantities import Quantity
from tests.stand_ins import PROFILES, register

NUMBERS = {"price": 2.0, "rate": 0.1, "count": 8.0}
RANGES = {"price": (1.0, 4.0), "rate": (0.0, 0.5)}
UNIT = np.linspace(0, 1, 1001)


def row(low, value, high, **changes):
    plain = {"unit": "1", "kind": "quote", "source": "by-hand"}
    return Assumption("x", value, low=low, high=high, **(plain | changes))


def used(*names):
    held = register(NUMBERS, RANGES)
    for name in names:
        held[name]
    return held


class TestUse:
    def test_a_number_is_registered_when_it_is_asked_for(self):
        held = register(NUMBERS)
        assert held["price"] == 2
        assert list(held.used) == ["price"]

    def test_asking_whether_it_exists_does_not_use_it(self):
        held = register(NUMBERS)
        assert held.holds("rate")
        assert not held.holds("weight")
        assert held.used == {}

    def test_a_number_that_is_nowhere_is_refused(self):
        with pytest.raises(CatalogError, match="No number weight"):
            register(NUMBERS)["weight"]

    def test_rows_are_sorted_and_plain(self):
        rows = used("rate", "price").rows()
        assert [each["parameter"] for each in rows] == ["price", "rate"]
        assert rows[0] == {
            "parameter": "price",
            "value": 2.0,
            "unit": "1",
            "low": 1.0,
            "high": 4.0,
            "kind": "assumption",
            "source": "by-hand",
            "overridden": False,
        }

    def test_a_catalog_quantity_keeps_its_range_and_its_source(self):
        fact = Quantity(700, 690, 710, "W", "datasheet", "nvidia", "a note")
        held = Assumption.of("tdp", fact)
        assert (held.value, held.low, held.high) == (700, 690, 710)
        assert (held.unit, held.kind, held.source) == ("W", "datasheet", "nvidia")
        assert not held.overridden


class TestOverride:
    def test_the_users_value_keeps_the_relative_range(self):
        held = row(80, 100, 130).overridden_by(50)
        assert (held.low, held.value, held.high) == (40, 50, 65)

    def test_it_is_the_users_and_says_so(self):
        held = row(80, 100, 130).overridden_by(50)
        assert (held.kind, held.source, held.overridden) == ("assumption", "scenario", True)

    def test_a_change_of_sign_keeps_low_below_high(self):
        held = row(-0.2, -0.1, 0.1).overridden_by(0.2)
        assert held.low <= held.value <= held.high

    def test_from_nothing_there_is_no_relative_range(self):
        held = row(0, 0, 0.3).overridden_by(0.1)
        assert (held.low, held.high) == (0.1, 0.1)

    def test_to_nothing_leaves_nothing(self):
        held = row(80, 100, 130).overridden_by(0)
        assert (held.low, held.value, held.high) == (0, 0, 0)

    @given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.01, 100))
    def test_the_value_lies_in_its_range(self, one, two, three, given_value):
        low, value, high = sorted((one, two, three))
        held = row(low, value, high).overridden_by(given_value)
        assert held.low <= held.value * (1 + 1e-12)
        assert held.value <= held.high * (1 + 1e-12)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("discount_frac", 0.5),  # 0 to 0.3 around 0.1 would become 0 to 1.5
            ("price_erosion_frac_per_year", 0.4),  # would reach 1.07: a negative price
            ("sold_frac", 1.0),  # would reach 1.11: more sold than served
        ],
    )
    def test_both_ends_of_a_range_are_values_that_the_field_allows(self, field, value):
        def scenario(number):
            return Scenario.read({"profile": "axiom", "finance": {field: number}})

        held = ledger_of(scenario(value), load_catalog()).find(f"finance.{field}")
        for end in (held.low, held.high):
            assert getattr(scenario(end).finance, field) == end

    @pytest.mark.parametrize("profile", PROFILES)
    def test_the_starting_values_lie_in_their_ranges(self, profile):
        scenario = Scenario(profile=profile)
        held = ledger_of(scenario, load_catalog())
        for name in scenario_numbers(scenario):
            found = held.find(name)
            assert found.low <= found.value <= found.high
            assert not found.overridden


class TestTriangles:
    """Quantiles of the triangular law (Johnson, Kotz, Balakrishnan, ch. 26)."""

    def test_both_ends_and_the_mode(self):
        # A quarter of the law lies below a mode a quarter of the way up.
        assert triangular(np.array([0, 0.25, 1]), row(0, 1, 4)).tolist() == [0, 1, 4]

    def test_the_median_of_a_symmetric_one_is_its_mode(self):
        assert triangular(np.array([0.5]), row(2, 3, 4)) == pytest.approx([3])

    def test_rising_to_its_end_the_median_is_one_over_root_two(self):
        assert triangular(np.array([0.5]), row(0, 1, 1)) == pytest.approx([2**-0.5])

    def test_falling_from_its_start_it_is_one_less_that(self):
        assert triangular(np.array([0.5]), row(0, 0, 1)) == pytest.approx([1 - 2**-0.5])

    def test_known_quantiles_of_zero_one_four(self):
        # Below the mode x = 2√u, above it 4 − √(12(1 − u)).
        found = triangular(np.array([0.01, 0.09, 0.67, 0.97]), row(0, 1, 4))
        assert found == pytest.approx([0.2, 0.6, 4 - 3.96**0.5, 3.4])

    def test_mean_is_the_mean_of_the_three(self):
        middles = (np.arange(100_000) + 0.5) / 100_000
        assert triangular(middles, row(1, 2, 6)).mean() == pytest.approx(3, abs=1e-4)

    @given(st.floats(-1e6, 1e6), st.floats(0, 1), st.floats(1e-3, 1e6))
    def test_never_leaves_its_range_nor_falls(self, low, split, width):
        value = low + split * width
        drawn = triangular(UNIT, row(low, min(value, low + width), low + width))
        assert drawn.min() >= low - 1e-9 * (abs(low) + width)
        assert drawn.max() <= low + width + 1e-9 * (abs(low) + width)
        assert np.all(np.diff(drawn) >= -1e-9 * width)


class TestSamples:
    def test_only_what_was_used_and_is_uncertain_is_drawn(self):
        drawn = used("price", "count").sampled(64, seed=0)
        assert drawn["price"].shape == (64,)
        assert drawn["count"] == 8
        assert drawn["rate"] == 0.1

    def test_the_same_seed_draws_the_same(self):
        one, same, other = (used("price").sampled(16, seed)["price"] for seed in (7, 7, 8))
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)

    def test_the_order_of_use_does_not_matter(self):
        one = used("price", "rate").sampled(16, seed=1)
        other = used("rate", "price").sampled(16, seed=1)
        assert np.array_equal(one["price"], other["price"])

    @pytest.mark.parametrize("seed", range(5))
    def test_every_stratum_is_drawn_once(self, seed):
        # A Latin hypercube: one draw in each of 50 equally likely slices of the law.
        drawn = np.sort(used("price").sampled(50, seed)["price"])
        edges = triangular(np.linspace(0, 1, 51), row(1, 2, 4))
        assert np.all(drawn >= edges[:-1] - 1e-12)
        assert np.all(drawn <= edges[1:] + 1e-12)

    def test_two_numbers_are_drawn_independently(self):
        drawn = used("price", "rate").sampled(4096, seed=0)
        assert abs(np.corrcoef(drawn["price"], drawn["rate"])[0, 1]) < 0.05

    def test_a_certain_register_has_nothing_to_draw(self):
        drawn = used("count").sampled(8, seed=0)
        assert drawn["count"] == 8

    def test_sampling_leaves_the_register_as_it_was(self):
        held = used("price")
        held.sampled(8, seed=0)
        assert held["price"] == 2

    def test_a_draw_keeps_the_registers_row(self):
        drawn = used("price").sampled(8, seed=0)
        assert drawn.find("price").value == 2
