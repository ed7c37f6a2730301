"""Plans and their briefs, each made once."""

import io
import json
from datetime import UTC, datetime
from functools import cache

import pypdf

from planner import Scenario, plan
from planner.export.brief import brief_pdf

AT = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
TURNS = (
    {"input": "decode_to_prefill_token_ratio", "value": 0.25, "action": "stay"},
    {"input": "power_budget_mw", "value": 1.5, "action": "specialise"},
)


def planned(profile="axiom", **fields):
    """A plan with few samples, and with turns that need no search."""
    return _planned(json.dumps({"profile": profile, **fields}))


@cache
def _planned(fields):
    made = plan(Scenario.read(json.loads(fields)), n_samples=64)
    vars(made)["flips"] = TURNS
    return made


@cache
def printed(profile="axiom", paper="a4"):
    return brief_pdf(planned(profile), paper=paper, made_at=AT, author="Ada Lovelace")


def reader(pdf):
    return pypdf.PdfReader(io.BytesIO(pdf))


@cache
def page_text(pdf):
    """The text of the page, lines joined, so that a sentence reads whole."""
    (page,) = reader(pdf).pages
    return " ".join(page.extract_text().split())
