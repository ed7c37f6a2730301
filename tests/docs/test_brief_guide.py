"""The guide to the brief: it shows what the page says, and leaves nothing on it unexplained."""

import re
from datetime import UTC, datetime

import pytest

import planner
from planner.export.content import content
from tests.sources import ROOT

SOURCE = (ROOT / "docs" / "read-the-brief.md").read_text(encoding="utf-8")
GUIDE = " ".join(SOURCE.replace("\\$", "$").split())
TEMPLATE = (ROOT / "planner" / "export" / "brief.typ").read_text(encoding="utf-8")
NOTES = ("waiting", "later", "excluded", "error")


@pytest.fixture(scope="module")
def page():
    answer = planner.plan(planner.Scenario.read({"profile": "hyperscaler"}), n_samples=1024)
    return content(answer, made_at=datetime(2026, 11, 26, tzinfo=UTC), author="", status="DRAFT")


def shown(page):
    """What stands on the page, in its order, as the guide writes it."""
    prose = page["prose"]
    yield f"{page['title']} {page['check']['text']} {page['status']}"
    yield f"{prose['verdict']} Ask: {prose['ask']} {page['declared']}"
    for tile in page["tiles"]:
        low, middle, high = tile["spread"]
        spread = f"P10 {low} P50 {middle} P90 {high}"
        yield f"{tile['name']} {tile['value']} {spread} {tile['note']}"
    for each in page["numbers"]:
        yield f"{each['name']} [{each['tag']}] {each['value']} {each['note']}"
    for row in page["options"]:
        yield " ".join([row["label"], *row["cells"]])
    yield " ".join(prose["conditions"])
    yield from (prose[name] for name in NOTES)


def test_what_the_guide_shows_is_what_the_page_says(page):
    assert not [said for said in shown(page) if " ".join(said.split()) not in GUIDE]


def test_every_figure_of_the_page_is_explained(page):
    named = [each["name"] for each in (*page["tiles"], *page["numbers"])]
    assert not [name for name in named if f"**{name}.**" not in GUIDE]


def test_every_column_and_every_note_of_the_page_is_explained():
    columns = re.search(r"#let head = \((.*?)\)", TEMPLATE)[1]
    labels = re.findall(r'"([^"]+)"', columns)[1:] + re.findall(r'note\("([^"]+)"', TEMPLATE)
    assert len(labels) > 10
    assert not [label for label in labels if f"**{label}" not in GUIDE]
