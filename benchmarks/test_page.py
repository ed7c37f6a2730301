"""Speed of a page in a real browser on this machine: `make bench`.

95th percentiles and bytes are recorded for docs/reliability.md (`make reliability`).
"""

import statistics
from time import perf_counter

import pytest

from tests.web.conftest import PAGE_PATHS, address, chromium, desk, own_store

__all__ = ["address", "chromium", "desk", "own_store"]
READ_TILES = """[...document.querySelectorAll('[data-testid=stMetric]')].slice(0, 4)
.map(tile => tile.innerText.trim()).join()"""
IDLE = "() => !document.querySelector('[data-testid=stStatusWidget]')"
ROUNDS = 20


class Link:
    """What the server sent over the websocket of a page. [bytes]"""

    def __init__(self, page):
        self.received = 0
        page.on("websocket", self._watch)

    def _watch(self, socket):
        socket.on("framereceived", self._count)

    def _count(self, frame):
        self.received += len(frame)


def p95(values):
    return statistics.quantiles(values, n=20)[-1]


@pytest.mark.parametrize("page", ["start", "power", "options", "money"])
def test_l2_control_to_screen(benchmark, desk, address, record_property, page):
    """From a key on the ratio slider until the figures changed, and until the page is at rest.

    Targets: p95 0.2 s for the four figures, 0.4 s for a page with charts, 60 kB beyond charts.
    """
    link = Link(desk)
    desk.goto(f"{address}/{PAGE_PATHS[page]}?profile=axiom")
    desk.get_by_text("Master check passed").wait_for()
    desk.wait_for_timeout(3000)
    desk.get_by_role("slider", name="Output : input tokens").focus()
    keys = iter(["ArrowRight"] * 10 * ROUNDS)
    figures_s, rest_s, sent = [], [], []

    def move():
        before, already, began = desk.evaluate(READ_TILES), link.received, perf_counter()
        desk.keyboard.press(next(keys))
        desk.wait_for_function(f"before => {READ_TILES} !== before", arg=before, polling=10)
        figures_s.append(perf_counter() - began)
        desk.wait_for_function(IDLE, polling=10)
        rest_s.append(perf_counter() - began)
        sent.append(link.received - already)

    benchmark.pedantic(move, rounds=ROUNDS, warmup_rounds=2)
    record_property("the four figures, 95th percentile [s]", p95(figures_s[2:]))
    record_property("the whole page, 95th percentile [s]", p95(rest_s[2:]))
    record_property("sent for a move [kB]", statistics.median(sent[2:]) / 1e3)


def test_l2_cold_first_page(benchmark, chromium, address, record_property):
    """A new browser session until the first page shows its figures: target 3 s."""

    def visit():
        context = chromium.new_context(viewport={"width": 1440, "height": 1000})
        page = context.new_page()
        page.goto(address)
        page.get_by_text("Master check passed").wait_for()
        context.close()

    benchmark.pedantic(visit, rounds=5)
    record_property("slowest of five [s]", benchmark.stats.stats.max)


def test_brief(benchmark):
    """One brief, figures included, from a plan that exists: target 0.5 s warm."""
    import planner  # noqa: PLC0415

    held = planner.plan(planner.Scenario.read({}), n_samples=1024)
    assert held.flips is not None
    assert benchmark(planner.brief_pdf, held).startswith(b"%PDF")
