"""The verdict flips where the tornado said, and the kill conditions say so in words."""

import json
from functools import cache

import numpy as np
import pytest

import planner
from planner import Scenario
from planner.decision.assumptions import scenario_numbers, with_number
from planner.decision.killing import kill_conditions
from planner.decision.risk_record import risk_record
from planner.decision.tornado import actions, alone, contender, npv_usd
from planner.decision.turning import turns
from tests.stand_ins import PROFILES

N = 64
CLOSE = {"profile": "hyperscaler", "finance": {"price_erosion_frac_per_year": 0.2}}
STARTS = [{"profile": name} for name in PROFILES]
DEAR = [{"profile": "hyperscaler", "operator": {"min_confidence": c}} for c in (0.85, 0.9)]
MORE = [{"profile": "sovereign", "demand_scale": 150}, {"profile": "neocloud", "demand_scale": 280}]


@cache
def made(fields):
    held = planner.plan(Scenario.read(json.loads(fields)), n_samples=N)
    return held, held.risk.turns


def answer(fields):
    return made(json.dumps(fields))


def check_flips(fields):
    """Entering a value on either side of a flip gives the plan's action, and the told one."""
    held, found = answer(fields)
    inputs = scenario_numbers(held.scenario)
    for turn in (each for each in found if each.action and each.resized):
        row = turn.assumption
        assert row.parameter in inputs
        assert row.low <= turn.verdict <= row.high
        entered = with_number(held.scenario, row.parameter, turn.verdict)
        assert planner.plan(entered, n_samples=N).verdict.action == turn.action
        inside = turn.verdict - (turn.verdict - row.value) / 8
        before = with_number(held.scenario, row.parameter, inside)
        assert planner.plan(before, n_samples=N).verdict.action == held.verdict.action
    return found


def test_the_verdict_flips_where_the_tornado_said():
    found = check_flips(CLOSE)
    assert sum(1 for turn in found if turn.action and turn.resized) >= 2


@pytest.mark.sweep
@pytest.mark.parametrize("fields", [*STARTS, *DEAR, *MORE], ids=json.dumps)
def test_the_verdict_flips_where_the_tornado_said_in_every_scenario(fields):
    check_flips(fields)


def test_at_the_margin_two_actions_are_worth_the_same():
    held, found = answer(CLOSE)
    option, acts = contender(held), actions(held)
    others = [name for name in acts if acts[name] != acts[option]]
    roots = [turn for turn in found if turn.margin is not None]
    assert roots
    for turn in roots:
        at = alone([turn.assumption], np.array(turn.margin), 0)
        npv = npv_usd(held, at, (option, *others))
        best = max(float(npv[name]) for name in others)
        assert float(npv[option]) == pytest.approx(best, abs=1e3)


def test_what_does_not_flip_says_so():
    for turn in answer(CLOSE)[1]:
        assert (turn.verdict is None) == (turn.action is None) == bool(turn.verdict_reason)
        assert (turn.margin is None) == bool(turn.margin_reason)


def test_any_assumption_may_be_asked_about():
    held = answer(CLOSE)[0]
    row = held.ledger.find("operator.engineers")
    (turn,) = turns(held, lambda *_: held, [row])
    assert turn.assumption is row
    reads = held.verdict.action
    assert turn.verdict_reason == f"The verdict reads {reads} at the low and the high end."


class TestKillConditions:
    def conditions(self):
        return kill_conditions(*answer(CLOSE))

    def test_there_are_three_to_five_the_likeliest_first(self):
        found = self.conditions()
        assert 3 <= len(found) <= 5
        chances = [each["chance_frac"] for each in found]
        assert chances == sorted(chances, reverse=True)
        assert all(0 <= chance <= 1 for chance in chances)

    def test_a_sentence_names_input_threshold_direction_and_verdict(self):
        for each in self.conditions():
            assert f" {each['direction']} " in each["sentence"]
            assert f"the verdict reads {each['action']}" in each["sentence"]
            assert each["parameter"] not in each["sentence"]

    def test_the_threshold_lies_on_the_side_it_names(self):
        held = answer(CLOSE)[0]
        for each in self.conditions():
            stated = held.ledger.find(each["parameter"]).value
            assert (each["threshold"] > stated) == (each["direction"] == "above")

    def test_the_document_carries_them(self):
        held = risk_record(answer(CLOSE)[0], [], slow=True)
        assert held["kill_conditions"] == self.conditions()
        assert any(bar["verdict_flip"]["action"] for bar in held["tornado"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("demand_scale", 7.0),
        ("finance.wacc_frac", 0.2),
        ("classes.code.cache_hit_frac", 0.4),
        ("owned.h100-sxm.resale_usd", 5e3),
    ],
)
def test_a_number_of_a_scenario_is_set_by_its_name(name, value):
    before = Scenario(profile="axiom")
    after = with_number(before, name, value)
    changed = {
        key
        for key, held in scenario_numbers(after).items()
        if held.value != scenario_numbers(before)[key].value
    }
    assert changed == {name}
    assert scenario_numbers(after)[name].value == value
