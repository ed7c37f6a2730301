"""The whole way in a real browser: open, move a slider, see the figure change, take the brief."""

import io
import re
from pathlib import Path

import pypdf
import pytest

pytestmark = pytest.mark.browser
TILE = "stMetricValue"
TRIES = 60
HOLDS = """([label, wanted]) =>
    [...document.querySelectorAll("input")]
        .some(it => it.ariaLabel === label && it.value === wanted)
"""
HEADLINES = (
    f"[...document.querySelectorAll('[data-testid={TILE}]')].slice(0, 4)"
    ".map(tile => tile.innerText.trim().replaceAll('\u2060', '')).join()"
)


def opened(page, address, path=""):
    """The page at a path once its parts, some of which come late, have all arrived."""
    page.goto(f"{address}/{path}")
    page.get_by_text("Master check passed").wait_for()
    page.wait_for_function(f"document.querySelectorAll('[data-testid={TILE}]').length >= 4")
    page.wait_for_load_state("networkidle")
    return page


def tiles(page):
    held = page.get_by_test_id(TILE).all_inner_texts()[:4]
    return [value.strip().replace("\u2060", "") for value in held]


def settled(page, before):
    """Wait until a headline differs from what it was."""
    page.wait_for_function(f"before => {HEADLINES} !== before", arg=",".join(before))
    return tiles(page)


def shows(page, figures):
    """Wait until the headlines are these."""
    page.wait_for_function(f"figures => {HEADLINES} === figures", arg=",".join(figures))
    return True


def moved(page, n_keys=8):
    """The figures after the slider of the ratio went some stops to the right."""
    before = tiles(page)
    pressed(page, "Output : input tokens", n_keys)
    return settled(page, before)


def pressed(page, label, n_keys):
    """Move a slider some stops to the right.

    It takes keys from the moment that its script is there, which may be after it can be seen.
    """
    slider = page.get_by_role("slider", name=label)
    for _ in range(TRIES):
        at = slider.get_attribute("aria-valuetext")
        slider.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(100)
        n_keys -= slider.get_attribute("aria-valuetext") != at
        if n_keys <= 0:
            break


@pytest.mark.parametrize("profile", ["axiom", "enterprise"])
def test_a_slider_moves_the_figures_and_the_brief_says_the_same(desk, address, profile):
    opened(desk, address, f"?profile={profile}")
    moved(desk)
    desk.get_by_role("link", name="Brief").click()
    button = desk.get_by_role("button", name="One-page brief, PDF")
    button.wait_for()
    desk.wait_for_timeout(1000)
    after = tiles(desk)
    with desk.expect_download() as held:
        button.click()
    pages = pypdf.PdfReader(io.BytesIO(Path(held.value.path()).read_bytes())).pages
    assert len(pages) == 1
    printed = re.sub(r"\s+", " ", pages[0].extract_text())
    assert not [figure for figure in after if figure not in printed]
    assert not desk.strangers


def test_a_link_opens_the_same_figures_elsewhere(desk, address, chromium):
    opened(desk, address, "?power_budget_mw=8&profile=axiom")
    held = tiles(desk)
    path = desk.url.removeprefix(f"{address}/")
    elsewhere = opened(chromium.new_context().new_page(), address, path)
    assert tiles(elsewhere) == held
    elsewhere.context.close()


POWER_BOX, POWER_SLIDER = "Power budget in megawatts", "Power budget, MW"


def test_the_slider_of_power_goes_step_by_step_and_keeps_the_focus(desk, address):
    opened(desk, address, "?profile=axiom&power_budget_mw=30")
    for wanted in ("30.24", "30.48"):  # 48 MW, twice the profile's doubled once, in 200 steps
        pressed(desk, POWER_SLIDER, 1)
        desk.wait_for_function(HOLDS, arg=[POWER_BOX, wanted])
        rest(desk)
        assert desk.evaluate("document.activeElement.ariaLabel") == POWER_SLIDER


def test_a_number_typed_just_before_a_page_is_pressed_is_kept(desk, address):
    opened(desk, address, "?profile=axiom")
    box = desk.get_by_role("spinbutton", name=POWER_BOX)
    for held_ms, typed in ((90, "9.5"), (100, "8.5"), (110, "7.5")):  # as long as a finger takes
        box.click()
        box.press("Control+a")
        box.press_sequentially(typed, delay=60)
        desk.get_by_role("link", name="Brief").click(delay=held_ms)
        rest(desk)
        desk.get_by_role("link", name="Money").click()
        rest(desk)
        assert box.input_value() == typed


def test_b1_nonsense_in_a_box_is_answered_and_stays_where_it_was_typed(desk, address):
    opened(desk, address)
    box = desk.get_by_role("spinbutton", name="Power budget in megawatts")
    box.fill("-3")
    box.press("Enter")
    desk.get_by_text("is refused").wait_for()
    assert box.input_value() == "-3"


def test_b4_a_hostile_link_asks_for_nothing_outside(desk, address):
    opened(desk, address, "?name=![x](http://127.0.0.1:9/x.png)<img src=http://127.0.0.1:9/y.png>")
    desk.get_by_role("link", name="Brief").click()
    desk.get_by_text("What will be signed").wait_for()
    desk.wait_for_timeout(500)
    assert not desk.strangers


def rest(page):
    """Wait until nothing is being computed and all figures stand."""
    page.wait_for_timeout(500)
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_function(f"document.querySelectorAll('[data-testid={TILE}]').length >= 4")
    page.wait_for_timeout(400)
