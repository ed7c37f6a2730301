"""What a CFO asks of the documents, on every starting scenario."""

import re

import pytest

from pages.ui import kpis
from planner import load_catalog, profiles, text
from tests.export.printing import page_text, planned, printed, reader
from tests.export.spreadsheet import made, opened

KINDS = {"measured", "datasheet", "quote", "estimate", "assumption", "exact", "derived"}
EVERY = pytest.mark.parametrize("profile", profiles.names())


def bridge_of_page(profile):
    """Label -> words of the bridge as printed."""
    (page,) = reader(printed(profile)).pages
    lines = page.extract_text().splitlines()
    start, end = lines.index("Software on the same chips"), lines.index("Net a year")
    n = end - start + 1
    return dict(zip(lines[start : end + 1], lines[end + 1 : end + 1 + n], strict=True))


@EVERY
def test_4_the_bridge_adds_up_on_page_and_workbook_to_the_shown_digit(profile):
    shown = bridge_of_page(profile)
    sheet = opened(made(profile), values=True)["Bridge"]
    values = {row[0]: row[1] for row in sheet.iter_rows(min_row=5, max_col=2, values_only=True)}
    steps = [values[label] for label in shown if label != "Net a year"]
    assert sum(steps) == pytest.approx(values["Net"], rel=1e-12, abs=1e-6)
    place = _last_place(steps)
    for label, words in shown.items():
        held = values["Net" if label == "Net a year" else label]
        assert abs(_dollars(words) - held) <= 10.0**place, label


def _last_place(values):
    return int(f"{max(map(abs, values)):e}".partition("e")[2]) - 2


def _dollars(words):
    sign, digits, unit = re.fullmatch(r"([−+]?)\$([\d.,]+)([kMBT]?)", words).groups()
    scale = {"": 1, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}[unit]
    return float(digits.replace(",", "")) * scale * (-1 if sign == "−" else 1)


@EVERY
def test_7_every_headline_has_a_range_and_no_surplus_digits(profile):
    said = page_text(printed(profile))
    head = said[said.index("Best split ") : said.index("Output : input tokens")]
    found = re.findall(r"P10 P50 P90 (\S+) (\S+) (\S+)", head)
    assert len(found) == 4
    for words in (word for three in found for word in three):
        digits = re.sub(r"[^\d]", "", words).lstrip("0")
        assert len(digits.rstrip("0")) <= 4, words


@EVERY
def test_11_the_four_tiles_of_the_screen_stand_on_the_page(profile):
    held, said = planned(profile), page_text(printed(profile))
    for tile in kpis.strip(held, held.as_dict(flips=False), held):
        assert tile.value in said, tile.id


@EVERY
def test_11_the_page_says_the_figures_of_the_document(profile):
    said, document = page_text(printed(profile)), planned(profile).as_dict(break_even=False)
    head = document["headline"]
    for row in document["options"]:
        if row["feasible"]:
            assert text.usd(row["capex_usd"]) in said
            assert text.usd(row["cost_usd_per_mtok"]) in said
            assert text.percent(row["kv_efficiency_frac"]) in said
    assert text.mw(head["recovered_mw"]) in said
    assert document["model_version"] in said


@EVERY
def test_12_no_text_of_the_workbook_is_a_formula_unseen(profile):
    """Formulas are the planner's own; text that a user could have typed is stored as text."""
    book = opened(made(profile))
    for sheet in book:
        for row in sheet.iter_rows(max_col=1):
            assert row[0].data_type in {"s", "n"}, row[0].coordinate


@EVERY
def test_13_each_assumption_is_sourced_or_marked(profile):
    catalog = load_catalog()
    book = opened(made(profile))["Sources"]
    rows = [row for row in book.iter_rows(min_row=5, max_col=9, values_only=True) if row[8]]
    ledger = planned(profile).ledger.used
    assert {row[8] for row in rows} == ledger.keys()
    for _, _, _, _, _, kind, source, mine, name in rows:
        assert kind in KINDS, name
        assert source in catalog.sources or (source == "scenario" and kind == "assumption"), name
        assert (mine == "yes") == ledger[name].overridden


def test_a_text_of_the_longest_kind_in_every_place_still_fits():
    longest = "W" * 200
    held = planned("axiom", name=longest)
    assert longest[:20] in page_text(printed_with(held, longest))


def printed_with(held, author):
    from planner.export.brief import Signature, brief_pdf
    from tests.export.printing import AT

    signatures = [Signature(state, author, "approver", AT) for state in ("reviewed", "approved")]
    return brief_pdf(held, made_at=AT, author=author, status="APPROVED", signatures=signatures)
