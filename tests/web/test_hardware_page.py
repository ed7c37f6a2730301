"""Hardware: the catalog as it is, and own figures that are used everywhere and go again."""

import io
import math
import re

import pypdf
import pytest

from pages.ui import answers, export, keeping, own, roofs, shelf
from planner import Scenario, Typed, boxes, brief_pdf, load_catalog, own_fact, plan
from tests.web.conftest import PAGES, turn, words

LIKE = "h100-sxm"
QUOTE = {"title": "Quote 12", "kind": "price-list", "url": "https://vega.example/q12"}


def typed(entry="own-vega-1", name="Vega 1", *, origin=QUOTE, spread=0.0, **values):
    held = {box.field: box.value for box in boxes("accelerators", LIKE, load_catalog())}
    return Typed("accelerators", entry, LIKE, name, held | values, spread, origin, "buy")


VEGA = typed(memory_bytes_per_s=9.0, price_usd=9000.0)


@pytest.fixture
def open_form(show):
    """The page with its form open, and every box by its label."""

    def run(**fields):
        screen = turn(show(**fields), "hardware")
        screen.session_state["own-fold"] = True
        return screen.run()

    return run


def boxed(screen, label):
    """A box by the first words of its label."""
    kinds = (*screen.number_input, *screen.text_input)
    return next(box for box in kinds if box.label.replace("\\", "").startswith(label))


def fill(screen, **boxes_by_label):
    for label, value in boxes_by_label.items():
        boxed(screen, label.replace("_", " ")).set_value(value)
    button = next(b for b in screen.button if b.label == "Keep it and use it everywhere")
    return button.click().run()


def figures(screen):
    return [metric.value for metric in screen.metric][:4]


def test_a_chip_of_ones_own_is_planned_with_and_goes_again_without_a_trace(open_form):
    screen = open_form(profile="neocloud")
    before, figures_before = screen.session_state["scenario"], figures(screen)
    filled = {"Name": "Vega 1", "Memory_bandwidth": 9.0, "Price": 9000.0}
    screen = fill(screen, **filled, Source="Quote 12", Address="https://vega.example/q12")
    assert not screen.exception
    scenario = screen.session_state["scenario"]
    assert "own-vega-1" in scenario.candidates
    assert "Rests on figures of your own: Vega 1 (own)" in words(screen)
    assert figures(screen) != figures_before
    pools = answers.plan_of(scenario).fleets["split-mixed"].pools
    assert "own-vega-1" in {pool.accelerator for pool in pools}
    next(b for b in screen.button if b.label == "Remove").click().run()
    assert screen.session_state["scenario"] == before
    assert figures(screen) == figures_before
    assert "Rests on figures" not in words(screen)


def test_what_is_refused_says_what_is_allowed_and_stays_as_typed(open_form):
    screen = fill(open_form(), Name="Vega 1", Memory_bandwidth=9e9)
    said = words(screen)
    assert "Memory bandwidth: 9e+09 is refused; allowed is" in said
    assert "Source: is empty" in said
    assert boxed(screen, "Memory bandwidth").value == 9e9
    assert boxed(screen, "Name").value == "Vega 1"
    assert screen.session_state["scenario"] == Scenario()


def test_undo_takes_a_chip_back_and_redo_brings_it_again(open_form):
    screen = open_form()
    before = screen.session_state["scenario"]
    screen = fill(screen, Name="Rigel", Source="Quote 13", Address="a file")
    with_it = screen.session_state["scenario"]
    next(b for b in screen.button if b.label == "Undo").click().run()
    assert screen.session_state["scenario"] == before
    next(b for b in screen.button if b.label == "Redo").click().run()
    assert screen.session_state["scenario"] == with_it


def with_facts(scenario, *contents):
    """A scenario resting on overlays kept just now."""
    kept = [keeping.keep_fact(content, None) for content in contents]
    catalog = keeping.over([(held.document_id, held.version) for held in kept])
    return Scenario.read(scenario.model_dump(), catalog)


def test_an_edited_price_is_used_everywhere_and_never_in_the_shipped_catalog():
    dear = own_fact(typed(LIKE, "", price_usd=60000.0), load_catalog())
    mine = with_facts(Scenario(), dear)
    shipped = load_catalog().accelerators[LIKE]
    assert shipped.price_usd.value == 30000
    assert mine.catalog.accelerators[LIKE].name == f"{shipped.name} (edited)"
    held, base = plan(mine), plan(Scenario())
    assert held.ledger.find(f"accelerators.{LIKE}.price_usd").source.startswith("overlay-")
    assert held.money.cost_usd_per_year("as-built") > base.money.cost_usd_per_year("as-built")
    assert own.without(mine) == Scenario()


