"""The appendix: method, validation, every option and every assumption behind the one page."""

import re
from collections import Counter
from functools import cache

import pytest

from planner import profiles, text
from planner.errors import ExportError
from planner.export.appendix import appendix_pdf
from planner.export.seal import seal_of
from planner.export.words import OPTIONS
from tests.export.printing import AT, planned, reader


@cache
def made(profile="enterprise", paper="a4"):
    return appendix_pdf(planned(profile), paper=paper, made_at=AT)


@cache
def words(profile="enterprise"):
    return [" ".join(page.extract_text().split()) for page in reader(made(profile)).pages]


def test_the_method_takes_two_pages_and_validation_follows():
    first, second, third = words()[:3]
    assert "Method What is asked" in first
    assert "What is left out" in first + second
    assert "Validation" in second
    assert "Options at equal demand" in third


def test_every_option_stands_with_its_pools_and_service_levels():
    said, document = " ".join(words()), planned("enterprise").as_dict(flips=False)
    for row in (*document["options"], document["proposed"]):
        assert OPTIONS[row["id"]] in said
        assert text.usd(row["cost_usd_per_year"]) in said
        assert text.mw(row["facility_provisioned_w"] / 1e6) in said


def test_every_assumption_stands_with_its_kind_and_source():
    said, ledger = " ".join(words()), planned("enterprise").ledger.used
    register = said[said.index("Every assumption") :]
    marks = re.findall(r"\[(\d+)\]", register[: register.rindex("Sources")])
    assert len(marks) == len(ledger)
    sources = {row.source for row in ledger.values()}
    assert len(set(marks)) == len(sources)
    kinds = Counter(row.kind for row in ledger.values())
    assert register.count(" estimate ") >= kinds["estimate"]


def test_what_moves_the_value_most_comes_first():
    said = " ".join(words())
    effects = re.findall(r"([+−]\$[\d.]+[kMB]?) \[\d+\]", said[said.index("Every assumption") :])
    sizes = [
        float(e[2:].rstrip("kMB")) * {"k": 1e3, "M": 1e6, "B": 1e9}.get(e[-1], 1) for e in effects
    ]
    assert len(sizes) > 20
    assert sizes == sorted(sizes, reverse=True)


def test_no_letter_is_smaller_than_nine_points():
    sizes = Counter()

    def note(letters, cm, tm, font, size):
        if letters.strip():
            sizes[round(size * abs(tm[3]) * abs(cm[3]), 2)] += 1

    for page in reader(made()).pages[:4]:
        page.extract_text(visitor_text=note)
    assert min(sizes) >= 9


def test_it_is_tagged_sealed_numbered_and_repeats():
    pdf = made()
    root = reader(pdf).trailer["/Root"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
    assert seal_of(pdf).intact
    assert pdf == appendix_pdf(planned("enterprise"), made_at=AT)
    n = len(reader(pdf).pages)
    assert words()[0].endswith(f"1 of {n}")


@pytest.mark.sweep
@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("profile", profiles.names())
def test_every_starting_scenario_has_one(profile, paper):
    assert len(reader(made(profile, paper)).pages) > 8


def test_b4_user_text_prints_literally():
    held = planned("enterprise", name="#let x = [*b*] \u202e\U0001f389")
    (page, *_) = reader(appendix_pdf(held, made_at=AT)).pages
    assert "#let x = [*b*]" in " ".join(page.extract_text().split())


def test_an_unknown_paper_is_refused():
    with pytest.raises(ExportError, match="paper 'a3' is unknown"):
        appendix_pdf(planned("enterprise"), paper="a3")
