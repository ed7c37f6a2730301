"""What readers come for, from the first look to the end, in a real browser."""

import pytest

from pages.ui import kpis, tables
from planner import Scenario, plan, text
from tests.web.conftest import PAGE_PATHS
from tests.web.test_browser import TILE, opened, rest, settled, tiles

pytestmark = pytest.mark.browser
FROM_THE_COMMAND = 1024  # draws of `plan --json`


@pytest.fixture(scope="module")
def axiom():
    """The answer of `plan --json` to the article's scenario."""
    held = plan(Scenario(profile="axiom"), n_samples=FROM_THE_COMMAND)
    return held, held.as_dict(flips=False)


def go(page, title):
    page.get_by_role("link", name=title, exact=True).click()
    page.get_by_role("heading", level=1).wait_for()
    rest(page)


def test_a_newcomer_reads_the_verdict_and_the_figures_of_the_command(desk, address, axiom):
    held, document = axiom
    opened(desk, address, "?profile=axiom")
    desk.get_by_role("heading", name=document["verdict"]["sentence"]).wait_for()
    worth = document["headline"]["proposed"]["npv_usd"]["p50"]
    place = tables.last_place(tables.bridge(document)["usd_per_year"].iloc[:-1])
    chosen = tables.record(document, kpis.rival(held))
    assert tiles(desk) == [
        text.usd(document["net"]["usd_per_year"], place=place),
        text.mw(document["headline"]["recovered_mw"]),
        text.usd(chosen["cost_usd_per_mtok"]),
        text.usd(worth),
    ]


def test_one_click_explains_a_figure_with_its_formula_and_sources(desk, address):
    opened(desk, address, "?profile=axiom")
    desk.get_by_role("button", name="Explain").nth(1).click()
    desk.get_by_text("Recovered = first − second").wait_for()
    desk.get_by_text("The inputs with the widest ranges").wait_for()


def test_plans_are_saved_compared_and_shared(desk, address, chromium):
    opened(desk, address, "?profile=axiom&power_budget_mw=6&name=Six")
    save(desk)
    box = desk.get_by_role("spinbutton", name="Power budget in megawatts")
    before = tiles(desk)
    box.fill("9")
    box.press("Enter")
    after = settled(desk, before)
    desk.get_by_role("button", name="Share").click()
    desk.get_by_role("button", name="Make a link").click()
    link = desk.locator("code").first
    link.wait_for()
    elsewhere = chromium.new_context().new_page()
    elsewhere.goto(link.inner_text())
    rest(elsewhere)
    assert tiles(elsewhere) == after
    go(elsewhere, "Compare")
    elsewhere.get_by_text("Six, version 1").first.wait_for()
    elsewhere.get_by_text("Inputs that differ").wait_for()
    elsewhere.context.close()


def save(page):
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save as a new scenario").click()
    page.get_by_text("Saved: Six, version 1.").wait_for()
    page.keyboard.press("Escape")


def test_a_forced_mix_redraws_the_fleet_as_the_plan_says(desk, address):
    opened(desk, address, f"{PAGE_PATHS['fleet']}?profile=hyperscaler")
    slider = desk.get_by_role("slider", name="Power in split pools")
    slider.focus()
    for _ in range(9):
        desk.keyboard.press("ArrowRight")
    desk.get_by_text("forced by you").wait_for()
    rest(desk)
    forced = plan(Scenario(profile="hyperscaler", fleet_mix=0.4), n_samples=FROM_THE_COMMAND)
    assert "fleet_mix=0.4" in desk.url
    share = text.percent(tables.split_power_frac(forced, "proposed"), place=-2)
    assert share in desk.get_by_test_id(TILE).all_inner_texts()


def test_the_keyboard_alone_leads_from_start_to_brief(desk, address):
    opened(desk, address, "?profile=axiom")
    for _ in range(80):
        desk.keyboard.press("Tab")
        focus = desk.evaluate("document.activeElement.innerText")
        if focus and focus.strip().endswith("Brief"):
            break
    desk.keyboard.press("Enter")
    desk.get_by_role("heading", name="What do I sign?").wait_for()


def test_undo_brings_back_every_figure(desk, address):
    opened(desk, address, "?profile=axiom")
    before = tiles(desk)
    slider = desk.get_by_role("slider", name="Output : input tokens")
    slider.focus()
    for _ in range(12):
        desk.keyboard.press("ArrowRight")
    changed = settled(desk, before)
    rest(desk)
    while desk.get_by_role("button", name="Undo").is_enabled():
        desk.get_by_role("button", name="Undo").click()
        rest(desk)
    assert changed != before
    assert tiles(desk) == before
