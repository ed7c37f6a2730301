"""What user text may do to a page: nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.export.printable import advances, literal, printable, width

ROOM = 20


@given(st.text())
def test_any_text_becomes_one_line_of_letters_that_the_font_has(raw):
    shown = literal(raw)
    assert set(map(ord, shown)) <= advances().keys()
    assert shown == " ".join(shown.split())


@given(st.text())
def test_making_text_literal_twice_changes_nothing(raw):
    assert literal(literal(raw)) == literal(raw)


@given(st.text(min_size=1, max_size=400))
def test_a_cut_text_fits_its_room_and_begins_as_it_did(raw):
    shown = printable(raw, ROOM)
    assert width(shown) <= width("n" * ROOM)
    assert literal(raw).startswith(shown.removesuffix("…"))


def test_what_fits_is_left_alone():
    assert printable("Axiom Cloud", ROOM) == "Axiom Cloud"
    assert printable("n" * ROOM, ROOM) == "n" * ROOM
    assert printable("n" * (ROOM + 1), ROOM).endswith("n…")


@pytest.mark.parametrize(("narrow", "wide"), [("i", "n"), ("n", "W")])
def test_room_is_width_and_not_a_count_of_letters(narrow, wide):
    assert len(printable(narrow * 99, ROOM)) > len(printable(wide * 99, ROOM))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("e\u0301", "é"),
        ("a\u202eb", "ab"),
        ("\ufeffa\u200db", "ab"),
        ("\x00", ""),
        ("\ud800", ""),
        ("✈\ufe0f \U0001f680", ""),
        ("日", "□"),
        ("a\r\n\tb", "a b"),
    ],
)
def test_b4_known_troublemakers(raw, shown):
    assert literal(raw) == shown
