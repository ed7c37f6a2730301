"""A table is read field by field, and a field nobody asked for is refused."""

import pytest

from planner.errors import CatalogError
from planner.facts.entry import Entry

WATTS = {"value": 5, "low": 4, "high": 6, "unit": "W", "kind": "quote", "source": "s"}


def entry(**fields):
    return Entry("chips.toml", "x1", fields, {"s"})


def refused(sentence):
    return pytest.raises(CatalogError, match=sentence)


def test_a_field_never_read_is_refused():
    chip = entry(name="X1", colour="red")
    chip.text("name")
    with refused("^chips.toml, x1, colour: unknown key; allowed are name"):
        chip.finish()


def test_an_absent_number_is_none_and_an_absent_text_its_default():
    assert entry().positive("tdp_w", "W") is None
    assert entry().text("notes", "") == ""
    assert entry().positives("peak", "FLOP/s", ("bf16",)) == {}
    assert entry().source_ids() == ()


@pytest.mark.parametrize(
    ("fields", "ask", "sentence"),
    [
        ({}, lambda e: e.text("name"), "x1, name: is missing; it is needed here"),
        ({"name": "  "}, lambda e: e.text("name"), "x1, name: is empty"),
        ({"name": 3}, lambda e: e.text("name"), "x1, name: 3 is not text"),
        ({"a": "z"}, lambda e: e.text("a", allowed=("x", "y")), "'z' is unknown; allowed are x, y"),
        ({"on": "yes"}, lambda e: e.flag("on"), "x1, on: 'yes' is not true or false"),
        (
            {"p": WATTS},
            lambda e: e.positive("p", "bytes"),
            "p: is in W; allowed are units",
        ),
        ({"p": WATTS | {"low": 0}}, lambda e: e.positive("p", "W"), "p: is not above zero"),
        ({"p": 5}, lambda e: e.positive("p", "W"), "p: 5 is an uncited number"),
        (
            {"t": WATTS["value"]},
            lambda e: e.positives("t", "W", ("a",)),
            "t: 5 is not a table",
        ),
        (
            {"t": {"b": WATTS}},
            lambda e: e.positives("t", "W", ("a",)),
            "t: unknown key 'b'",
        ),
        (
            {"t": {"a": 5}},
            lambda e: e.positives("t", "W", ("a",)),
            "x1, t.a: 5 is an uncited",
        ),
        ({"sources": "s"}, lambda e: e.source_ids(), "sources: 's' is not a list of source ids"),
        ({"sources": ["s", "r"]}, lambda e: e.source_ids(), "source 'r' is not in sources.toml"),
        ({"sources": [1]}, lambda e: e.source_ids(), "1 is not text"),
    ],
)
def test_refusals_name_entry_and_field(fields, ask, sentence):
    with refused(sentence) as error:
        ask(entry(**fields))
    assert str(error.value).startswith("chips.toml, x1, ")


def test_an_entry_is_a_table():
    with refused(r"^chips.toml, x1: 3 is not a table; write \[x1\]"):
        Entry("chips.toml", "x1", 3, ())
