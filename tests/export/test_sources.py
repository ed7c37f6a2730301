"""Footnotes: numbered as cited, and all of them fit."""

from planner import load_catalog
from planner.export.printable import width
from planner.export.sources import NAME_CHARACTERS, Sources, fair_share


def test_a_source_is_numbered_once_in_the_order_of_citation():
    sources = Sources(load_catalog())
    marks = [sources.cite(name) for name in ("polca", "splitwise", "polca", "scenario")]
    assert marks == ["[1]", "[2]", "[1]", "[3]"]
    first, second, third = sources.notes()
    assert first.startswith("[1] ")
    assert "Splitwise" in second
    assert third == "[3] set in this scenario, no source"


def test_short_notes_leave_their_room_to_long_ones():
    short, long = ["x" * 10] * 4, ["x" * 500] * 3
    assert fair_share(long) > NAME_CHARACTERS["all"] // 7
    assert fair_share(short + long) > NAME_CHARACTERS["all"] // 7


def test_all_notes_together_fit_their_room():
    sources = Sources(load_catalog())
    for name in list(load_catalog().sources)[:12]:
        sources.cite(name)
    assert sum(map(width, sources.notes())) <= width("n" * NAME_CHARACTERS["all"])
