"""The running text: what is asked, when to look again, and where the verdict turns."""

from datetime import date

import pytest

import planner
from planner import Scenario
from planner.export import notes
from tests.export.printing import planned


@pytest.mark.parametrize(
    ("day", "later"),
    [
        (date(2026, 11, 23), date(2027, 2, 23)),
        (date(2026, 11, 30), date(2027, 2, 28)),
        (date(2027, 11, 30), date(2028, 2, 29)),
        (date(2026, 9, 30), date(2026, 12, 30)),
        (date(2026, 10, 1), date(2027, 1, 1)),
    ],
)
def test_a_quarter_on_is_the_same_day_where_the_month_has_it(day, later):
    assert notes.quarter_later(day) == later


def conditions(fields):
    plan = planner.plan(Scenario.read(fields), n_samples=64)
    document = plan.as_dict()
    return document["risk"]["kill_conditions"], list(notes._conditions(plan, document))


def test_the_likeliest_kill_conditions_are_said():
    kept, said = conditions(
        {"profile": "hyperscaler", "finance": {"price_erosion_frac_per_year": 0.2}}
    )
    assert len(kept) >= 2
    for each in kept[:2]:
        assert any(each["name"] in line and f" {each['direction']} " in line for line in said)


def test_where_no_assumption_turns_it_that_is_said():
    kept, said = conditions({"profile": "enterprise"})
    assert kept == []
    assert said[-1] == "No single assumption turns it within its range."


def test_the_ask_names_what_is_signed():
    review = date(2027, 2, 23)
    assert (
        notes.ask(planned("enterprise"), review) == "Approve no change; decide again on 2027-02-23."
    )
    assert notes.ask(planned("hyperscaler"), review).endswith(" and a 4-quarter build.")


def test_names_that_fit_are_not_said_to_be_cut():
    names = {"scenario": "Axiom\u202e Cloud", "author": ""}
    assert notes.cut(names, {"scenario": "Axiom Cloud", "author": ""}) == ""
    said = notes.cut({"author": "x" * 99}, {"author": "xx…"})
    assert said == "Cut at … for want of room: author of 99 characters."
