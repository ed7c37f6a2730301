"""Power of pools: servers by hand, the order of the four powers, caps that cost nothing."""

from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.decision.assumptions import ledger_of
from planner.demand.scenario import Scenario
from planner.facts.catalog import load_catalog
from planner.facts.ledger import Ledger
from planner.fleet.pools import ROLES, Activity
from planner.fleet.watts import (
    Watts,
    capped,
    fleet_watts,
    nameplate_w,
    overhead_w,
    pool_watts,
    provisioned_w,
)
from tests.stand_ins import PROFILES, fleet, pool, register, sized_profile

CATALOG = load_catalog()
LEDGER = ledger_of(Scenario(profile="axiom"), CATALOG)
BY_HAND = register(
    {
        "accelerators.h100-sxm.tdp_w": 700,
        "accelerators.h100-sxm.idle_w": 100,
        "accelerators.h100-sxm.server_w": 1200,
        "estimates.power.network_storage_w": 100,
        "estimates.power.overhead_draw_frac": 0.5,
        "accelerators.h100-sxm.memory_bytes_per_s": 3e12,
        "power.bend_order": 2.0,
        "calibration.memory_j_per_byte": 1e-10,
        "calibration.compute_weight": 1.5,
        "calibration.expert_order": 0.25,
        "estimates.power.cap_margin_frac": 0.05,
        "power.cap.decode_harmless_frac_of_tdp": 0.5,
    }
)
SHARES = st.floats(0, 1)


def watts(**changes):
    return pool_watts(pool(**{"peak_to_mean": 1.0} | changes), CATALOG, BY_HAND)


class TestNameplate:
    def test_a_dgx_h100_with_network_and_storage_is_10_93_kw(self):
        # 10.2 kW the server (Splitwise), 10.93 kW with what surrounds it (H200 cost model).
        assert 8 * nameplate_w("h100-sxm", CATALOG, LEDGER) == pytest.approx(10_930, abs=5)

    def test_an_nvl72_rack_is_126_kw_without_the_network_around_it(self):
        bare = nameplate_w("gb200-nvl72", CATALOG, LEDGER) - 91
        assert 72 * bare == pytest.approx(126e3, rel=1e-3)

    def test_where_no_server_is_published_it_is_the_usual_multiple_of_tdp(self):
        # MI300X: 750 W, of which 1.8 in a server, as DGX H100 and B200 have it.
        assert overhead_w("mi300x", CATALOG, LEDGER) == pytest.approx(0.8 * 750 + 91)


class TestByHand:
    """Ten chips: 100 W idle, 700 W TDP, 600 W around each, of which half is drawn.

    All of 3 TB/s at 0.1 nJ a byte is 300 W, half of the span between idle and TDP.
    """

    def test_nameplate(self):
        assert watts().nameplate_w == pytest.approx(10 * 1300)

    def test_peak_and_mean(self):
        # Peak: x = 1.5 × 0.3 + 0.5 × 0.5 = 0.7, so 0.7/√1.49 = 0.57346 of 600 W; mean: 0.425,
        # so 0.425/√1.180625 = 0.39114 of them.
        drawn = watts()
        assert drawn.peak_w == pytest.approx(10 * (100 + 344.08 + 300), rel=1e-5)
        assert drawn.mean_w == pytest.approx(10 * (100 + 234.68 + 300), rel=1e-5)

    def test_a_cap_lowers_what_is_provisioned_and_what_exceeds_it(self):
        drawn = watts(power_cap_frac=0.6)
        assert drawn.provisioned_w == pytest.approx(10 * (420 + 600))
        assert drawn.peak_w == pytest.approx(10 * (420 + 300))
        assert drawn.mean_w == watts().mean_w
        assert drawn.nameplate_w == watts().nameplate_w

    def test_the_same_work_on_the_four_replicas_that_are_needed(self):
        # Four of five, each a quarter busier: 0.875/√1.765625 and 0.53125/√1.282227 of 600 W.
        drawn = watts()
        assert drawn.lean_peak_w == pytest.approx(8 * (100 + 395.11 + 300), rel=1e-5)
        assert drawn.lean_mean_w == pytest.approx(8 * (100 + 281.49 + 300), rel=1e-5)

    def test_without_work_it_idles(self):
        idle = watts(peak=Activity(0, 0), mean=Activity(0, 0))
        assert idle.peak_w == idle.mean_w == pytest.approx(10 * (100 + 300))

    def test_an_empty_pool_draws_nothing(self):
        assert astuple(watts(n_accelerators=0, n_replicas=0, n_needed=0.0)) == (0,) * 6


class TestOrder:
    @pytest.mark.parametrize("profile", PROFILES)
    def test_nameplate_cap_peak_mean_fall_for_every_option(self, profile):
        held = sized_profile(profile)
        for option in held.watts.values():
            falling = [option.nameplate_w, option.provisioned_w, option.peak_w, option.mean_w]
            assert falling == sorted(falling, reverse=True)
            assert option.mean_w > 0
            assert option.lean_mean_w <= option.lean_peak_w

    @given(SHARES, SHARES, SHARES, SHARES, st.floats(0.5, 1))
    def test_a_busier_hour_never_draws_less(self, compute, memory, some, more, cap):
        busy = Activity(compute, memory)
        calm = Activity(compute * some, memory * more)
        drawn = watts(peak=busy, mean=calm, power_cap_frac=cap)
        assert drawn.mean_w <= drawn.peak_w * (1 + 1e-12)
        assert drawn.peak_w <= drawn.provisioned_w * (1 + 1e-12)


