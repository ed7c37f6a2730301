"""Speed of a page in a real browser on this machine: `make bench`."""

import pytest

from tests.web.conftest import address, chromium, desk

__all__ = ["address", "chromium", "desk"]
READ_TILES = """[...document.querySelectorAll('[data-testid=stMetricValue]')].slice(0, 4)
.map(tile => tile.innerText.trim()).join()"""
IDLE = "() => !document.querySelector('[data-testid=stStatusWidget]')"


@pytest.mark.parametrize("path", ["", "ladder"])
def test_control_to_screen(benchmark, desk, address, path):
    """From a key on the power slider until the figures changed and the page is at rest.

    Target: p95 0.4 s on a page with charts.
    """
    desk.goto(f"{address}/{path}")
    desk.get_by_text("Master check passed").wait_for()
    slider = desk.get_by_role("slider", name="Output : input tokens")
    slider.focus()
    keys = iter(["ArrowRight", "ArrowLeft"] * 100)

    def move():
        before = desk.evaluate(READ_TILES)
        desk.keyboard.press(next(keys))
        desk.wait_for_function(f"before => {READ_TILES} !== before", arg=before, polling=10)
        desk.wait_for_function(IDLE, polling=10)

    benchmark.pedantic(move, rounds=20, warmup_rounds=2)


def test_cold_first_page(benchmark, chromium, address):
    """A new browser session until the first page shows its figures: target 3 s."""

    def visit():
        context = chromium.new_context(viewport={"width": 1440, "height": 1000})
        page = context.new_page()
        page.goto(address)
        page.get_by_text("Master check passed").wait_for()
        context.close()

    benchmark.pedantic(visit, rounds=5)


def test_brief(benchmark):
    """One brief, figures included, from a plan that exists: target 0.5 s warm."""
    import planner  # noqa: PLC0415

    held = planner.plan(planner.Scenario.read({}), n_samples=1024)
    assert held.flips is not None
    assert benchmark(planner.brief_pdf, held).startswith(b"%PDF")
