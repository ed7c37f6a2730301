"""The running text: what is asked, when to look again, and where the verdict turns."""

from datetime import date

import pytest

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


def conditions(*kept):
    document = {"verdict": {"action": "stay", "flips": []}, "risk": {"kill_conditions": kept}}
    return list(notes._conditions(planned("enterprise"), document))


def test_the_likeliest_kill_conditions_are_said():
    growth = {"name": "Growth", "direction": "above", "threshold": 0.26, "unit": "frac/year"}
    price = {"name": "Price", "direction": "below", "threshold": 0.2, "unit": "USD/Mtok"}
    said = conditions(growth | {"action": "split"}, price | {"action": "software"}, {})
    assert said[-2:] == [
        "Split if growth is above 26% a year.",
        "Software if price is below $0.20/Mtok.",
    ]


def test_where_no_assumption_turns_it_that_is_said():
    assert conditions()[-1] == "No single assumption turns it within its range."


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
