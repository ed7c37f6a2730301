"""The audit on the page: columns chosen by hand, a Prometheus asked, a reading stopped."""

import http.server
import json
import threading

import pytest

from pages.ui import logs
from planner import Scenario, load_catalog
from planner.demand.parts import counted
from tests.demand.engines import exposition, three_hours
from tests.demand.test_audit_fuzzed import USAGE
from tests.demand.test_audit_shapes import SECRET, export, span
from tests.web.conftest import PAGE_PATHS, words
from tests.web.test_browser import opened

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
LOG = "when;n_in;n_out\n" + "".join(f"{1_750_000_000 + i};100;10\n" for i in range(180))


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    server = three_hours(tmp_path_factory.mktemp("prometheus"))
    yield server.address
    server.stop()


def asked(show, address):
    screen = show("workload")
    screen.selectbox(key="log").select(logs.METRICS).run()
    screen.text_input(key="metrics-address").input(address)
    screen.number_input(key="metrics-days").set_value(1)
    button = next(b for b in screen.button if b.label == "Audit")
    return button.click().run(timeout=120)


def test_a_prometheus_is_audited_and_becomes_the_workload(show, prometheus):
    screen = asked(show, prometheus)
    assert not screen.error, screen.error
    shown = words(screen)
    assert "Decode : prefill is 1 : 8.9 by tokens" in shown  # 240,000 in, 27,000 out a minute
    assert "The KV cache is 50% full on average" in shown
    screen.button(key="adopt").click().run(timeout=120)
    rows = screen.session_state["scenario"].classes
    assert [row.name for row in rows] == ["llama-3.3-70b", "deepseek-v3"]
    assert rows[0].input_tokens == pytest.approx(1000)
    assert all("request" in row.counted_in for row in rows)


def test_what_was_counted_is_counted_no_more_once_it_is_changed(show):
    (row,) = Scenario(profile="enterprise").classes[:1]
    held = row.model_dump() | {"audited": counted("log.csv", row.model_dump())}
    screen = show("workload", classes=[held])
    screen.session_state["more-classes-demand"] = True
    screen.run()
    screen.number_input(key="field-classes.0.p99_ttft_s").set_value(3.0).run()
    assert screen.session_state["scenario"].classes[0].counted_in == "log.csv"
    screen.number_input(key="field-classes.0.input_tokens").set_value(900.0).run()
    assert screen.session_state["scenario"].classes[0].counted_in == ""


SHIPPED = {
    "azure 2023 code": ("8,819", "1 : 73 by tokens"),
    "azure 2023 conversation": ("19,366", "1 : 5.5 by tokens"),
    "mooncake conversation 15min": ("2,728", "1 : 39 by tokens"),
    "servegen deepseek r1 hour": ("39,332", "by tokens"),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_log_is_audited(show, name):
    requests, ratio = SHIPPED[name]
    screen = show("workload")
    screen.selectbox(key="log").select(name).run(timeout=120)
    assert not screen.error, screen.error
    assert requests in words(screen)
    assert ratio in words(screen)


def sent(show, name, content):
    """The page after somebody sent a file."""
    screen = show("workload")
    screen.selectbox(key="log").select(logs.OWN).run()
    given = (name, content.encode(), "text/plain")
    screen.file_uploader(key="log-file").set_value(given).run(timeout=120)
    assert not screen.exception, screen.exception
    return screen


EXPORTS = {
    "usage.jsonl": ("\n".join(map(json.dumps, USAGE)), "1 : 3.0 by tokens"),
    "spans.json": (json.dumps(export(*map(span, range(90)))), "1 : 10 by tokens"),
    "engine.prom": ("\n".join(exposition(5)), "1 : 8.9 by tokens"),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_what_others_export_is_audited_and_becomes_the_workload(show, name, tmp_path, monkeypatch):
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path))
    content, ratio = EXPORTS[name]
    screen = sent(show, name, content)
    assert not screen.error, screen.error
    assert ratio in words(screen)
    assert SECRET not in words(screen)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    if name != "engine.prom":  # a snapshot has no rate to plan for
        screen.button(key="adopt").click().run(timeout=120)
        assert len(screen.session_state["scenario"].classes) == 1


def naming(model):
    """A log of one model that has another name than the scenario's."""
    rows = "".join(f"{1_750_000_000 + i},{model},100,10\n" for i in range(90))
    return f"timestamp,model,input_tokens,output_tokens\n{rows}"


def test_a_model_of_the_log_that_the_catalog_knows_becomes_the_scenarios(show):
    for model, taken in (("deepseek-v3", "deepseek-v3"), ("our-own", "llama-3.3-70b")):
        screen = sent(show, "log.csv", naming(model))
        name = load_catalog().models[taken].name
        assert f"Modelled for {name} on H100 80GB SXM5" in words(screen)
        screen.button(key="adopt").click().run(timeout=120)
        (row,) = screen.session_state["scenario"].classes
        assert (row.name, row.model) == (model, taken)


def test_a_model_that_no_chip_here_holds_is_refused_in_words(show):
    screen = sent(show, "log.csv", naming("kimi-k3"))
    assert "No chip time is modelled. No allowed chip holds kimi-k3" in words(screen)
    screen.button(key="adopt").click().run(timeout=120)
    assert not screen.exception, screen.exception
    assert "No allowed chip holds kimi-k3" in words(screen)


def test_a_broken_file_is_answered_in_words(show):
    screen = sent(show, "log.parquet", "PAR1 and nothing else")
    (said,) = screen.error
    assert "damaged" in said.value
    assert "Traceback" not in words(screen)


