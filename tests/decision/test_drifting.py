"""Other ratios: the regret of a committed split, the heat map, and the sweep over power."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import Scenario, ScenarioError
from planner.decision.heat import heat_map, levels
from planner.decision.plan import judged
from planner.decision.regret import regret, scaled, served_frac, topped_up
from planner.decision.sweep import sweep
from planner.demand.workload import ratio
from planner.fleet.pools import Units, counts
from tests.stand_ins import fleet, pool, sized_profile

UNITS = Units({"h100-sxm": 8, "mi300x": 8}, 1)
READS = replace(pool().shares, prefill_compute=0.6, prefill_memory=0.2, decode_compute=0.0)
READS = replace(READS, prefill_link=0.1, prefill_overhead=0.1, decode_memory=0.0)
READS = replace(READS, decode_link=0.0, decode_overhead=0.0)
WRITES = replace(READS, prefill_compute=0.0, prefill_memory=0.0, prefill_link=0.0)
WRITES = replace(WRITES, prefill_overhead=0.0, decode_memory=1.0)
SMALL = {"n_replicas": 8, "n_accelerators": 16}
SAME = fleet(
    pool(role="prefill", shares=READS, **SMALL), pool(role="decode", shares=WRITES, **SMALL)
)
UNLIKE = fleet(
    pool(role="prefill", shares=READS, **SMALL),
    pool(role="decode", shares=WRITES, accelerator="mi300x", **SMALL),
)


@cache
def answer(profile="hyperscaler"):
    return judged(sized_profile(profile))


class TestPoolsByHand:
    """Eight replicas of two chips in each pool, one of them spare, in servers of eight chips."""

    def test_at_the_planned_lengths_nothing_changes(self):
        assert counts(scaled(UNLIKE, 1.0, 1.0, UNITS).pools) == counts(UNLIKE.pools)

    def test_twice_the_answers_need_twice_the_decode_replicas(self):
        """7 running · 2 + 1 spare = 15 replicas, 30 chips, 4 servers; prefill 3.5, so 2 servers."""
        assert counts(scaled(UNLIKE, 0.5, 2.0, UNITS).pools) == {"h100-sxm": 16, "mi300x": 32}

    def test_unlike_chips_serve_what_the_tighter_pool_can(self):
        needed = scaled(UNLIKE, 1.0, 2.0, UNITS)
        assert served_frac(UNLIKE, needed) == pytest.approx(16 / 32)

    def test_like_chips_change_roles(self):
        """16 + 32 of 32 chips: two thirds, where unlike chips serve half."""
        needed = scaled(SAME, 1.0, 2.0, UNITS)
        assert served_frac(SAME, needed) == pytest.approx(32 / 48)

    def test_topped_up_there_is_all_that_is_needed_and_all_that_was_committed(self):
        needed = scaled(UNLIKE, 0.2, 2.0, UNITS)
        held = counts(topped_up(UNLIKE, needed).pools)
        assert held == {"h100-sxm": 16, "mi300x": 32}

    def test_idle_chips_do_no_more_work(self):
        needed = scaled(UNLIKE, 0.2, 1.0, UNITS)
        before, after = (held.pools[0] for held in (needed, topped_up(UNLIKE, needed)))
        for name in ("compute_util_frac", "memory_util_frac"):
            work = [getattr(p.mean, name) * p.n_accelerators for p in (before, after)]
            assert work[0] == pytest.approx(work[1])


@given(st.floats(0.05, 20), st.floats(0.05, 20))
def test_a_committed_fleet_serves_a_share_and_topped_up_all(prompts, answers):
    for committed in (SAME, UNLIKE):
        needed = scaled(committed, prompts, answers, UNITS)
        assert 0 < served_frac(committed, needed) <= 1
        held = counts(topped_up(committed, needed).pools)
        for chip, n in counts(needed.pools).items():
            assert held[chip] == max(n, counts(committed.pools)[chip])


class TestRegret:
    def test_at_the_planned_ratio_there_is_none(self):
        plan = answer()
        planned = ratio(plan.scenario, plan.scenario.planning_month)
        (held,) = regret(plan, [planned])
        assert held["regret_usd_per_year"] == pytest.approx(0, abs=1)
        assert (held["served_frac"], held["lost_usd_per_year"]) == (1, 0)

    def test_it_is_never_negative_and_grows_with_the_drift(self):
        plan = answer()
        planned = ratio(plan.scenario, plan.scenario.planning_month)
        held = regret(plan, [planned * factor for factor in (1, 2, 4)])
        lost = [each["regret_usd_per_year"] for each in held]
        assert lost == sorted(lost)
        assert min(lost) >= 0
        served = [each["served_frac"] for each in held]
        assert served == sorted(served, reverse=True)

    def test_the_parts_add_up(self):
        for held in regret(answer(), [0.1, 0.6]):
            total = held["committed_usd_per_year"] - held["resized_usd_per_year"]
            assert held["regret_usd_per_year"] == pytest.approx(total)

    def test_without_a_split_there_is_nothing_to_regret(self):
        slow = planner.plan(Scenario.read({"fabric": {"gbit_per_s_per_node": 1}}))
        assert regret(slow) == []

    def test_a_ratio_that_no_model_holds_says_why(self):
        short = {"name": "chat", "model": "bloom-176b", "input_tokens": 500, "output_tokens": 100}
        deep = {"name": "documents", "input_tokens": 10_000, "output_tokens": 50}
        plan = planner.plan(Scenario.read({"classes": [short, deep], "ratio_in_18_months": None}))
        (held,) = regret(plan, [1.0], "split-mixed")
        assert held["regret_usd_per_year"] is None
        assert "tokens" in held["reason"]


class TestHeatMap:
    RATIOS = (0.05, 0.5)

    @staticmethod
    @cache
    def cells():
        return heat_map(answer("axiom"), TestHeatMap.RATIOS)

    def test_there_is_a_cell_for_every_ratio_and_level(self):
        n = len(list(levels(answer("axiom"))))
        assert [(c["ratio"], c["level"]) for c in self.cells()] == [
            (each, level) for level in range(n) for each in self.RATIOS
        ]

    def test_the_last_level_is_the_plan_itself(self):
        held = Scenario.read({"profile": "axiom", "decode_to_prefill_token_ratio": 0.5})
        whole = planner.plan(held).as_dict(flips=False)
        last = self.cells()[-1]
        assert last["tax_frac"] == pytest.approx(whole["headline"]["tax_frac"]["p50"])
        assert last["option_id"] == whole["verdict"]["option_id"]

    def test_the_first_level_switches_nothing_on(self):
        first, *_, last = levels(answer("axiom"))
        scenario = answer("axiom").scenario
        assert first == ("", scenario.software)
        assert last[1] == scenario.available_software

    def test_software_takes_its_part_of_the_gap(self):
        by_level = {c["level"]: c["tax_frac"] for c in self.cells() if c["ratio"] == 0.5}
        assert by_level[max(by_level)] < by_level[0]


class TestSweep:
    POWERS = (5.0, 12.0, 40.0)

    @staticmethod
    @cache
    def held():
        return sweep(answer(), np.geomspace(0.05, 0.8, 33), TestSweep.POWERS)

    def test_it_has_the_shape_that_was_asked_for(self):
        for npv in self.held().npv_usd.values():
            assert npv.shape == (33, 3)
        assert self.held().best.shape == (33, 3)

    @pytest.mark.parametrize("place", [0, 16, 32])
    @pytest.mark.parametrize("power", range(3))
    def test_where_fleets_are_sized_money_is_that_of_the_plan(self, place, power):
        """Nine nodes over 33 ratios: every fourth is one."""
        held = self.held()
        scenario = answer().scenario.model_copy(
            update={
                "decode_to_prefill_token_ratio": float(held.ratios[place]),
                "power_budget_mw": self.POWERS[power],
            }
        )
        money = planner.plan(scenario).money
        for name, npv in held.npv_usd.items():
            if not np.isnan(npv[place, power]):
                assert npv[place, power] == pytest.approx(float(money.npv_usd[name]), rel=1e-9)

    @pytest.mark.parametrize("place", [2, 14, 30])
    def test_between_them_it_is_near(self, place):
        """Halfway between two sized ratios, within 5 % of the largest NPV of the sweep."""
        held = self.held()
        at = float(held.ratios[place])
        scenario = answer().scenario.model_copy(
            update={"decode_to_prefill_token_ratio": at, "power_budget_mw": 40.0}
        )
        money = planner.plan(scenario).money
        largest = max(np.nanmax(np.abs(npv)) for npv in held.npv_usd.values())
        for name, npv in held.npv_usd.items():
            assert abs(npv[place, 2] - float(money.npv_usd[name])) <= 0.05 * largest

    def test_best_is_as_built_where_nothing_gains(self):
        held = sweep(answer("enterprise"), [0.1, 0.2], [1.0])
        assert set(held.best.flat) == {"as-built"}

    def test_one_ratio_and_one_ceiling_will_do(self):
        held = sweep(answer("enterprise"), [0.2], [1.0])
        assert held.best.shape == (1, 1)

    @pytest.mark.parametrize("wrong", [([0.0, 1.0], [5.0]), ([1.0], [-1.0])])
    def test_nothing_or_less_is_refused(self, wrong):
        with pytest.raises(ScenarioError, match="above 0"):
            sweep(answer(), *wrong)