def test_answers_on_other_facts_are_kept_apart():
    mine = with_facts(Scenario(), own_fact(typed(LIKE, "", price_usd=55000.0), load_catalog()))
    assert mine.model_dump() == Scenario().model_dump()
    assert answers.plan_of(mine) is not answers.plan_of(Scenario())
    assert answers.plan_of(mine) is answers.plan_of(mine.model_copy())
    assert export.bundle_of(mine) is not export.bundle_of(Scenario())


def test_a_saved_scenario_keeps_its_own_figures_for_the_next_reader():
    content = own_fact(VEGA, load_catalog())
    mine = with_facts(Scenario(name="With Vega"), content)
    named = {**mine.model_dump(), "candidates": [*mine.candidates, "own-vega-1"]}
    opened = keeping.save(Scenario.read(named, mine.catalog), None)
    again = keeping.read(opened.saved)
    assert again.catalog.accelerators["own-vega-1"].name == "Vega 1 (own)"
    assert keeping.pinned(again) == opened.saved.overlays


def test_the_reload_of_an_address_goes_on_with_the_same_figures(follow):
    mine = with_facts(Scenario(), own_fact(typed(LIKE, "", price_usd=50000.0), load_catalog()))
    keeping.keep_draft(mine, None)
    screen = follow(**mine.to_query())
    assert screen.session_state["scenario"] == mine
    other = Scenario(power_budget_mw=5.0)
    keeping.keep_draft(other, None)


def test_a_price_of_the_catalog_and_a_model_can_be_edited():
    catalog = load_catalog()
    path = "prices.running.it_support_frac_per_year"
    support = own_fact(Typed("prices", path, path, "", {path: 0.1}, 0.0, QUOTE), catalog)
    model = "llama-3.3-70b"
    held = {box.field: box.value for box in boxes("models", model, catalog)}
    deeper = own_fact(
        Typed("models", "own-deep", model, "Deep", held | {"n_layers": 90.0}, 0.0, QUOTE), catalog
    )
    mine = with_facts(Scenario(), support, deeper)
    assert mine.catalog.number(path).value == 0.1
    assert mine.catalog.models["own-deep"].n_layers == 90
    assert mine.catalog.models["own-deep"].attention[0].n_layers == 90
    assert own.title(own.used(mine)[1], mine) == "Deep (own)"


@pytest.mark.parametrize("view", shelf.VIEWS)
def test_the_shelf_shows_each_chip_as_the_catalog_has_it(view):
    held = answers.plan_of(Scenario())
    names = shelf.chosen(view, held)
    rows = shelf.table(names, held.catalog).set_index("Chip")
    chip = held.catalog.accelerators[LIKE]
    assert len(rows) == len(names)
    assert rows.loc[chip.name, "Memory"] == chip.memory_bytes.value / 1e9
    assert rows.loc[chip.name, "Price"] == chip.price_usd.value
    if view == shelf.REACHABLE:
        assert not [n for n in names if held.catalog.accelerators[n].access in ("captive", "paper")]


def test_a_phase_never_lies_above_the_roof_of_its_chip():
    held = answers.plan_of(Scenario())
    for row in roofs.phases(held).itertuples():
        chip = next(c for c in held.catalog.accelerators.values() if c.name == row.chip)
        peak = max(rate.value for rate in chip.flop_per_s.values())
        reach = min(peak, row.flop_per_byte * chip.memory_bytes_per_s.value)
        assert row.tflop * roofs.FLOP_PER_TFLOP <= reach * (1 + 1e-9)


def test_reading_does_more_arithmetic_a_byte_than_writing():
    rows = roofs.phases(answers.plan_of(Scenario())).set_index("phase")["flop_per_byte"]
    for name in [phase.removesuffix(", reading") for phase in rows.index if "reading" in phase]:
        assert rows[f"{name}, reading"] > rows[f"{name}, writing"]
    assert all(math.isfinite(x) and x > 0 for x in rows)


def test_every_page_stands_on_figures_of_ones_own_and_marks_them(app):
    mine = with_facts(Scenario(profile="neocloud"), own_fact(VEGA, load_catalog()))
    named = {**mine.model_dump(), "candidates": [*mine.candidates, "own-vega-1"]}
    app.session_state["scenario"] = Scenario.read(named, mine.catalog)
    app.run()
    for page in PAGES:
        assert "Rests on figures of your own: Vega 1 (own)" in words(turn(app, page))


def test_the_brief_prints_the_mark_of_an_own_chip():
    mine = with_facts(Scenario(profile="neocloud"), own_fact(VEGA, load_catalog()))
    named = {**mine.model_dump(), "candidates": [*mine.candidates, "own-vega-1"]}
    printed = brief_pdf(answers.plan_of(Scenario.read(named, mine.catalog)))
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(printed)).pages)
    assert "Vega 1 (own)" in re.sub(r"\s+", " ", text)
