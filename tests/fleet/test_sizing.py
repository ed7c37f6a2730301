"""Sizing by hand: loads that meet the service levels, one spare, whole servers, the least cost."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import lognorm

from planner.facts.catalog import load_catalog
from planner.fleet.sizing import (
    LOADS,
    Buying,
    Table,
    choose,
    lognormal_quantile,
    pooled_wait_frac,
    prefill_table,
    server_chips,
)
from tests.stand_ins import demand

CHIPS = load_catalog().accelerators
BUYING = Buying({"h100-sxm": 3.0, "mi300x": 2.0, "l40s": 1.0}, server_chips=8, spare_replicas=1)
PEAK_PER_S = 6.0


def candidates(*rows):
    """Configurations: a chip and how many of it hold one copy of the model."""
    return SimpleNamespace(
        chips=tuple(CHIPS[chip] for chip, _ in rows), n_chips=np.array([n for _, n in rows])
    )


def table(*slacks, per_s=1.0):
    """Loads of 1/4, 1/2 and 3/4 of a replica that saturates at `per_s`; seconds are the slack."""
    slack, load = np.array(slacks, float), np.array([0.25, 0.5, 0.75])
    shape = slack.shape
    saturation = np.broadcast_to(np.asarray(per_s, float), shape[:1])
    return Table(
        n_replicas=PEAK_PER_S / (load * saturation[:, None]),
        load=np.broadcast_to(load, shape),
        slack=slack,
        ttft_s=slack,
        tpot_s=slack / 10,
        batch=load * 40 * np.ones(shape),
        saturation_per_s=saturation,
    )


def pick(held, rows, allowed=("h100-sxm", "mi300x", "l40s"), buying=BUYING, **how):
    return choose(held, candidates(*rows), PEAK_PER_S, buying, allowed=set(allowed), **how)


class TestReplicas:
    def test_stand_where_the_service_level_is_just_met_with_one_to_spare(self):
        # The limit is crossed half way from load 1/2 (12 replicas) to 3/4 (8): 10, and 1 spare.
        # Two chips each and eight to a server: 24 chips, so 12 replicas at load 1/2.
        chosen = pick(table([0.5, 0.75, 1.25]), [("h100-sxm", 2)])
        assert (chosen.n_replicas, chosen.n_accelerators) == (12, 24)
        assert chosen.load == pytest.approx(0.5)
        assert (chosen.ttft_s, chosen.tpot_s, chosen.batch) == pytest.approx((0.75, 0.075, 20))

    def test_needed_are_those_that_carry_the_peak_at_full_use(self):
        assert pick(table([0.5, 0.75, 1.25]), [("h100-sxm", 2)]).n_needed == 6

    def test_beyond_a_load_that_cannot_be_served_nothing_is_read(self):
        chosen = pick(table([0.5, 0.75, np.inf]), [("h100-sxm", 8)])
        assert chosen.n_replicas == 13

    def test_never_more_than_the_grid_can_tell(self):
        # Every load of the grid is fine: 8 replicas at the highest, and the spare.
        assert pick(table([0.1, 0.2, 0.3]), [("h100-sxm", 8)]).n_replicas == 9

    def test_losing_one_leaves_enough_at_the_service_level(self):
        chosen = pick(table([0.5, 0.75, 1.25]), [("h100-sxm", 8)])
        assert PEAK_PER_S / (chosen.n_replicas - 1) <= 0.625 + 1e-12

    def test_no_spare_where_none_is_asked(self):
        none = replace(BUYING, spare_replicas=0)
        assert pick(table([0.5, 0.75, 1.25]), [("h100-sxm", 8)], buying=none).n_replicas == 10

    def test_imperfect_routing_takes_more(self):
        # Nine tenths of ideal throughput: 10 / 0.9 is 11.1, so 12 and the spare.
        chosen = pick(table([0.5, 0.75, 1.25]), [("h100-sxm", 8)], matching_frac=0.9)
        assert chosen.n_replicas == 13
        assert chosen.n_needed == pytest.approx(6 / 0.9)
        assert chosen.load == pytest.approx(6 / 13 / 0.9)

    def test_half_of_the_demand_takes_half_of_the_replicas_and_a_whole_spare(self):
        chosen = pick(table([0.5, 0.75, 1.25]), [("h100-sxm", 8)], share=0.5)
        assert (chosen.n_replicas, chosen.n_needed) == (6, 3)


class TestServers:
    @pytest.mark.parametrize(
        ("chip", "together"),
        [("h100-sxm", 8), ("h100-pcie", 2), ("l40s", 1), ("gb200-nvl72", 72), ("trainium2", 8)],
    )
    def test_chips_come_as_they_are_sold(self, chip, together):
        # An NVL72 is sold as a rack; a domain larger than a server is bought by the server.
        assert server_chips(CHIPS[chip], 8) == together

    @given(st.integers(1, 32), st.floats(0.3, 0.9))
    def test_a_pool_is_whole_servers_and_whole_replicas(self, n_chips, slack):
        n_chips = 2 ** int(np.log2(n_chips))
        chosen = pick(table([slack / 2, slack, 1.2]), [("h100-sxm", n_chips)])
        assert chosen.n_accelerators % 8 == 0
        assert chosen.n_replicas == chosen.n_accelerators // n_chips


class TestChoice:
    FINE = (0.5, 0.75, 1.25)
    LATE = (1.5, 1.75, 2.25)

    def test_the_cheapest_chip_wins(self):
        chosen = pick(table(self.FINE, self.FINE), [("h100-sxm", 8), ("mi300x", 8)])
        assert chosen.row == 1

    def test_a_dearer_chip_wins_when_it_carries_twice_as_much(self):
        held = table(self.FINE, self.FINE, per_s=[2.0, 1.0])
        assert pick(held, [("h100-sxm", 8), ("mi300x", 8)]).row == 0

    def test_only_allowed_chips_are_considered(self):
        rows = [("h100-sxm", 8), ("mi300x", 8)]
        assert pick(table(self.FINE, self.FINE), rows, allowed=["h100-sxm"]).row == 0

    def test_none_allowed_is_no_choice(self):
        assert pick(table(self.FINE), [("h100-sxm", 8)], allowed=["b200-sxm"]) is None

    def test_the_cheap_that_is_late_loses_to_the_dear_that_is_in_time(self):
        chosen = pick(table(self.FINE, self.LATE), [("h100-sxm", 8), ("mi300x", 8)])
        assert (chosen.row, chosen.slack <= 1) == (0, True)

    def test_where_all_are_late_the_closest_is_shown_with_what_it_reaches(self):
        worse = (2.5, 3.5, 4.5)
        chosen = pick(table(worse, self.LATE), [("mi300x", 8), ("h100-sxm", 8)])
        assert chosen.row == 1
        assert chosen.slack > 1
        assert chosen.ttft_s == pytest.approx(1.5, rel=0.05)

    def test_a_tie_goes_to_fewer_chips(self):
        same_price = replace(BUYING, usd_per_chip_year={"h100-sxm": 2.0, "mi300x": 1.0})
        none = replace(same_price, spare_replicas=0)
        held = table([0.5, 0.75, 1.0], [0.5, 0.75, 1.0], per_s=[1.0, 2.0])
        rows = [("mi300x", 8), ("h100-sxm", 8)]
        assert pick(held, rows, buying=none).row == 1

    @given(st.lists(st.floats(0.2, 2), min_size=3, max_size=3), st.floats(1, 3))
    def test_a_tighter_service_level_never_takes_fewer_chips(self, slack, tighter):
        loose = np.maximum.accumulate(slack)
        before = pick(table(loose), [("h100-sxm", 4)])
        after = pick(table(loose * tighter), [("h100-sxm", 4)])
        if after.slack <= 1:
            assert after.n_accelerators >= before.n_accelerators


class TestLengths:
    def test_constant_lengths_have_no_tail(self):
        assert lognormal_quantile(0.0, 0.99) == 1

    def test_the_median_of_scv_one_is_one_over_root_two(self):
        assert lognormal_quantile(1.0, 0.5) == pytest.approx(2**-0.5)

    def test_scv_three_has_a_p99_of_7_74(self):
        # σ² = ln 4, σ = 1.17741; exp(2.32635·1.17741 − 0.693147) = 7.737.
        assert lognormal_quantile(3.0, 0.99) == pytest.approx(7.737, abs=2e-3)

    @given(st.floats(0.01, 20), st.floats(0.01, 0.99))
    def test_agrees_with_scipy_on_a_law_of_mean_one(self, scv, level):
        law = lognorm(s=np.sqrt(np.log1p(scv)))
        assert law.std() ** 2 / law.mean() ** 2 == pytest.approx(scv, rel=1e-6)
        expected = law.ppf(level) / law.mean()
        assert lognormal_quantile(scv, level) == pytest.approx(expected, rel=1e-9)


def prompts(service_s, per_s, share=1.0, **changes):
    """A prefill table of one configuration: rows of (replicas, p99 of the first token)."""
    curves = SimpleNamespace(prefill_s=np.array([service_s]), load_s=np.zeros(1))
    asked = demand(**{"input_scv": 0.0, "arrival_scv": 1.0, "p99_ttft_s": 10.0} | changes)
    return prefill_table(curves, asked, per_s, np.zeros(1), 0.99, share)


def crommelin(wait_s, utilization):
    """P(W ≤ t) of M/D/1 with a service of one second (Crommelin 1932)."""
    terms = ((utilization * (wait_s - k), k) for k in range(int(wait_s) + 1))
    return (1 - utilization) * sum((-x) ** k / math.factorial(k) * math.exp(x) for x, k in terms)


class TestPrefillPool:
    def test_one_server_half_busy_with_constant_prompts(self):
        # M/D/1 at ρ = 1/2, D = 1 s. Crommelin's exact law has its p99 wait at 3.336 s.
        held = prompts(1.0, 0.5)
        alone = held.ttft_s[0, held.n_replicas[0] == 1]
        assert crommelin(3.336, 0.5) == pytest.approx(0.99, abs=1e-4)
        assert alone == pytest.approx(1 + 3.336, rel=0.15)

    def test_a_pool_of_many_waits_for_nothing_but_its_own_prompt(self):
        assert prompts(1.0, 0.5).ttft_s[0, 0] == pytest.approx(1)

    def test_the_longest_prompts_are_late_even_in_an_empty_pool(self):
        held = prompts(1.0, 0.5, input_scv=1.0)
        assert held.ttft_s[0, 0] == pytest.approx(lognormal_quantile(1.0, 0.99))

    def test_servers_are_whole_and_suffice(self):
        held = prompts(1.0, 37.0)
        assert np.all(held.n_replicas == np.round(held.n_replicas))
        assert np.all(held.n_replicas >= 37)

    def test_slack_is_the_share_of_the_limit_that_is_used(self):
        held = prompts(1.0, 0.5, p99_ttft_s=2.0)
        assert held.slack[0, 0] == pytest.approx(0.5)

    def test_of_which_a_part_is_left_to_decode(self):
        held = prompts(1.0, 0.5, share=0.8, p99_ttft_s=2.0)
        assert held.slack[0, 0] == pytest.approx(0.625)

    @given(st.floats(0.1, 200), st.floats(0.01, 5), st.floats(0, 30))
    def test_a_busier_pool_never_answers_sooner(self, per_s, service_s, arrival_scv):
        held = prompts(service_s, per_s, arrival_scv=arrival_scv)
        assert np.all(np.diff(held.ttft_s[0]) >= -1e-9 * held.ttft_s[0, 1:])

    def test_loads_run_from_little_to_nearly_full(self):
        assert 0 < LOADS[0] < 0.05
        assert 0.95 < LOADS[-1] < 1


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
