"""L1, L3 and L4: many readers at once, many briefs at once, and visit after visit."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pypdf
import pytest

from planner import profiles
from tests.web.conftest import PAGE_PATHS, dashboard
from tests.web.crowd import CHART_PAGES, crowd, resident_bytes
from tests.web.hosted import SIGNED_IN
from tests.web.test_replicas import runs
from tests.web.visitor import Visitor

MIB, GIB = 2**20, 2**30
BRIEF = "One-page brief, PDF"
FULL = 200
"""Visits after which the sessions that Streamlit keeps for a lost connection are all there: 128."""


def p95(values):
    return statistics.quantiles(values, n=20)[-1]


def told(record, seen):
    record("median of a step [s]", statistics.median(seen.steps_s))
    record("95th percentile of a step [s]", p95(seen.steps_s))
    record("slowest step [s]", max(seen.steps_s))
    record("slowest first page [s]", max(seen.first_s))


def test_l1_a_few_readers_at_once_see_no_error(address):
    seen = crowd(address, 4, n_steps=3, think_s=0.2)
    assert seen.errors == []
    assert len(seen.steps_s) == 12


@pytest.mark.soak
@pytest.mark.postgres
@pytest.mark.timeout(900)
def test_l1_fifty_readers_of_the_hosted_installation(site, record_property):
    address, replicas = site

    def headers(n):
        return SIGNED_IN | {
            "X_Forwarded_Email": f"reader-{n}@example.com",
            "Cookie": f"switchyard_route={n:032x}",
        }

    for n in range(50, 58):  # somebody was here before, on either replica
        opened_before(address, headers(n))
    seen = crowd(address, 50, n_steps=10, think_s=5, headers=headers)
    held = [resident_bytes(replica.pid) for replica in replicas]
    told(record_property, seen)
    record_property("most memory of a replica [MiB]", max(held) / MIB)
    done = [runs(replica) for replica in replicas]
    record_property("work of the busier replica [%]", 100 * max(done) / sum(done))
    assert seen.errors == []
    assert len(seen.steps_s) == 500
    assert p95(seen.steps_s) <= 2
    assert max(held) <= GIB


def opened_before(address, headers):
    """Each chart page once, so that what all readers share is there."""
    reader = Visitor(address, **headers)
    for page in CHART_PAGES:
        reader.turn(page)
    reader.close()


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_l1_fifty_readers_of_one_process_meet_no_error(tmp_path, record_property):
    """Slower than the hosted two, never wrong."""
    with dashboard(SWITCHYARD_DATA_DIR=str(tmp_path)) as server:
        seen = crowd(server.address, 50, n_steps=10, think_s=5)
        held = resident_bytes(server.pid)
    told(record_property, seen)
    record_property("most memory [MiB]", held / MIB)
    assert seen.errors == []
    assert held <= GIB


def printed(address, query):
    """A brief from the page that signs it, and how long it took after the button. [s]"""
    reader = Visitor(address)
    reader.open(query, PAGE_PATHS["brief"])
    began = time.perf_counter()
    pdf = reader.file(BRIEF)
    spent_s = time.perf_counter() - began
    reader.close()
    return pypdf.PdfReader(BytesIO(pdf)), spent_s


def prints(address, queries, within_s):
    """Briefs asked for one after another within some seconds, made side by side."""
    pause_s = within_s / len(queries)
    with ThreadPoolExecutor(len(queries)) as pool:
        coming = []
        for query in queries:
            coming.append(pool.submit(printed, address, query))
            time.sleep(pause_s)
        return [made.result() for made in coming]


def one_page_each(made):
    return all(len(pdf.pages) == 1 for pdf, _ in made)


def test_l3_briefs_printed_at_once_are_each_one_page(address):
    made = prints(address, [f"profile={name}" for name in ("axiom", "enterprise")], 1)
    assert one_page_each(made)
    titles = {pdf.pages[0].extract_text().split("\n")[0] for pdf, _ in made}
    assert len(titles) == len(made)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_l3_fifty_briefs_in_ten_seconds(tmp_path, record_property):
    """A board with its papers: every starting scenario, printed by ten people."""
    with dashboard(SWITCHYARD_DATA_DIR=str(tmp_path)) as server:
        made = prints(server.address, [f"profile={n}" for n in [*profiles.names()] * 10], 10)
    record_property("slowest brief [s]", max(spent_s for _, spent_s in made))
    assert one_page_each(made)
    assert len(made) == 50
    assert max(spent_s for _, spent_s in made) <= 15


def held_by(server):
    """Open files and threads of a process."""
    place = Path(f"/proc/{server.pid}")
    return len(list((place / "fd").iterdir())), len(list((place / "task").iterdir()))


def visits(address, n_visits):
    """Sessions opened on every page in turn, moved once, and closed."""
    for n in range(n_visits):
        reader = Visitor(address)
        reader.open("", list(PAGE_PATHS.values())[n % len(PAGE_PATHS)])
        reader.close()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_l4_two_thousand_visits_leave_nothing_behind(tmp_path, record_property):
    with dashboard(SWITCHYARD_DATA_DIR=str(tmp_path)) as server:
        visits(server.address, FULL)
        before, bytes_before = held_by(server), resident_bytes(server.pid, "VmRSS")
        visits(server.address, 2000)
        after = held_by(server)
        grown = resident_bytes(server.pid, "VmRSS") - bytes_before
    record_property("growth per 100 visits [MiB]", grown / MIB / 20)
    record_property("files left open", after[0] - before[0])
    record_property("threads left", after[1] - before[1])
    assert grown / 20 <= MIB
    assert after[0] <= before[0]
    assert after[1] <= before[1]
