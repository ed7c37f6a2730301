"""F2 and F4 on the page: a lost connection, a killed server, a store that went away."""

import sqlite3
import time
from io import BytesIO

import pypdf
import pytest

from tests.web.conftest import PAGE_PATHS, dashboard, free_port, wait_for
from tests.web.crowd import RATIO
from tests.web.hosted import nginx
from tests.web.test_browser import moved, opened, tiles
from tests.web.test_load import BRIEF
from tests.web.visitor import Visitor

PATIENCE_MS = 120_000


def moved_on(desk):
    """The figures after another move, once the server keeps it."""
    held = moved(desk)
    desk.wait_for_timeout(2000)
    return held


@pytest.mark.soak
@pytest.mark.browser
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("gone_s", [10, 600])
def test_f2_a_dropped_connection_comes_back_by_itself_to_the_same_figures(desk, tmp_path, gone_s):
    desk.set_default_timeout(PATIENCE_MS)
    port = free_port()
    with dashboard(SWITCHYARD_DATA_DIR=str(tmp_path)) as server:
        with nginx(port, [server, server], tmp_path) as proxy:
            wait_for(proxy, f"http://127.0.0.1:{port}/_stcore/health")
            opened(desk, f"http://127.0.0.1:{port}", "?profile=axiom")
            held = moved_on(desk)
        desk.wait_for_timeout(1000 * gone_s)
        with nginx(port, [server, server], tmp_path):
            desk.get_by_text("Master check passed").wait_for()
            desk.wait_for_timeout(5000)
            assert tiles(desk) == held
            assert moved(desk) != held


@pytest.mark.soak
@pytest.mark.browser
@pytest.mark.timeout(600)
def test_f2_a_killed_server_is_back_within_five_seconds_and_the_page_with_it(
    desk, tmp_path, record_property
):
    desk.set_default_timeout(PATIENCE_MS)
    port, folder = free_port(), {"SWITCHYARD_DATA_DIR": str(tmp_path)}
    with dashboard(port=port, **folder) as first:
        opened(desk, first.address, "?profile=axiom")
        held = moved_on(desk)
        first.kill()
        first.wait(10)
        began = time.perf_counter()
        with dashboard(port=port, **folder) as server:
            spent_s = time.perf_counter() - began
            desk.get_by_text("Connection").first.wait_for(state="hidden")
            desk.wait_for_timeout(5000)
            assert tiles(desk) == held
            assert moved(desk) != held
            elsewhere = Visitor(server.address)
            assert "going on from where you stopped" in elsewhere.open()
            elsewhere.close()
    record_property("healthy again [s]", spent_s)
    assert spent_s <= 5


@pytest.mark.soak
def test_f4_the_brief_is_printed_while_the_store_is_held_and_saving_comes_back(tmp_path):
    with dashboard(SWITCHYARD_DATA_DIR=str(tmp_path)) as server:
        reader = Visitor(server.address)
        assert "not being kept" not in reader.open("", PAGE_PATHS["brief"])
        other = sqlite3.connect(tmp_path / "switchyard.sqlite")
        other.execute("BEGIN IMMEDIATE")
        reader.move(RATIO, 0.8)
        reader.move(RATIO, 0.9)  # a step shows what kept the one before it
        assert "not being kept" in reader.text()
        (page,) = pypdf.PdfReader(BytesIO(reader.file(BRIEF))).pages
        assert "Axiom Cloud" in page.extract_text()
        other.close()
        reader.move(RATIO, 0.7)
        reader.move(RATIO, 0.6)
        assert "not being kept" not in reader.text()
        assert not reader.broken
        reader.close()
