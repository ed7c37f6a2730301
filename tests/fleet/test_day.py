"""The average day: its shape by hand and against the mean, and what it makes a fleet draw."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import i0

from planner.fleet.day import SHARES, activities, half_day, load_by_hour, mean
from planner.fleet.pools import Activity
from planner.fleet.watts import draw_by_hour_w, fleet_watts
from tests.stand_ins import PROFILES, fleet, pool, sized_profile

PEAKS = st.floats(1, 23)


class TestShape:
    def test_a_flat_day_is_flat(self):
        assert load_by_hour(1.0) == (1.0,) * 24

    @pytest.mark.parametrize("kappa", [0.1, 0.7, 2.5])
    def test_it_is_a_von_mises_curve(self, kappa):
        # 24 points on a smooth curve around the clock give its mean I0(κ) to rounding.
        peak, trough = np.exp(kappa) / i0(kappa), np.exp(-kappa) / i0(kappa)
        loads = load_by_hour(peak)
        assert loads[12] == pytest.approx(trough, rel=1e-6)
        assert loads[6] == pytest.approx(1 / i0(kappa), rel=1e-6)

    @given(PEAKS)
    def test_it_averages_one_and_its_busiest_hour_is_the_peak(self, peak):
        loads = load_by_hour(peak)
        assert np.mean(loads) == pytest.approx(1, rel=1e-9)
        assert loads[0] == pytest.approx(peak, rel=1e-6)

    @given(PEAKS)
    def test_it_falls_for_half_a_day_and_rises_as_it_fell(self, peak):
        loads = load_by_hour(peak)
        assert np.all(np.diff(loads[:13]) <= 0)
        assert loads[13:] == pytest.approx(loads[11:0:-1])

    def test_a_peak_of_minutes_takes_an_hour_of_its_own_and_no_more(self):
        assert load_by_hour(80.0)[0] == pytest.approx(24)
        assert np.mean(load_by_hour(80.0)) == pytest.approx(1)

    def test_thirteen_distances_stand_for_all_hours(self):
        assert sum(SHARES) == pytest.approx(1)
        assert mean(np.array(load_by_hour(3.0)[:13])) == pytest.approx(1)


class TestActivities:
    def test_it_runs_from_the_peak_through_the_mean_towards_rest(self):
        held = half_day(pool(peak_to_mean=1.5, peak=Activity(0.3, 0.5), mean=Activity(0.15, 0.4)))
        assert held[:, 0] == pytest.approx([0.3, 0.5])
        least = load_by_hour(1.5)[12]
        assert held[:, 12] == pytest.approx([0.15 * least, 0.4 * least])

    def test_half_way_up_it_is_half_way(self):
        held = pool(peak_to_mean=3.0, peak=Activity(0.3, 0.6), mean=Activity(0.1, 0.4))
        found = activities(held, [0.0, 1.0, 2.0, 9.0])
        assert found == pytest.approx(np.array([[0, 0.1, 0.2, 0.3], [0, 0.4, 0.5, 0.6]]))


class TestDraw:
    @pytest.mark.parametrize("profile", PROFILES)
    def test_the_curve_lies_between_peak_and_rest_and_averages_the_mean(self, profile):
        held = sized_profile(profile)
        for option in held.fleets.values():
            hours = draw_by_hour_w(option, held.catalog, held.ledger)
            watts = fleet_watts(option, held.catalog, held.ledger)
            assert hours.mean() == pytest.approx(watts.mean_w, rel=1e-9)
            assert hours[0] == pytest.approx(watts.peak_w, rel=1e-6)
            assert np.all(np.diff(hours[:13]) <= 1e-9 * watts.peak_w)

    def test_a_capped_pool_is_cut_off_at_its_cap(self):
        held = sized_profile("axiom")
        free, capped = (
            draw_by_hour_w(fleet(pool(power_cap_frac=cap)), held.catalog, held.ledger)
            for cap in (1.0, 0.5)
        )
        top = capped.max()
        assert np.allclose(capped, np.minimum(free, top))
        assert top < free.max()
