"""The journey of a chip of one's own: added, compared in the options, removed, nothing left."""

import pytest

from tests.web.conftest import PAGE_PATHS
from tests.web.test_browser import opened, settled, tiles

pytestmark = pytest.mark.browser


def keep(page):
    page.get_by_role("button", name="Keep it and use it everywhere").click()


def test_a_custom_chip_is_compared_and_goes_again_without_a_trace(desk, address):
    opened(desk, address, f"{PAGE_PATHS['hardware']}?profile=neocloud")
    before, start = tiles(desk), desk.url
    desk.get_by_text("Add or edit a chip").click()
    keep(desk)
    desk.get_by_text("Source: is empty").wait_for()
    desk.get_by_role("textbox", name="Name").fill("Vega 1")
    desk.get_by_role("spinbutton", name="Memory bandwidth").fill("9")
    desk.get_by_role("spinbutton", name="Price").fill("9000")
    desk.get_by_role("textbox", name="Source").fill("Quote 12")
    desk.get_by_role("textbox", name="Address").fill("https://vega.example/q12")
    keep(desk)
    desk.get_by_text("Rests on figures of your own: Vega 1 (own)").wait_for()
    assert settled(desk, before) != before
    desk.get_by_role("link", name="Options").click()
    desk.get_by_role("radio", name="Split, best chips").click()
    desk.get_by_role("cell", name="Vega 1 (own)").first.wait_for()
    opened(desk, address, PAGE_PATHS["hardware"])
    after = tiles(desk)
    desk.get_by_role("button", name="Remove").click()
    assert settled(desk, after) == before
    desk.get_by_text("None in use").wait_for()
    assert desk.url == start
    assert not desk.strangers
