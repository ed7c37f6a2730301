"""Pools and fleets: counting them, and scaling a plan to part of its demand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.fleet.pools import TimeShares, Units, counts
from tests.stand_ins import fleet, pool

UNITS = Units({"h100-sxm": 2}, spare_replicas=1)
SHARES = st.floats(0.01, 1)


class TestScaling:
    @given(SHARES)
    def test_work_is_neither_lost_nor_added(self, share):
        whole = pool(kv_bytes_per_s=1e9)
        parts = [whole.scaled(share, UNITS), whole.scaled(1 - share, UNITS)]
        for field in ("n_needed", "demand_frac", "kv_bytes_per_s"):
            total = sum(getattr(part, field) for part in parts)
            assert total == pytest.approx(getattr(whole, field), rel=1e-9)

    def test_all_of_a_plan_is_the_plan(self):
        assert pool().scaled(1.0, UNITS) == pool()
        assert fleet(pool()).scaled(1.0, UNITS) == fleet(pool())

    def test_none_of_a_plan_needs_no_chips(self):
        none = pool().scaled(0.0, UNITS)
        assert none.n_replicas == none.n_accelerators == 0

    def test_the_least_part_still_needs_a_replica_and_a_spare(self):
        assert pool().scaled(1e-6, UNITS).n_replicas == 2

    @given(SHARES)
    def test_replicas_stay_whole(self, share):
        part = pool().scaled(share, UNITS)
        assert part.n_replicas == int(part.n_replicas)
        assert part.n_accelerators == part.n_replicas * part.replica_chips

    def test_how_a_replica_works_does_not_change(self):
        part = pool().scaled(0.4, UNITS)
        assert (part.tp, part.batch, part.p99_ttft_s) == (2, 32.0, 1.0)

    def test_a_part_survives_the_failure_of_one_replica(self):
        # Four replicas carry the peak, a fifth is the spare; a quarter needs one and a spare.
        part = pool().scaled(0.25, UNITS)
        assert part.n_replicas - 1 >= part.n_needed

    def test_utilization_is_what_is_needed_over_what_is_there(self):
        part = pool().scaled(0.3, UNITS)
        assert part.utilization == pytest.approx(part.n_needed / part.n_replicas)


class TestCounting:
    def test_chips_by_type(self):
        pools = [pool(), pool(role="decode"), pool(accelerator="mi300x", n_accelerators=8)]
        assert counts(pools) == {"h100-sxm": 20, "mi300x": 8}

    def test_nothing_counts_nothing(self):
        assert counts([]) == {}

    def test_a_fleet_is_split_when_any_phase_has_a_pool_of_its_own(self):
        assert not fleet(pool()).split
        assert fleet(pool(), pool(role="prefill"), pool(role="decode")).split

    def test_prefill_takes_its_three_shares_of_time(self):
        shares = TimeShares(0.3, 0.1, 0.05, 0.05, 0.1, 0.3, 0.05, 0.05)
        assert shares.prefill_frac == pytest.approx(0.5)
        assert replace(shares, prefill_compute=0.0).prefill_frac == pytest.approx(0.2)
