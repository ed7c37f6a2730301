"""The front page: its figures are those of the reports, and it stays one screen and some detail."""

import re

import pytest

from planner import load_catalog, text
from tests.sources import ROOT

README = (ROOT / "README.md").read_text()
VALIDATION = (ROOT / "docs/validation.md").read_text()
NAMES = {
    "time per output token": "time per output token",
    "time to first token": "time to first token",
    "output tokens/s per chip": "output tokens/s per chip",
    "the same, disaggregated": "disaggregated: tokens/s per chip",
    "J per output token": "J per output token",
}


def cells(document, name):
    line = re.search(rf"^\| {re.escape(name)} \|(.*)\|$", document, re.MULTILINE)
    return [cell.replace(" ", "") for cell in line[1].split("|")]


@pytest.mark.parametrize("name", NAMES)
def test_an_error_is_that_of_the_validation_report(name):
    rows, pairs = cells(README, name)
    reported = [re.match(r"[^(]*", cell)[0] for cell in cells(VALIDATION, NAMES[name])]
    assert (rows, pairs) == (reported[2], reported[4])


def test_what_the_brief_prints_is_said_beside_it():
    errors = load_catalog().calibration.errors["tpot"]
    printed = [text.percent(errors[scope]).replace("%", " %") for scope in ("rows", "pairs")]
    assert f"{printed[0]} and {printed[1]}, which is what the\nbrief prints" in README


def test_the_counts_are_those_of_the_fit():
    (found,) = re.findall(r"([\d,]+) public measurements of (\d+) models on (\d+) chips", README)
    assert f"{found[0]} rows of {found[1]} models on {found[2]} chips" in VALIDATION


def test_the_commands_come_before_the_detail():
    assert README.index("make app") < 2000
    assert len(README.splitlines()) < 150
