"""The page on the article: every warning is answered, and its summary says what its claims say."""

import re

import pytest

from tests.sources import ROOT

PAGE = (ROOT / "docs" / "article.md").read_text(encoding="utf-8").replace("\\$", "$")
FINDINGS = {"confirms", "qualifies", "contradicts", "cannot tell"}
OURS = "–"
WARNINGS = (
    "baseline",
    "upper bound",
    "manufacturing cost",
    "nameplate",
    "ten to one",
    "ninety-six percent",
    "per token",
    "ten femtojoules",
    "Groq",
    "earnings call",
    "dates",
    "forty percent",
    "direction of travel",
)


def _rows(heading):
    """Cells of the table rows under a heading, its head left out."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


SUMMARY = _rows("In short")
CLAIMS = dict(re.findall(r"^\*\*(\d+)\. (.*?)(?=^\*\*\d+\. |^## )", PAGE, re.MULTILINE | re.DOTALL))


def test_the_summary_lists_the_claims_in_order():
    assert [row[0] for row in SUMMARY] == list(CLAIMS)


@pytest.mark.parametrize(("number", "_", "finding", "figure"), SUMMARY)
def test_a_claim_says_what_the_summary_says(number, _, finding, figure):
    said = CLAIMS[number]
    assert finding == OURS or (finding in FINDINGS and f"*{finding.capitalize()}" in said)
    figures = re.findall(r"\d[\d,.]*(?:%| : \d+)?", figure.replace("−", ""))
    missing = [shown for shown in figures if shown.rstrip(".,") not in said]
    assert not missing, f"claim {number} does not show {missing}"


@pytest.mark.parametrize("warning", WARNINGS)
def test_every_warning_is_answered_by_claims_that_exist(warning):
    answered = {row[0]: row[2] for row in _rows("Claims to treat with care")}
    assert set(answered[warning].split(", ")) <= set(CLAIMS)