WALL = "created_at,input_tokens,output_tokens,n_cached\n" + "".join(
    f"2025-06-15T17:0{i}:00,100,10,{i}\n" for i in range(5)
)


def test_columns_that_were_recognised_and_the_zone_can_be_corrected(show):
    screen = sent(show, "wall.csv", WALL)
    screen.session_state["fold-mapping"] = True
    screen.run()
    assert "Times are dates, read as UTC; they name no zone" in words(screen)
    box(screen, "Cached input tokens").select("n_cached")
    box(screen, "Zone of dates without one").select("Europe/Berlin")
    next(b for b in screen.button if b.label == "Read it so").click().run(timeout=120)
    assert not screen.error, screen.error
    found = screen.session_state[logs.HELD][1]
    assert found.cached_tokens == sum(range(5))
    assert found.starts_at == "2025-06-15T15:00:00+00:00"
    assert "read as Europe/Berlin (as chosen)" in words(screen)
    box(screen, "Cached input tokens").select("not in the log")
    next(b for b in screen.button if b.label == "Read it so").click().run(timeout=120)
    assert screen.session_state[logs.HELD][1].cached_tokens is None


def box(screen, label):
    return next(box for box in screen.selectbox if box.label == label)


def test_an_address_that_nobody_permitted_is_not_asked(show, monkeypatch):
    monkeypatch.setenv(logs.PERMITTED, "http://metrics.example:9090")
    screen = asked(show, "http://127.0.0.1:1")
    (said,) = screen.error
    assert "asks only the addresses named" in said.value.replace("\\", "")


def test_a_log_too_large_to_send_is_read_where_it_lies(show, tmp_path, monkeypatch):
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path))
    (tmp_path / "logs").mkdir()
    named = LOG.replace("n_in", "input_tokens").replace("n_out", "output_tokens")
    (tmp_path / "logs" / "large.csv").write_text(named)
    screen = show("workload")
    screen.selectbox(key="log").select("large.csv").run(timeout=120)
    assert not screen.error, screen.error
    assert "1 : 10 by tokens" in words(screen)


@pytest.mark.browser
def test_columns_are_chosen_by_hand_and_the_audit_appears(desk, address, tmp_path):
    path = tmp_path / "requests.csv"
    path.write_text(LOG)
    opened(desk, address)
    opened(desk, address, PAGE_PATHS["workload"])
    pick(desk, "Request log", "Upload my own")
    desk.locator("input[type=file]").set_input_files(str(path))
    desk.get_by_text("Which column is which?").wait_for(timeout=60_000)
    pick(desk, "Input tokens", "n_in")
    pick(desk, "Output tokens", "n_out")
    pick(desk, "Time of the request", "when")
    desk.get_by_role("button", name="Read it so").click()
    desk.get_by_role("button", name="Use this audit as my workload").wait_for(timeout=60_000)
    desk.get_by_text("1 : 10 by tokens").wait_for()
    desk.get_by_text("In 18 months").first.wait_for()
    assert not desk.strangers


def pick(page, label, option):
    box = page.get_by_role("combobox", name=label, exact=True)
    box.click()
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).wait_for()
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)


HOSTILE = (
    "=cmd|' /C calc'!A0",
    "<script>fetch('http://127.0.0.1:1/a')</script>",
    "<img src=http://127.0.0.1:1/b>",
    "![c](http://127.0.0.1:1/c)",
    "../../etc/passwd",
    '#show read("/etc/passwd")',
    ":material/delete: $x$ **d**",
    "\u202egnp.exe \U0001f4a5",
)


@pytest.mark.browser
def test_names_in_a_log_stay_names(desk, address, tmp_path):
    """They come from outside: shown letter by letter, and nothing is fetched."""
    path = tmp_path / "<img src=x> =1+1.jsonl"
    rows = [
        {"input_tokens": 100, "output_tokens": 10, "timestamp": 1_750_000_000 + i}
        for i in range(80)
    ]
    named = [{**row, "model": "=1+1", "class": HOSTILE[i % 8]} for i, row in enumerate(rows)]
    path.write_text("\n".join(map(json.dumps, named)))
    opened(desk, address)
    opened(desk, address, PAGE_PATHS["workload"])
    pick(desk, "Request log", "Upload my own")
    desk.locator("input[type=file]").set_input_files(str(path))
    desk.get_by_text("1 : 10 by tokens").wait_for(timeout=60_000)
    desk.get_by_role("button", name="Use this audit as my workload").click()
    label = desk.locator("svg text", has_text=HOSTILE[3]).first
    label.wait_for(state="attached", timeout=60_000)
    assert desk.locator("img[src*='127.0.0.1:1/']").count() == 0
    assert not desk.strangers


class Slow(http.server.BaseHTTPRequestHandler):
    """An engine that answers only when it is told to."""

    def do_GET(self):
        self.server.gate.wait(60)
        self.send_response(200)
        self.end_headers()
        self.wfile.write("\n".join(exposition(5)).encode())

    def log_message(self, *_):
        pass


@pytest.mark.browser
def test_a_reading_can_be_stopped(desk, address):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.gate = threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        opened(desk, address)
        opened(desk, address, PAGE_PATHS["workload"])
        pick(desk, "Request log", logs.METRICS)
        box = desk.get_by_role("textbox", name="Address")
        box.fill(f"http://127.0.0.1:{server.server_port}/metrics")
        desk.get_by_role("button", name="Audit").click()
        desk.get_by_role("button", name="Stop reading").click(timeout=60_000)
        desk.get_by_text("Reading was stopped.").wait_for(timeout=60_000)
    finally:
        server.gate.set()
        server.shutdown()
        server.server_close()
