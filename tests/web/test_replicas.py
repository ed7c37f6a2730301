"""Two processes behind nginx with one PostgreSQL: sticky, shared, and one may die."""

import re
import signal
import time

import pytest

from tests.web.hosted import SECRET, SIGNED_IN
from tests.web.visitor import Visitor, asked

pytestmark = pytest.mark.postgres


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
