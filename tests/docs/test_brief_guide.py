"""The guide to the brief: nothing that stands on the page is left unexplained."""

import re
from datetime import UTC, datetime

import planner
from planner.export.content import content
from tests.sources import ROOT

GUIDE = " ".join((ROOT / "docs" / "read-the-brief.md").read_text(encoding="utf-8").split())
TEMPLATE = (ROOT / "planner" / "export" / "brief.typ").read_text(encoding="utf-8")


def test_every_figure_of_the_page_is_explained():
    answer = planner.plan(planner.Scenario.read({"profile": "sovereign"}))
    page = content(answer, made_at=datetime(2026, 11, 26, tzinfo=UTC), author="", status="DRAFT")
    named = [each["name"] for each in (*page["tiles"], *page["numbers"])]
    assert len(named) > 6
    assert not [name for name in named if f"**{name}.**" not in GUIDE]


def test_every_column_and_every_note_of_the_page_is_explained():
    columns = re.search(r"#let head = \((.*?)\)", TEMPLATE)[1]
    labels = re.findall(r'"([^"]+)"', columns)[1:] + re.findall(r'note\("([^"]+)"', TEMPLATE)
    assert len(labels) > 10
    assert not [label for label in labels if f"**{label}" not in GUIDE]
