"""The running text: what is asked, when to look again, and where the verdict turns."""

from datetime import date

import pytest

from planner.decision.risk import Swing
from planner.export import notes
from planner.facts.ledger import Assumption
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


def swing(npv_low, npv_high, low=0.0, high=0.5):
    row = Assumption("growth_frac_per_year", 0.2, "frac/year", low, high, "estimate", "none")
    return Swing(row, npv_low, npv_high)


def test_npv_is_nil_where_the_line_between_the_ends_crosses_zero():
    assert notes.zero(swing(-1e6, 1e6)) == pytest.approx(0.25)
    assert notes.zero(swing(-1e6, 4e6)) == pytest.approx(0.1)
    assert notes.zero(swing(4e6, -1e6)) == pytest.approx(0.4)


@pytest.mark.parametrize("ends", [(1e6, 2e6), (-2e6, -1e6), (0.0, 1e6), (0.0, 0.0)])
def test_npv_that_keeps_its_sign_has_no_such_point(ends):
    assert notes.zero(swing(*ends)) is None


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
