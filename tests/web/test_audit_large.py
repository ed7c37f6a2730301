"""A log too large to send, on the page: its progress is shown, it can be stopped, it is read."""

import time
from pathlib import Path

import pytest

from benchmarks import request_log
from tests.web.conftest import PAGE_PATHS, dashboard
from tests.web.crowd import resident_bytes
from tests.web.test_audit_page import pick
from tests.web.test_browser import opened

ROWS = 50_000_000
MOST_BYTES = 2**29
MINUTE_MS = 60_000


def readers(server):
    """The reading processes of a dashboard, by id."""
    ids = Path(f"/proc/{server.pid}/task").glob("*/children")
    return sorted({int(pid) for path in ids for pid in path.read_text().split()})


@pytest.mark.soak
@pytest.mark.browser
@pytest.mark.timeout(3600)
def test_l5_fifty_million_rows_are_watched_stopped_and_read(chromium, tmp_path):
    (tmp_path / "data" / "logs").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    request_log.write(tmp_path / "data" / "logs" / "large.parquet", ROWS)
    folders = {"SWITCHYARD_DATA_DIR": str(tmp_path / "data"), "TMPDIR": str(tmp_path / "work")}
    with dashboard(**folders) as server:
        desk = chromium.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        opened(desk, server.address)
        opened(desk, server.address, PAGE_PATHS["workload"])
        pick(desk, "Request log", "large.parquet")
        desk.get_by_text("Reading rows").wait_for(timeout=2 * MINUTE_MS)
        assert len(readers(server)) == 1
        desk.get_by_role("button", name="Stop reading").click()
        desk.get_by_text("Reading was stopped.").wait_for(timeout=MINUTE_MS)
        assert not readers(server)
        assert not list((tmp_path / "work").iterdir())
        desk.get_by_role("button", name="Read it again").click()
        steps, peak = watched(desk, server)
        desk.get_by_text("50,000,000").first.wait_for(timeout=MINUTE_MS)
        assert steps[-2:] == ["Counting lengths and arrivals", "Counting models, classes and hours"]
        assert 0 < peak <= MOST_BYTES
        assert not list((tmp_path / "work").iterdir())


def watched(desk, server):
    """The steps shown until the audit stands, and the most memory that their reader held."""
    steps, peak, deadline = [], 0, time.monotonic() + 30 * 60
    done = desk.get_by_role("button", name="Use this audit as my workload")
    while not done.is_visible():
        assert time.monotonic() < deadline
        for bar in desk.get_by_test_id("stProgress").all_inner_texts():
            if bar.startswith("Counting") and "chip" not in bar and bar not in steps:
                steps.append(bar)
        for pid in readers(server):
            try:
                peak = max(peak, resident_bytes(pid))
            except (OSError, AssertionError):
                continue
        time.sleep(0.5)
    return steps, peak
