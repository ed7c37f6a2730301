"""The roofline: times by hand, the ridge, both ends of the p-norm, and a ring walked in steps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.physics.roofline import (
    Machine,
    all_reduce_time_s,
    all_to_all_time_s,
    compute_time_s,
    memory_time_s,
    roof_time_s,
)

H100 = Machine(
    n_chips=np.array(1.0),
    flop_per_s=np.array(1978.9e12),
    wide_flop_per_s=np.array(989.4e12),
    memory_bytes_per_s=np.array(3.35e12),
    memory_bytes=np.array(80e9),
    link_bytes_per_s=np.array(450e9),
    compute_frac=np.array(1.0),
    memory_frac=np.array(1.0),
    link_frac=np.array(1.0),
    link_latency_s=np.array(0.0),
    layer_overhead_s=np.array(0.0),
    iteration_overhead_s=np.array(0.0),
    roof_order=np.array(np.inf),
)
TIMES = st.floats(1e-6, 1e3)
ORDERS = st.floats(1, 50)


class TestTimes:
    def test_a_second_of_peak_arithmetic_takes_a_second(self):
        assert compute_time_s(H100, 1978.9e12, 0.0) == pytest.approx(1)
        assert compute_time_s(H100, 0.0, 989.4e12) == pytest.approx(1)

    def test_parts_of_different_precision_follow_each_other(self):
        assert compute_time_s(H100, 1978.9e12, 989.4e12) == pytest.approx(2)

    def test_the_weights_of_a_70b_model_pass_in_42_ms_on_one_h100(self):
        # 140 GB at 3.35 TB/s: the number every introduction to decoding gives.
        assert memory_time_s(H100, 140e9) == pytest.approx(0.0418, abs=5e-5)

    def test_eight_chips_at_half_of_their_peaks_are_as_fast_as_four_at_all_of_it(self):
        four = replace(H100, n_chips=4.0)
        eight = replace(H100, n_chips=8.0, compute_frac=0.5, memory_frac=0.5)
        assert compute_time_s(eight, 1e15, 1e14) == pytest.approx(compute_time_s(four, 1e15, 1e14))
        assert memory_time_s(eight, 1e12) == pytest.approx(memory_time_s(four, 1e12))


class TestRoof:
    def test_the_ridge_of_an_h100_lies_at_295_flop_per_byte(self):
        compute = compute_time_s(H100, 0.0, 295.34e9)
        assert compute == pytest.approx(memory_time_s(H100, 1e9), rel=1e-4)

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
        time = all_reduce_time_s(replace(H100, n_chips=np.array(float(n))), 450e9)
        assert time == pytest.approx(ring_bytes_per_link(n), rel=1e-12)

    def test_of_a_megabyte_over_eight_h100s_takes_3_9_microseconds(self):
        time = all_reduce_time_s(replace(H100, n_chips=8.0), 1e6)
        assert time == pytest.approx(3.89e-6, rel=1e-3)

    def test_alone_there_is_nothing_to_send_and_no_start_up(self):
        assert all_reduce_time_s(replace(H100, link_latency_s=1.0), 1e9) == 0

    def test_of_nothing_costs_the_start_up_alone(self):
        pair = replace(H100, n_chips=2.0, link_latency_s=15e-6)
        assert all_reduce_time_s(pair, 0.0) == pytest.approx(15e-6)

    def test_never_takes_twice_the_message(self):
        many = replace(H100, n_chips=np.array([2.0, 64, 1e6]))
        times = all_reduce_time_s(many, 450e9)
        assert np.all(np.diff(times) > 0)
        assert times[-1] == pytest.approx(2, abs=1e-5)

    def test_at_a_third_of_the_link_takes_three_times_as_long(self):
        pair = replace(H100, n_chips=2.0)
        slow = replace(pair, link_frac=1 / 3)
        assert all_reduce_time_s(slow, 1e6) == pytest.approx(3 * all_reduce_time_s(pair, 1e6))


class TestAllToAll:
    @pytest.mark.parametrize(("n", "share"), [(2, 1 / 4), (4, 3 / 16), (8, 7 / 64)])
    def test_each_chip_sends_the_others_their_parts_of_its_own_part(self, n, share):
        # Of n² parts each chip holds n and keeps one: n − 1 leave it.
        time = all_to_all_time_s(replace(H100, n_chips=np.array(float(n))), 450e9)
        assert time == pytest.approx(share)

    def test_alone_there_is_nothing_to_send(self):
        assert all_to_all_time_s(replace(H100, link_latency_s=1.0), 1e9) == 0

    def test_of_nothing_costs_the_start_up_alone(self):
        pair = replace(H100, n_chips=2.0, link_latency_s=15e-6)
        assert all_to_all_time_s(pair, 0.0) == pytest.approx(15e-6)

    @pytest.mark.parametrize("n", [2, 4, 8, 64])
    def test_is_half_of_an_all_reduce_of_each_chips_own_part(self, n):
        group = replace(H100, n_chips=np.array(float(n)))
        whole = all_to_all_time_s(group, n * 1e6)
        assert whole == pytest.approx(all_reduce_time_s(group, 1e6) / 2)


def test_arrays_are_their_scalars():
    counts, messages = np.array([1.0, 2, 8]), np.array([1e3, 1e6])
    wide = replace(H100, n_chips=counts, memory_frac=np.array([0.5, 0.7, 0.9])).column()
    grid = all_reduce_time_s(wide, messages) + memory_time_s(wide, messages)
    assert grid.shape == (3, 2)
    for row, (n, share) in enumerate(zip(counts, (0.5, 0.7, 0.9), strict=True)):
        alone = replace(H100, n_chips=n, memory_frac=share)
        for column, size in enumerate(messages):
            expected = all_reduce_time_s(alone, size) + memory_time_s(alone, size)
            assert grid[row, column] == pytest.approx(expected, rel=1e-12)