class TestCaps:
    @pytest.mark.parametrize("profile", PROFILES)
    def test_take_nothing_from_the_peak_of_any_option(self, profile):
        held = sized_profile(profile)
        for option in held.fleets.values():
            free = replace(
                option, pools=tuple(replace(p, power_cap_frac=1.0) for p in option.pools)
            )
            under = capped(free, held.catalog, held.ledger, ROLES)
            before = fleet_watts(free, held.catalog, held.ledger)
            after = fleet_watts(under, held.catalog, held.ledger)
            assert after.peak_w == pytest.approx(before.peak_w, rel=1e-12)
            assert after.provisioned_w <= before.provisioned_w

    def test_hold_decode_alone_unless_said_otherwise(self):
        both = fleet(pool(role="prefill"), pool(role="decode"))
        caps = [p.power_cap_frac for p in capped(both, CATALOG, BY_HAND).pools]
        assert caps[0] == 1
        assert caps[1] < 1

    def test_are_never_below_half_of_tdp(self):
        # Splitwise found 350 of 700 W harmless to decode and tested nothing lower.
        idle = fleet(pool(role="decode", in_decode=Activity(0, 0), peak=Activity(0, 0)))
        assert capped(idle, CATALOG, BY_HAND).pools[0].power_cap_frac == 0.5

    def test_leave_five_percent_of_margin(self):
        step = Activity(0.3, 0.5)
        held = capped(fleet(pool(role="decode", in_decode=step)), CATALOG, BY_HAND).pools[0]
        assert held.power_cap_frac == pytest.approx(1.05 * 444.08 / 700, rel=1e-5)


class TestPace:
    """Chips that only prefill work at one pace or rest; those that decode work slower."""

    def test_prefill_draws_in_proportion_to_its_busy_time(self):
        # At its pace 1.5 × 0.6 = 0.9: 100 + 0.9/√1.81 × 600 = 501.38; half of the time it rests.
        pace = Activity(0.6, 0.0)
        drawn = watts(role="prefill", in_prefill=pace, peak=Activity(0.3, 0.0))
        assert drawn.peak_w == pytest.approx(10 * ((501.38 + 100) / 2 + 300), rel=1e-5)

    def test_its_cap_binds_while_it_is_busy(self):
        pace, half = Activity(0.6, 0.0), Activity(0.3, 0.0)
        drawn = watts(role="prefill", in_prefill=pace, peak=half, power_cap_frac=0.6)
        assert drawn.peak_w == pytest.approx(10 * ((420 + 100) / 2 + 300))


class TestSums:
    def test_a_fleet_is_its_pools(self):
        one, other = pool(), pool(accelerator="b200-sxm", n_replicas=16, tp=1)
        together = astuple(fleet_watts(fleet(one, other), CATALOG, LEDGER))
        apart = (astuple(pool_watts(p, CATALOG, LEDGER)) for p in (one, other))
        assert together == pytest.approx(
            [sum(pair) for pair in zip(*apart, strict=True)], rel=1e-12
        )

    @pytest.mark.parametrize("profile", PROFILES)
    def test_what_is_held_needs_no_draw(self, profile):
        held = sized_profile(profile)
        for option in held.fleets.values():
            whole = fleet_watts(option, held.catalog, held.ledger).provisioned_w
            assert provisioned_w(option, held.catalog, held.ledger) == pytest.approx(whole)

    def test_no_pools_draw_nothing(self):
        assert astuple(fleet_watts(fleet(), CATALOG, LEDGER)) == (0,) * 6

    def test_twice_the_pool_draws_twice(self):
        double = watts(n_accelerators=20, n_replicas=10, n_needed=8.0)
        assert astuple(double) == pytest.approx([2 * w for w in astuple(watts())], rel=1e-12)

    def test_a_pue_multiplies_everything(self):
        assert astuple(Watts(1, 2, 3, 4, 5, 6).times(1.5)) == (1.5, 3, 4.5, 6, 7.5, 9)


@settings(max_examples=5)
@given(st.integers(0, 2**31))
def test_samples_together_are_samples_one_by_one(seed):
    pool_watts(pool(), CATALOG, LEDGER)
    drawn = LEDGER.sampled(8, seed)
    together = astuple(pool_watts(pool(), CATALOG, drawn))
    for k in range(8):
        one = Ledger(LEDGER.find, {name: drawn[name][k] for name in LEDGER.used if spread(name)})
        alone = astuple(pool_watts(pool(), CATALOG, one))
        assert alone == pytest.approx([np.broadcast_to(w, 8)[k] for w in together], rel=1e-12)


def spread(name):
    row = LEDGER.used[name]
    return row.low < row.high
