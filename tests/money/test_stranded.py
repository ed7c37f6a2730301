"""Stranded power by hand and by cause; causes always add up to what is provisioned less needed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.decision.plan import plan
from planner.demand.scenario import Scenario
from planner.fleet.watts import Watts
from planner.money.stranded import LABELS, stranded
from tests.stand_ins import PROFILES

MW = st.floats(0.1, 1e3)
POWERS = st.lists(MW, min_size=6, max_size=6)

# A site of 12 MW of nameplate, of which 10 MW are built for this demand and draw 7 MW at peak;
# the best option draws 4 MW at peak, 3.5 MW of it needed, 2 MW on average.
BUILT = Watts(10.0, 10.0, 7.0, 5.0, 6.0, 4.5)
BEST = Watts(6.0, 5.0, 4.0, 2.5, 3.5, 2.0)


class TestByHand:
    @pytest.fixture
    def held(self):
        return stranded(12.0, BUILT, 8.0, BEST)

    def test_each_cause_is_the_difference_of_two_fleets(self, held):
        assert held.causes == {
            "surplus": 2,  # 12 owned, 10 as built
            "nameplate": 3,  # 10 rated, 7 drawn at peak
            "mismatch": 3,  # 7 as built, 4 at best
            "reserve": 0.5,  # 4 with reserve, 3.5 without
            "trough": 1.5,  # 3.5 at peak, 2 on average
        }

    def test_from_provisioned_to_needed(self, held):
        assert (held.provisioned_w, held.needed_w) == (12, 2)

    def test_the_headline_counts_what_caps_and_better_chips_could_free(self, held):
        # Surplus 2, cappable 10 − 8, mismatch 3; reserve, troughs and uncappable are not counted.
        assert held.stranded_w == 7

    def test_only_provisioned_power_is_recovered(self, held):
        assert held.recovered_w == 7
        assert held.extra_throughput_frac == pytest.approx(12 / 5 - 1)

    def test_every_cause_has_its_label_in_order(self, held):
        assert list(held.causes) == list(LABELS)


class TestCases:
    def test_where_nothing_is_owned_there_is_no_surplus(self):
        held = stranded(None, BUILT, 8.0, BEST)
        assert held.provisioned_w == 10
        assert held.causes["surplus"] == 0

    def test_a_fleet_too_small_for_its_demand_has_a_negative_surplus(self):
        assert stranded(8.0, BUILT, 8.0, BEST).causes["surplus"] == -2

    def test_a_best_option_that_draws_more_has_a_negative_mismatch(self):
        assert stranded(12.0, BEST, 5.0, BUILT).causes["mismatch"] == -3

    def test_the_best_fleet_already_in_place_strands_only_its_own_headroom(self):
        held = stranded(None, BEST, 5.0, BEST)
        assert held.causes["mismatch"] == 0
        assert held.stranded_w == 1
        assert held.recovered_w == 1

    def test_a_row_with_21_percent_headroom_holds_a_quarter_more_servers(self):
        # POLCA (ASPLOS 2024): about 21 % headroom in inference rows, about 30 % more servers.
        under_caps = Watts(1.0, 0.79, 0.79, 0.7, 0.79, 0.7)
        held = stranded(None, Watts(1.0, 1.0, 0.79, 0.7, 0.79, 0.7), 0.79, under_caps)
        assert held.stranded_w == pytest.approx(0.21)
        assert held.extra_throughput_frac == pytest.approx(0.3, abs=0.04)


class TestSums:
    @given(st.none() | MW, POWERS, MW, POWERS)
    def test_p2_causes_add_up_to_provisioned_less_needed(self, owned, built, harmless, best):
        held = stranded(owned, Watts(*built), harmless, Watts(*best))
        total = held.provisioned_w - held.needed_w
        assert sum(held.causes.values()) == pytest.approx(total, rel=1e-9, abs=1e-9 * 1e3)

    @pytest.mark.parametrize("profile", PROFILES)
    def test_p2_of_a_plan_they_add_up_too(self, profile):
        held = plan(Scenario(profile=profile)).stranded
        total = held.provisioned_w - held.needed_w
        assert sum(held.causes.values()) == pytest.approx(total, rel=1e-9)

    @pytest.mark.parametrize("profile", PROFILES)
    def test_of_a_plan_what_is_drawn_is_part_of_what_is_rated(self, profile):
        causes = plan(Scenario(profile=profile)).stranded.causes
        for cause in ("nameplate", "reserve", "trough"):
            assert causes[cause] >= 0

    @given(POWERS, MW, POWERS, st.floats(1e-3, 1e3))
    def test_knows_no_unit_of_power(self, built, harmless, best, factor):
        one = stranded(None, Watts(*built), harmless, Watts(*best))
        scaled = (Watts(*(factor * w for w in watts)) for watts in (built, best))
        other = stranded(None, next(scaled), factor * harmless, next(scaled))
        assert other.stranded_w == pytest.approx(factor * one.stranded_w, rel=1e-6, abs=1e-6)
        assert other.extra_throughput_frac == pytest.approx(one.extra_throughput_frac, abs=1e-9)


def test_samples_together_are_samples_one_by_one():
    draws = np.random.default_rng(0).uniform(1, 20, (14, 40))
    together = stranded(draws[0], Watts(*draws[1:7]), draws[7], Watts(*draws[8:]))
    for k, one in enumerate(draws.T.tolist()):
        alone = stranded(one[0], Watts(*one[1:7]), one[7], Watts(*one[8:]))
        assert {name: cause[k] for name, cause in together.causes.items()} == alone.causes
        assert together.stranded_w[k] == alone.stranded_w
        assert together.extra_throughput_frac[k] == alone.extra_throughput_frac
