"""Waiting lines against Erlang's, Takács's and exact two-server values."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.load.waiting import (
    erlang_c,
    length_spread_factor,
    place_wait_s,
    pollaczek_wait_s,
    pooled_wait_frac,
    wait_quantile_s,
    wait_tail,
    waiting_scv,
)


@pytest.mark.parametrize(
    ("servers", "offered", "waits"), [(1, 0.5, 0.5), (2, 1, 1 / 3), (3, 2, 4 / 9)]
)
def test_erlang_c_in_fractions(servers, offered, waits):
    assert erlang_c(servers, offered) == pytest.approx(waits, rel=1e-12)


def test_nobody_waits_without_load():
    assert erlang_c(5, 0.0) == 0


def test_a_server_between_two_counts_waits_between_them():
    assert erlang_c(3, 2.0) < erlang_c(2.5, 2.0) < erlang_c(2.1, 2.0)


def test_pollaczek_at_ninety_percent():
    assert pollaczek_wait_s(0.9, 1.0, 1.0) == pytest.approx(9.0)
    assert pollaczek_wait_s(0.9, 1.0, 0.0) == pytest.approx(4.5)


def test_those_who_wait_in_m_m_1_wait_exponentially():
    """E[S³] = 6: the SCV of the wait of those who wait is 1 at every load."""
    loads = np.array([0.1, 0.5, 0.9])
    assert waiting_scv(loads, 1.0, 6.0) == pytest.approx(np.ones(3))


def test_those_who_wait_for_a_constant_server_in_light_traffic_wait_its_uniform_rest():
    assert waiting_scv(0.0, 0.0, 1.0) == pytest.approx(1 / 3)


def test_an_exponential_tail_by_hand():
    """C = 0.5, E[W] = 1: 2·ln(50) at p99; none at the median."""
    assert wait_quantile_s(np.array(0.5), np.array(1.0), np.array(0.99)) == pytest.approx(
        2 * math.log(50)
    )
    assert wait_quantile_s(np.array(0.5), np.array(1.0), np.array(0.5)) == 0


@pytest.mark.parametrize("scv", [1 / 3, 1.0, 2.5])
@pytest.mark.parametrize("level", [0.7, 0.99])
def test_a_quantile_of_a_wait_is_exceeded_by_the_rest(scv, level):
    late_s = wait_quantile_s(np.array(0.6), np.array(2.0), np.array(level), scv)
    assert wait_tail(late_s, np.array(0.6), np.array(2.0), scv) == pytest.approx(1 - level)


@pytest.mark.parametrize("scv", [1 / 3, 1.0, 2.5])
def test_the_tail_of_a_wait_adds_up_to_its_mean(scv):
    wait_s = np.linspace(0, 400, 400_001)
    tail = wait_tail(wait_s, np.array(0.6), np.array(2.0), scv)
    assert tail[0] == pytest.approx(0.6)
    assert np.trapezoid(tail, wait_s) == pytest.approx(2.0, rel=1e-3)


def test_variation_counts_less_with_many_servers_in_light_traffic():
    """One server: (1 + scv)/2. Two constant servers in light traffic wait 2/3 of exponential ones
    (the shorter of two uniform rests); in heavy traffic half."""
    assert length_spread_factor(3.0, 1, 0.4) == pytest.approx(2.0)
    assert length_spread_factor(0.0, 2, 0.0) == pytest.approx(2 / 3)
    assert length_spread_factor(0.0, 2, 1.0) == pytest.approx(1 / 2)
    assert length_spread_factor(1.0, 7, 0.3) == pytest.approx(1.0)


@pytest.mark.parametrize("rate", [2.0, 3.0])
def test_for_a_place_that_never_comes_free_no_wait_is_named(rate):
    """The caller says that the pool is unstable."""
    assert place_wait_s(np.array(0.5), np.array(rate), np.array(2.0), np.array(1.0), 4) == 0


def test_a_place_by_hand():
    """Full half of the time, drained of 2 requests a second of which 1.5 come: 1 s; constant
    lengths at one place wait half of that, in four places 0.75/2 + 0.25·4/5 of it."""
    wait = (np.array(0.5), np.array(1.5), np.array(2.0))
    assert place_wait_s(*wait, np.array(1.0), 4) == pytest.approx(1.0)
    assert place_wait_s(*wait, np.array(0.0), 1) == pytest.approx(0.5)
    assert place_wait_s(*wait, np.array(0.0), 4) == pytest.approx(0.375 + 0.2)


class TestRouting:
    def left(self, load, n, arrival_scv=1.0, scv=1.0):
        return float(pooled_wait_frac(np.array([load]), np.array([n]), arrival_scv, scv)[0])

    def test_a_replica_alone_gains_nothing(self):
        assert self.left(0.7, 1.0) == pytest.approx(1)

    @pytest.mark.parametrize(("load", "waits"), [(0.5, 1 / 3), (0.8, 32 / 45)])
    def test_two_replicas_wait_as_m_m_2_against_m_m_1(self, load, waits):
        # Erlang C of two servers is 2ρ²/(1 + ρ); a wait half as long, of that many more.
        assert self.left(load, 2.0) == pytest.approx(waits / (2 * load))

    def test_hundreds_wait_for_each_other_hardly_ever(self):
        assert self.left(0.8, 500.0) < 1e-3

    def test_bursts_lengthen_the_wait_as_in_allen_cunneen(self):
        assert self.left(0.7, 4.0, arrival_scv=5.0) == pytest.approx(3 * self.left(0.7, 4.0))

    @given(st.floats(0.05, 0.99), st.integers(1, 400), st.integers(1, 400))
    def test_a_larger_pool_never_waits_longer(self, load, n, more):
        assert self.left(load, float(n + more)) <= self.left(load, float(n)) * (1 + 1e-9)
