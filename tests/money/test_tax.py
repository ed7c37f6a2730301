"""The bridge and the tax: the published clusters of SPAD by hand, then sums and carried steps."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.decision.plan import plan
from planner.demand.scenario import Scenario
from planner.money.tax import (
    LABELS,
    STEPS,
    Extras,
    bridge,
    carried,
    cheapest,
    gross_gap_frac,
    paper_tax_frac,
    tax_frac,
)
from tests.stand_ins import PROFILES

NOTHING = dict.fromkeys(STEPS, Extras(0.0, 0.0, 0.0))


def on_every_split(*extras):
    """What each split costs on top; one pool costs nothing."""
    return NOTHING | dict.fromkeys(STEPS[2:], Extras(*extras))


USD = st.floats(1, 1e9)
LADDERS = st.lists(USD, min_size=5, max_size=5)
FEASIBLE = st.lists(st.booleans(), min_size=5, max_size=5)


def ladder(*costs):
    return dict(zip(STEPS, costs, strict=True))


def all_serve(**but):
    return dict.fromkeys(STEPS, True) | {
        name.replace("_", "-"): value for name, value in but.items()
    }


# SPAD, table 4, machines of eight at the normal service level, in H100 machines: co-located
# (chunked prefill already on), the same chips split, SPAD chips. Coding, then conversation.
CODING = ladder(36.0, 36.0, 25.0, 25.0, 14.7)
CONVERSATION = ladder(34.0, 34.0, 23.0, 23.0, 18.7)


class TestPublishedClusters:
    @pytest.mark.parametrize(("costs", "percent"), [(CODING, 30.6), (CONVERSATION, 32.4)])
    def test_splitting_alone_saves_a_third(self, costs, percent):
        held = bridge(costs, all_serve(), NOTHING)
        assert 100 * held.frac("topology") == pytest.approx(percent, abs=0.05)

    @pytest.mark.parametrize(("costs", "percent"), [(CODING, 41.2), (CONVERSATION, 18.7)])
    def test_what_remains_after_software_is_the_tax(self, costs, percent):
        assert 100 * tax_frac(costs, all_serve()) == pytest.approx(percent, abs=0.05)

    @pytest.mark.parametrize(("costs", "percent"), [(CODING, 59.1), (CONVERSATION, 45.0)])
    def test_both_together_are_the_gross_gap(self, costs, percent):
        assert 100 * gross_gap_frac(costs, all_serve()) == pytest.approx(percent, abs=0.1)

    def test_a_power_cap_is_a_step_of_its_own_though_small(self):
        # 34 → 23 → 27 machines of which 21 capped: dearer, and shown as a loss.
        held = bridge(ladder(34.0, 34.0, 23.0, 27.0, 18.7), all_serve(), NOTHING)
        assert held.steps["capping"] == -4


class TestBridge:
    def test_by_hand(self):
        held = bridge(ladder(100.0, 80, 90, 85, 60), all_serve(), on_every_split(3.0, 4.0, 5.0))
        assert held.steps == {
            "software": 20,
            "topology": -10,
            "capping": 5,
            "silicon": 25,
            "fabric": -3,
            "orchestration": -4,
            "flexibility": -5,
        }
        assert held.net == 28
        assert held.frac("silicon") == 0.25

    def test_every_step_has_its_label(self):
        assert list(bridge(CODING, all_serve(), NOTHING).steps) == list(LABELS)

    def test_an_infeasible_step_is_nothing_and_the_next_starts_where_the_last_stood(self):
        broken = all_serve(split_same_chip=False, split_capped=False)
        held = bridge(ladder(100.0, 80, 40, 30, 60), broken, NOTHING)
        assert list(held.steps.values())[:4] == [20, 0, 0, 20]

    def test_an_option_that_has_no_cost_at_all_is_carried_too(self):
        costs = {"as-built": 100.0, "monolithic-software": 80.0}
        serves = dict.fromkeys(STEPS, False) | {"monolithic-software": True}
        assert carried(costs, serves) == [100, 80, 80, 80, 80]

    def test_a_split_that_does_not_serve_costs_nothing_and_the_one_that_does_its_own(self):
        costs, mine = ladder(100.0, 80, 40, 30, 60), on_every_split(3.0, 4.0, 5.0)
        one = mine | {"split-capped": Extras(1.0, 2.0, 0.5)}
        held = bridge(costs, all_serve(split_mixed=False), one)
        assert [held.steps[name] for name in ("fabric", "orchestration")] == [-1, -2]
        assert held.net == 100 - 30 - 3.5
        none = all_serve(split_same_chip=False, split_capped=False, split_mixed=False)
        assert bridge(costs, none, one).net == 20

    def test_as_built_is_the_base_even_where_it_does_not_serve(self):
        held = bridge(ladder(100.0, 80, 80, 80, 80), all_serve(as_built=False), NOTHING)
        assert held.base == 100
        assert held.steps["software"] == 20

    @given(LADDERS, FEASIBLE, st.tuples(USD, USD, USD))
    def test_p2_telescopes_to_the_ends_of_the_ladder(self, costs, serves, extras):
        gross, feasible = ladder(*costs), dict(zip(STEPS, serves, strict=True))
        held = bridge(gross, feasible, on_every_split(*extras))
        last = [costs[0], *(c for c, ok in zip(costs[1:], serves[1:], strict=True) if ok)][-1]
        split = any(feasible[name] for name in STEPS[2:])
        net = costs[0] - last - sum(extras) * split
        assert held.net == pytest.approx(net, rel=1e-9, abs=1e-9 * (sum(costs) + sum(extras)))

    @pytest.mark.parametrize("profile", PROFILES)
    def test_p2_of_a_plan_adds_up_to_the_last_options_whole_cost(self, profile):
        answer = plan(Scenario(profile=profile))
        held, money = answer.bridge, answer.money
        serves = {name: option.feasible for name, option in answer.fleets.items()}
        last = [name for name in STEPS if serves[name] or name == "as-built"][-1]
        on_top = money.extras[last].total
        net = money.cost_usd_per_year("as-built") - money.gross_usd_per_year(last) - on_top
        assert held.net == pytest.approx(net, rel=1e-9)

    def test_of_samples_is_the_bridge_of_each_sample(self):
        draws = np.random.default_rng(0).uniform(1, 100, (8, 50))
        together = bridge(
            ladder(*draws[:5]), all_serve(split_capped=False), on_every_split(*draws[5:])
        )
        for k in range(50):
            one = draws[:, k].tolist()
            alone = bridge(
                ladder(*one[:5]), all_serve(split_capped=False), on_every_split(*one[5:])
            )
            assert {name: step[k] for name, step in together.steps.items()} == alone.steps


class TestTax:
    def test_is_nothing_where_owned_chips_are_as_good(self):
        assert tax_frac(ladder(100.0, 60, 70, 65, 60), all_serve()) == 0

    def test_is_not_negative_for_a_dearer_mix_that_nobody_would_choose(self):
        assert tax_frac(ladder(100.0, 60, 70, 65, 80), all_serve()) == 0
        assert gross_gap_frac(ladder(100.0, 60, 70, 65, 80), all_serve()) == pytest.approx(0.2)

    def test_counts_from_the_best_of_the_owned_chips_not_from_as_built(self):
        assert tax_frac(ladder(100.0, 50, 70, 65, 40), all_serve()) == pytest.approx(0.2)

    def test_counts_from_the_capped_split_where_that_is_the_best_of_the_owned(self):
        assert tax_frac(ladder(100.0, 60, 70, 50, 40), all_serve()) == pytest.approx(0.2)

    def test_counts_from_as_built_where_nothing_on_owned_chips_serves(self):
        only_mixed = dict.fromkeys(STEPS, False) | {"split-mixed": True}
        assert tax_frac(ladder(100.0, 120, 130, 125, 90), only_mixed) == pytest.approx(0.1)

    def test_of_a_mix_that_does_not_serve_is_nothing(self):
        assert tax_frac(ladder(100.0, 50, 70, 65, 1), all_serve(split_mixed=False)) == 0

    def test_an_as_built_that_does_not_serve_is_no_rival(self):
        # The best that serves on owned chips costs 120, the best of all 90: a quarter.
        costs, serves = ladder(100.0, 120, 130, 125, 90), all_serve(as_built=False)
        assert tax_frac(costs, serves) == pytest.approx(0.25)

    @given(LADDERS)
    def test_lies_between_nothing_and_all(self, costs):
        assert 0 <= tax_frac(ladder(*costs), all_serve()) < 1

    @given(LADDERS, st.floats(1e-3, 1e3))
    def test_p3_knows_no_currency(self, costs, rate):
        there = tax_frac(ladder(*(rate * cost for cost in costs)), all_serve())
        assert there == pytest.approx(tax_frac(ladder(*costs), all_serve()), abs=1e-9)

    def test_against_paper_may_be_negative(self):
        costs = ladder(100.0, 60, 50, 55, 40)
        assert paper_tax_frac(costs, all_serve(), 40.0) == pytest.approx(0.2)
        assert paper_tax_frac(costs, all_serve(), 60.0) == pytest.approx(-0.2)

    def test_against_paper_counts_from_the_capped_split_where_that_is_the_best(self):
        costs = ladder(100.0, 60, 70, 50, 45)
        assert paper_tax_frac(costs, all_serve(), 40.0) == pytest.approx(0.2)

    def test_of_samples_takes_the_best_sample_by_sample(self):
        owned, mixed = np.array([100.0, 100]), np.array([80.0, 120])
        costs = ladder(owned, owned, owned, owned, mixed)
        assert tax_frac(costs, all_serve()).tolist() == pytest.approx([0.2, 0])
        assert cheapest([owned, mixed]).tolist() == [80, 100]


@given(LADDERS, FEASIBLE)
def test_a_carried_ladder_repeats_only_what_does_not_serve(costs, serves):
    along = carried(ladder(*costs), dict(zip(STEPS, serves, strict=True)))
    assert along[0] == costs[0]
    for (before, after), cost, ok in zip(pairwise(along), costs[1:], serves[1:], strict=True):
        assert after == (cost if ok else before)
