"""The proposed fleet: the cheapest option, or the blend with the asked power in split pools."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.decision.plan import plan
from planner.demand.scenario import Scenario
from planner.fleet.mix import demand_share, proposed
from planner.fleet.pools import Units
from planner.fleet.watts import pool_watts
from tests.stand_ins import fleet, pool

WHOLE = fleet(pool(n_accelerators=200, n_replicas=100, n_needed=90.0), name="whole")
SPLIT = fleet(
    pool(role="prefill", n_accelerators=120, n_replicas=60, n_needed=55.0),
    pool(role="decode", n_accelerators=80, n_replicas=40, n_needed=35.0),
    name="split",
)
FLEETS = {"whole": WHOLE, "split": SPLIT}
UNITS = Units({"h100-sxm": 8}, spare_replicas=1)
POWER = {"whole": 3e6, "split": 1e6}
W = st.floats(1e3, 1e9)
FRACTIONS = st.floats(0, 1)


class TestDemandShare:
    def test_half_the_power_where_the_split_needs_a_third_takes_three_quarters_of_demand(self):
        # 3/4 of 1 MW in split pools beside 1/4 of 3 MW in one pool: 0.75 MW each.
        assert demand_share(0.5, 1e6, 3e6) == pytest.approx(0.75)

    def test_equal_needs_share_demand_as_they_share_power(self):
        assert demand_share(0.3, 2e6, 2e6) == pytest.approx(0.3)

    def test_nothing_and_everything(self):
        assert demand_share(0.0, 1e6, 3e6) == 0
        assert demand_share(1.0, 1e6, 3e6) == 1

    @given(FRACTIONS, W, W)
    def test_the_split_then_holds_the_asked_share_of_power(self, asked, split_w, whole_w):
        share = demand_share(asked, split_w, whole_w)
        split, whole = share * split_w, (1 - share) * whole_w
        assert split == pytest.approx(asked * (split + whole), rel=1e-6, abs=1e-9 * whole_w)

    @given(FRACTIONS, FRACTIONS, W, W)
    def test_more_power_takes_more_demand(self, one, other, split_w, whole_w):
        less, more = sorted((one, other))
        assert demand_share(less, split_w, whole_w) <= demand_share(more, split_w, whole_w) + 1e-12


class TestUnforced:
    def test_the_cheapest_is_proposed(self):
        chosen = proposed(FLEETS, {"whole": 2.0, "split": 1.0}, POWER, None, UNITS)
        assert chosen.pools == SPLIT.pools
        assert (chosen.id, chosen.label) == ("proposed", "Proposed plan")

    def test_the_cheapest_that_does_not_serve_is_not(self):
        broken = FLEETS | {"split": fleet(*SPLIT.pools, feasible=False, reason="Too slow.")}
        assert (
            proposed(broken, {"whole": 2.0, "split": 1.0}, POWER, None, UNITS).pools == WHOLE.pools
        )

    def test_where_nothing_serves_the_cheapest_says_why(self):
        broken = {k: fleet(*f.pools, feasible=False, reason="Too slow.") for k, f in FLEETS.items()}
        chosen = proposed(broken, {"whole": 2.0, "split": 1.0}, POWER, None, UNITS)
        assert (chosen.feasible, chosen.reason) == (False, "Too slow.")


class TestForced:
    def blend(self, asked, fleets=FLEETS):
        return proposed(fleets, {"whole": 2.0, "split": 1.0}, POWER, asked, UNITS)

    def test_nothing_in_split_pools_is_the_monolithic_plan(self):
        assert self.blend(0.0).pools == WHOLE.pools

    def test_everything_in_split_pools_is_the_split_plan(self):
        assert self.blend(1.0).pools == SPLIT.pools

    def test_half_stands_side_by_side(self):
        roles = {pool.role: pool.demand_frac for pool in self.blend(0.5).pools}
        assert roles == {"monolithic": 0.25, "prefill": 0.75, "decode": 0.75}

    @given(FRACTIONS)
    def test_all_demand_is_served_once(self, asked):
        pools = self.blend(asked).pools
        for phase in ("prefill", "decode"):
            served = sum(p.demand_frac for p in pools if p.role in ("monolithic", phase))
            assert served == pytest.approx(1, rel=1e-9)

    def test_the_best_of_each_kind_is_blended(self):
        fleets = FLEETS | {"dear": fleet(pool(n_replicas=7), name="dear")}
        cost = {"whole": 2.0, "split": 1.0, "dear": 3.0}
        chosen = proposed(fleets, cost, POWER | {"dear": 1.0}, 0.5, UNITS)
        # A quarter of 99 running replicas is 25, and a spare; 26 of two chips fill seven servers.
        assert {p.n_replicas for p in chosen.pools} == {28, 48, 32}

    @pytest.mark.parametrize(("kind", "held"), [("split", "whole"), ("monolithic", "split")])
    def test_without_one_kind_the_other_stands_alone_and_says_so(self, kind, held):
        chosen = proposed({held: FLEETS[held]}, {held: 1.0}, POWER, 0.5, UNITS)
        assert chosen.pools == FLEETS[held].pools
        said = f"No {kind} option is feasible, so the forced mix cannot be formed."
        assert chosen.caveats == (said,)

    @pytest.mark.parametrize("asked", [0.25, 0.5, 0.75])
    def test_a_large_fleet_holds_the_asked_share_of_provisioned_power(self, asked):
        answer = plan(Scenario(profile="axiom", fleet_mix=asked))
        power = [
            (p.role != "monolithic", pool_watts(p, answer.catalog, answer.ledger).provisioned_w)
            for p in answer.fleets["proposed"].pools
        ]
        split = sum(w for is_split, w in power if is_split)
        assert split / sum(w for _, w in power) == pytest.approx(asked, abs=0.01)

    def test_a_blend_still_comes_in_whole_servers(self):
        # The smallest fleet: servers of eight H100s, of which a part buys two chips.
        answer = plan(Scenario(profile="enterprise", fleet_mix=0.75))
        pools = answer.fleets["proposed"].pools
        assert all(p.n_accelerators % 8 == 0 for p in pools if p.accelerator == "h100-sxm")
