"""The roofline: ends of the p-norm, a ring walked in steps, links inside and beyond a domain."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.physics.roofline import Links, all_reduce_time_s, all_to_all_time_s, roof_time_s

H100 = Links(
    domain_chips=8.0, inside_bytes_per_s=450e9, outside_bytes_per_s=50e9, latency_s=0.0
)  # fmt: skip
RACK = replace(H100, domain_chips=1e9)
"""The same links in one domain without end."""

TIMES = st.floats(1e-6, 1e3)
ORDERS = st.floats(1, 50)


class TestRoof:
    def test_p_infinite_is_the_slower_of_both(self):
        assert roof_time_s(3.0, 4.0, np.inf) == 4
        assert roof_time_s(4.0, 3.0, np.inf) == 4
        assert roof_time_s(4.0, 4.0, np.inf) == 4

    def test_p_one_is_their_sum(self):
        assert roof_time_s(3.0, 4.0, 1.0) == pytest.approx(7)

    def test_p_two_is_the_hypotenuse(self):
        assert roof_time_s(3.0, 4.0, 2.0) == pytest.approx(5)
        assert roof_time_s(5.0, 12.0, 2.0) == pytest.approx(13)

    def test_at_the_ridge_p_three_costs_26_percent(self):
        assert roof_time_s(1.0, 1.0, 3.0) == pytest.approx(1.26, abs=1e-3)

    def test_without_traffic_only_arithmetic_takes_time(self):
        assert roof_time_s(2.0, 0.0, 3.0) == 2
        assert roof_time_s(0.0, 2.0, np.inf) == 2

    def test_of_nothing_is_nothing(self):
        assert roof_time_s(0.0, 0.0, [1.0, 3.0, np.inf]).tolist() == [0, 0, 0]

    @given(TIMES, TIMES, ORDERS)
    def test_lies_between_the_slower_and_the_sum_whichever_comes_first(self, one, other, order):
        time = roof_time_s(one, other, order)
        assert max(one, other) <= time * (1 + 1e-12)
        assert time <= (one + other) * (1 + 1e-12)
        assert time == roof_time_s(other, one, order)

    @given(TIMES, TIMES, ORDERS, st.floats(1, 5))
    def test_falls_as_the_order_grows(self, one, other, order, factor):
        softer = roof_time_s(one, other, order)
        assert roof_time_s(one, other, order * factor) <= softer * (1 + 1e-12)

    @given(TIMES, TIMES, ORDERS, st.floats(1e-6, 1e6))
    def test_knows_no_unit_of_time(self, one, other, order, factor):
        scaled = roof_time_s(one * factor, other * factor, order)
        assert scaled == pytest.approx(factor * roof_time_s(one, other, order), rel=1e-9)


def ring_bytes_per_link(n):
    """Walk a ring all-reduce of a message of n pieces; count the pieces that leave chip 0."""
    held = [[{chip} for _ in range(n)] for chip in range(n)]
    sent = 0
    for step in range(2 * (n - 1)):
        moves = [(chip, (chip - step) % n) for chip in range(n)]
        taken = [(chip, piece, set(held[chip][piece])) for chip, piece in moves]
        for chip, piece, what in taken:
            held[(chip + 1) % n][piece] |= what
            sent += chip == 0
    assert all(piece == set(range(n)) for chip in held for piece in chip)
    return sent / n


class TestAllReduce:
    @pytest.mark.parametrize("n", [2, 3, 4, 8, 16])
    def test_moves_what_a_ring_moves(self, n):
        time = all_reduce_time_s(RACK, n, 450e9)
        assert time == pytest.approx(ring_bytes_per_link(n), rel=1e-12)

    def test_of_a_megabyte_over_eight_h100s_takes_3_9_microseconds(self):
        assert all_reduce_time_s(H100, 8, 1e6) == pytest.approx(3.89e-6, rel=1e-3)

    def test_over_two_servers_of_eight_a_server_adds_up_first(self):
        # Inside as above; then each chip's eighth of a megabyte crosses at 50 GB/s: 2.5 µs.
        assert all_reduce_time_s(H100, 16, 1e6) == pytest.approx(3.89e-6 + 2.5e-6, rel=1e-3)

    def test_of_chips_without_fast_links_takes_the_slow_ones(self):
        single = replace(H100, domain_chips=1.0)
        assert all_reduce_time_s(single, 4, 50e9) == pytest.approx(ring_bytes_per_link(4))

    @pytest.mark.parametrize(("n", "starts"), [(1, 0), (2, 1), (8, 1), (16, 2), (64, 2)])
    def test_of_nothing_costs_a_start_inside_and_one_beyond(self, n, starts):
        slow = replace(H100, latency_s=15e-6)
        assert all_reduce_time_s(slow, n, 0.0) == pytest.approx(starts * 15e-6)

    def test_alone_there_is_nothing_to_send_and_no_start_up(self):
        assert all_reduce_time_s(replace(H100, latency_s=1.0), 1, 1e9) == 0

    def test_never_takes_twice_the_message(self):
        times = all_reduce_time_s(RACK, np.array([2.0, 64, 1e6]), 450e9)
        assert np.all(np.diff(times) > 0)
        assert times[-1] == pytest.approx(2, abs=1e-5)

    def test_at_a_third_of_the_link_takes_three_times_as_long(self):
        slow = replace(H100, inside_bytes_per_s=150e9)
        assert all_reduce_time_s(slow, 2, 1e6) == pytest.approx(3 * all_reduce_time_s(H100, 2, 1e6))


def copies_sent(rng, chips, experts, chosen):
    """Chips other than its own that a token goes to, its experts drawn without repeating any."""
    drawn = rng.permuted(np.tile(np.arange(experts), (20_000, 1)), axis=1)[:, :chosen]
    hit = np.zeros((len(drawn), chips), bool)
    for choice in drawn.T:
        hit[np.arange(len(drawn)), choice // (experts // chips)] = True
    return hit[:, 1:].sum(axis=1).mean()


class TestAllToAll:
    @pytest.mark.parametrize(("n", "share"), [(2, 1 / 2), (4, 3 / 4), (8, 7 / 8)])
    def test_of_one_choice_each_keeps_what_falls_on_itself(self, n, share):
        assert all_to_all_time_s(H100, n, 450e9, 1) == pytest.approx(share)

    def test_of_very_many_choices_goes_to_every_other_chip(self):
        assert all_to_all_time_s(H100, 8, 450e9, 1e6) == pytest.approx(7)

    @pytest.mark.parametrize(("n", "experts", "chosen"), [(8, 256, 8), (4, 64, 2), (8, 128, 4)])
    def test_a_token_goes_to_a_chip_once_however_many_of_its_experts_are_there(
        self, n, experts, chosen
    ):
        sent = copies_sent(np.random.default_rng(0), n, experts, chosen)
        assert all_to_all_time_s(H100, n, 450e9, chosen) == pytest.approx(sent, rel=0.03)

    def test_over_two_servers_a_copy_crosses_once_and_is_handed_on(self):
        # One choice of 16: half of 16 GB crosses at 50 GB/s while 15 GB move inside at 450 GB/s.
        assert all_to_all_time_s(H100, 16, 16e9, 1) == pytest.approx(8e9 / 50e9)
        fast = replace(H100, outside_bytes_per_s=5e12)
        assert all_to_all_time_s(fast, 16, 16e9, 1) == pytest.approx(15e9 / 450e9)

    def test_alone_there_is_nothing_to_send(self):
        assert all_to_all_time_s(replace(H100, latency_s=1.0), 1, 1e9, 8) == 0

    def test_of_nothing_costs_the_start_up_alone(self):
        assert all_to_all_time_s(replace(H100, latency_s=15e-6), 2, 0.0, 8) == pytest.approx(15e-6)

    @pytest.mark.parametrize("n", [2, 4, 8])
    def test_of_one_choice_is_half_of_an_all_reduce_of_the_same(self, n):
        whole = all_to_all_time_s(H100, n, 1e6, 1)
        assert whole == pytest.approx(all_reduce_time_s(H100, n, 1e6) / 2)


def to_eight(links, n_chips, own_bytes):
    """An exchange with the chips of eight experts."""
    return all_to_all_time_s(links, n_chips, own_bytes, 8)


@given(st.floats(1, 600), st.floats(1, 1e10), st.floats(1, 100), st.floats(1, 5))
def test_more_to_send_or_slower_links_never_take_less_time(n, message, domain, factor):
    links = replace(H100, domain_chips=domain, latency_s=1e-6)
    slower = replace(links, inside_bytes_per_s=450e9 / factor, outside_bytes_per_s=50e9 / factor)
    for collective in (all_reduce_time_s, to_eight):
        base = collective(links, n, message) * (1 - 1e-12)
        assert collective(links, n, message * factor) >= base
        assert collective(slower, n, message) >= base


def test_arrays_are_their_scalars():
    counts, messages = np.array([1.0, 2, 8, 24])[:, None], np.array([1e3, 1e6])
    links = replace(H100, latency_s=np.array([1e-6, 2e-6, 3e-6, 4e-6])[:, None])
    for collective in (all_reduce_time_s, to_eight):
        grid = collective(links, counts, messages)
        assert grid.shape == (4, 2)
        for row, n in enumerate(counts[:, 0]):
            own = replace(H100, latency_s=(row + 1) * 1e-6)
            for column, size in enumerate(messages):
                assert grid[row, column] == collective(own, n, size)
