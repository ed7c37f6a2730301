"""Two processes behind nginx with one PostgreSQL: sticky, shared, and one may die."""

import re
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack, contextmanager

import pytest

from tests.web.conftest import ROOT, dashboard, free_port, wait_for
from tests.web.visitor import Visitor, asked

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SECRET = "s" * 40
SIGNED_IN = {
    "X_Switchyard_Proxy_Secret": SECRET,
    "X_Forwarded_Email": "ada@example.com",
}
pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def site(postgres_server, tmp_path_factory):
    """The shipped nginx.conf in front of two dashboards."""
    if not NGINX:
        pytest.skip("nginx is not installed")
    port = free_port()
    with ExitStack() as held:
        settings = {
            "SWITCHYARD_AUTH": "proxy",
            "SWITCHYARD_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SWITCHYARD_PROXY_SECRET": SECRET,
            "SWITCHYARD_EDITORS": "*",
            "SWITCHYARD_DATABASE_URL": held.enter_context(postgres_server.database()),
        }
        replicas = []
        for _ in range(2):
            metrics = free_port()
            own = settings | {"SWITCHYARD_METRICS": f"127.0.0.1:{metrics}"}
            replicas.append(held.enter_context(dashboard(**own)))
            replicas[-1].metrics = f"http://127.0.0.1:{metrics}"
        proxy = held.enter_context(nginx(port, replicas, tmp_path_factory.mktemp("nginx")))
        wait_for(proxy, f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}", replicas


@contextmanager
def nginx(port, replicas, folder):
    """The shipped configuration with addresses of this machine and without encryption."""
    text = (ROOT / "deploy/nginx.conf").read_text()
    for n, replica in enumerate(replicas, 1):
        text = text.replace(f"switchyard-{n}:8501", replica.address.removeprefix("http://"))
    text = re.sub(r"listen 8443 ssl;", f"listen 127.0.0.1:{port};", text)
    text = re.sub(r"^ *ssl_.*\n", "", text, flags=re.MULTILINE)
    text = text.replace("/tmp/", f"{folder}/")
    (folder / "nginx.conf").write_text(text)
    command = [NGINX, "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def browsed(address, route=""):
    """The page through the proxy: status and the cookie that names the route."""
    headers = {"X-Switchyard-Proxy-Secret": SECRET, "X-Forwarded-Email": "ada@example.com"}
    if route:
        headers["Cookie"] = f"switchyard_route={route}"
    status, held, _ = asked(address, "/", **headers)
    found = re.search(r"switchyard_route=(\w+)", held.get("set-cookie", ""))
    return status, found and found[1]


def runs(replica):
    text = asked(replica.metrics, "/metrics")[2]
    return float(re.search(r"^switchyard_runs_total (\S+)", text, re.MULTILINE)[1])


def visit(address, query="", route=""):
    visitor = Visitor(address, Cookie=f"switchyard_route={route}", **SIGNED_IN)
    try:
        return visitor.open(query)
    finally:
        visitor.close()


def test_a_browser_comes_back_to_its_replica(site):
    address, replicas = site
    status, route = browsed(address)
    assert (status, bool(route)) == (200, True)
    assert browsed(address, route) == (200, None)
    before = [runs(replica) for replica in replicas]
    for _ in range(4):
        visit(address, route=route)
    after = [runs(replica) for replica in replicas]
    assert min(b - a for a, b in zip(before, after, strict=True)) == 0


def test_browsers_share_the_replicas_out(site):
    address, replicas = site
    before = [runs(replica) for replica in replicas]
    for n in range(12):
        visit(address, route=f"{n:032x}")
    after = [runs(replica) for replica in replicas]
    assert all(b > a for a, b in zip(before, after, strict=True))


def test_readiness_is_not_for_the_network(site):
    address, _ = site
    assert asked(address, "/ready")[0] == 404


def test_f2_a_killed_replica_is_replaced_at_once_and_the_draft_goes_on(site):
    address, replicas = site
    route = "a" * 32
    visit(address, "power_budget_mw=7.125&profile=axiom", route)
    before = [runs(replica) for replica in replicas]
    visit(address, route=route)
    mine = max(range(2), key=lambda n: runs(replicas[n]) - before[n])
    replicas[mine].send_signal(signal.SIGKILL)
    replicas[mine].wait(10)
    started = time.monotonic()
    assert browsed(address, route)[0] == 200
    assert "7.125" in visit(address, route=route)
    assert time.monotonic() - started < 5
