"""Pages on screen: one at a time without a browser, and the whole dashboard in a real one."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from pages.ui import fleets, keeping, risks, trends
from planner import Scenario
from tests.store.conftest import postgres_server  # noqa: F401 a fixture of two replicas

ROOT = Path(__file__).parents[2]
PAGE_PATHS = {
    "start": "",
    "workload": "requests",
    "power": "megawatts",
    "options": "ladder",
    "fleet": "chips",
    "money": "cash",
    "risk": "odds",
    "compare": "side-by-side",
    "brief": "sign",
    "evidence": "proof",
    "hardware": "shop",
}
PAGES = tuple(PAGE_PATHS)
INSIDE = ("blob:", "data:")
CHROMIUM = Path("/usr/bin/chromium")
SILENT = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session", autouse=True)
def own_store(tmp_path_factory):
    """A store that nobody else uses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.delenv("SWITCHYARD_DATABASE_URL", raising=False)
        keeping.store.clear()
        yield
    keeping.store.clear()


@pytest.fixture
def app(monkeypatch):
    """The dashboard without a browser, before its first run."""
    started = PagesManager.__init__

    def without_pages_folder(self, *given, **named):
        """As in a server that has answered once: app.py's own navigation rules."""
        started(self, *given, **named)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", without_pages_folder)
    monkeypatch.chdir(ROOT)
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)


@pytest.fixture
def short(monkeypatch):
    """Series of a few points, where a test asks only whether a page stands."""
    monkeypatch.setattr(risks, "SHOWN_BARS", 1)
    monkeypatch.setattr(risks, "RATIOS", (0.1,))
    monkeypatch.setattr(trends, "RATIOS", (0.05, 0.5))
    monkeypatch.setattr(fleets, "SHARES", (0.5,))


@pytest.fixture
def show(app):
    """Open a page over a scenario given by its changed fields."""

    def run(name="start", /, **fields):
        app.session_state["scenario"] = Scenario.read(fields)
        return turn(app.run(), name)

    return run


@pytest.fixture
def follow(app):
    """Open a link."""

    def run(**query):
        app.query_params.update(query)
        return sound(app.run())

    return run


def turn(screen, name):
    """Go to another page."""
    return sound(screen.switch_page(f"pages/{name}.py").run())


def sound(screen):
    """A screen on which nothing broke."""
    assert not screen.exception, screen.exception
    return screen


def shown(widgets, key):
    """The widget that shows a field now, whichever it replaced."""
    return next(widget for widget in widgets if re.split("~| to ", str(widget.key))[0] == key)


def words(screen):
    """Everything a reader sees as text, Markdown escapes undone."""
    kinds = (screen.markdown, screen.caption, screen.warning, screen.error, screen.info)
    read = [element.value for kind in kinds for element in kind]
    read += [part for metric in screen.metric for part in (metric.label, metric.value)]
    return "\n".join(read).replace("\\", "").replace("\u2060", "")


@pytest.fixture(scope="session")
def address():
    """The dashboard, served on a free port of this machine."""
    with dashboard() as server:
        yield server.address


@pytest.fixture(scope="module")
def site(postgres_server, tmp_path_factory):  # noqa: F811
    """The hosted installation: its address, and its two replicas."""
    from tests.web.hosted import hosted

    with hosted(postgres_server, tmp_path_factory.mktemp("nginx")) as held:
        yield held


@contextmanager
def dashboard(script="app.py", *, port=None, log=None, **environment):
    """A dashboard of its own; its process carries the address."""
    port = port or free_port()
    options = {"port": port, "headless": "true", "address": "127.0.0.1", "fileWatcherType": "none"}
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += [f"--server.{name}={value}" for name, value in options.items()]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": log or subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, **quiet)
    server.address = f"http://127.0.0.1:{port}"
    try:
        wait_for(server, f"{server.address}/_stcore/health")
        yield server
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def free_port():
    """A port of this machine that nobody uses now."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def wait_for(server, url, *, patience_s=60):
    """Wait until a server answers."""
    deadline = time.monotonic() + patience_s
    while True:
        assert server.poll() is None, "the dashboard did not start"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert answer.status == 200
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            assert time.monotonic() < deadline, "the dashboard did not answer"
            time.sleep(0.1)


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium, quiet on the network."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as held:
        browser = held.chromium.launch(executable_path=str(CHROMIUM), args=list(SILENT))
        # Playwright waits for functions by `eval`, which the dashboard's policy refuses.
        browser.new_context = partial(browser.new_context, bypass_csp=True)
        yield browser
        browser.close()


@pytest.fixture
def desk(chromium, address):
    """A page of a desktop browser that counts requests to anywhere else."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.strangers = []
    page.on(
        "request",
        lambda sent: sent.url.startswith((address, *INSIDE)) or page.strangers.append(sent.url),
    )
    yield page
    context.close()
