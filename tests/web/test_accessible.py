"""Every page, wide and narrow, light and dark, by the rules of accessibility (axe-core)."""

import pytest

from tests.web.conftest import PAGE_PATHS
from tests.web.test_browser import opened, rest

pytestmark = pytest.mark.browser
WIDTHS = (1440, 1024, 720, 390)  # 720: a desk at 200% zoom
FITS = """() => {
    const main = document.querySelector('[data-testid=stMain]');
    return main.scrollWidth <= main.clientWidth;
}"""
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def in_the_dark():
    """Pages that between them show every kind of part; the layout of the others is the same."""
    return (
        (title, PAGE_PATHS[title]) for title in ("start", "workload", "risk", "brief", "hardware")
    )


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.sweep)])
def test_every_page_breaks_no_rule_of_accessibility_and_fits(chromium, address, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = chromium.new_context(color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    page.set_viewport_size({"width": WIDTHS[0], "height": 2400})
    for title, path in PAGE_PATHS.items() if theme == "light" else in_the_dark():
        page.set_viewport_size({"width": WIDTHS[0], "height": 2400})
        opened(
            page,
            address,
            f"{path}?profile=axiom&decode_to_prefill_token_ratio=0.2&power_budget_mw=9",
        )
        rest(page)
        if title == "brief":
            page.get_by_test_id("stImage").locator("img").wait_for()
        found = axe.run(page, options={"runOnly": LEVELS}).response["violations"]
        assert not [(title, rule["id"], rule["nodes"][0]["html"]) for rule in found]
        for width in WIDTHS if theme == "light" else ():
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(150)
            assert page.evaluate(FITS), (title, width)
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_opens_breaks_no_rule_of_accessibility(chromium, address, theme):
    """On a tall screen; docs/gallery.md lists what is left to Streamlit."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    tall = {"width": WIDTHS[0], "height": 2400}
    context = chromium.new_context(viewport=tall, color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    opened(page, address, "?profile=axiom")
    rest(page)
    for name in ("Explain", "Save", "Share"):
        page.get_by_role("button", name=name, exact=True).first.click()
        page.wait_for_timeout(1000)
        found = axe.run(page, options={"runOnly": LEVELS[:-1]}).response["violations"]
        assert not [(name, rule["id"], rule["nodes"][0]["html"]) for rule in found]
        page.keyboard.press("Escape")
    context.close()
