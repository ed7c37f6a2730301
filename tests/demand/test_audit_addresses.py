"""Which servers an audit asks, and which of them are given the token."""

import http.server
import socket
import threading

import pytest

from planner.demand.audit import audit
from planner.demand.metrics.addresses import may_ask
from planner.errors import AuditError
from tests.demand.engines import exposition

INSIDE = "http://prometheus.internal:9090"


@pytest.fixture
def engine():
    """An engine that keeps what it was asked with, and wants a token if told to."""

    class Engine(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            token = self.headers.get("Authorization")
            self.server.tokens.append(token)
            self.send_response(401 if self.server.closed and not token else 200)
            self.end_headers()
            self.wfile.write("\n".join(exposition(5)).encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    server.tokens, server.closed = [], False
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_token_goes_to_a_named_server_and_to_no_other(engine, monkeypatch):
    monkeypatch.setenv("SWITCHYARD_PROMETHEUS_TOKEN", "s3cret")
    audit(f"{engine.address}/metrics")
    monkeypatch.setenv("SWITCHYARD_PROMETHEUS", f"{INSIDE} {engine.address.replace('127', '128')}")
    audit(f"{engine.address}/metrics")
    assert engine.tokens == [None, None]
    monkeypatch.setenv("SWITCHYARD_PROMETHEUS", f"{INSIDE} {engine.address}")
    audit(f"{engine.address}/metrics")
    assert engine.tokens[2:] == ["Bearer s3cret"]


def test_a_server_that_wants_a_token_says_how_to_give_it(engine, monkeypatch):
    monkeypatch.setenv("SWITCHYARD_PROMETHEUS_TOKEN", "s3cret")
    engine.closed = True
    with pytest.raises(AuditError, match=r"401 .*named in SWITCHYARD_PROMETHEUS") as refused:
        audit(f"{engine.address}/metrics")
    assert "s3cret" not in str(refused.value)


MAY_ASK = {
    "its user's own machine asks anything": ("127.0.0.1", "", "", "http://10.0.0.7:9090", True),
    "a hosted page asks nothing unnamed": ("0.0.0.0", "", "", "http://10.0.0.7:9090", False),
    "not even its own machine": ("0.0.0.0", "", "", "http://127.0.0.1:9090", False),
    "nor one behind a proxy": ("127.0.0.1", "proxy", "", "http://127.0.0.1:9090", False),
    "nor one with sign-in": ("localhost", "oidc", "", "http://127.0.0.1:9090", False),
    "nor one that does not say": (None, "", "", "http://127.0.0.1:9090", False),
    "a named server is asked": ("0.0.0.0", "oidc", INSIDE, f"{INSIDE}/", True),
    "and its own metrics": ("0.0.0.0", "oidc", INSIDE, f"{INSIDE}/metrics", True),
    "but nothing else on it": ("0.0.0.0", "oidc", INSIDE, f"{INSIDE}/admin/metrics", False),
    "nor with a query": ("0.0.0.0", "oidc", INSIDE, f"{INSIDE}?x=/metrics", False),
    "nor what only begins so": ("0.0.0.0", "oidc", INSIDE, f"{INSIDE}1", False),
    "nor what looks like it": ("0.0.0.0", "oidc", INSIDE, f"{INSIDE}@10.0.0.7", False),
    "where names are given they hold": ("127.0.0.1", "", INSIDE, "http://10.0.0.7:9090", False),
}


@pytest.mark.parametrize("what", MAY_ASK)
def test_a_page_asks_only_what_it_may(what, monkeypatch):
    bound_to, authentication, named, address, may = MAY_ASK[what]
    monkeypatch.setenv("SWITCHYARD_AUTH", authentication)
    monkeypatch.setenv("SWITCHYARD_PROMETHEUS", named)
    assert may_ask(address, bound_to) is may


TRAPS = {
    "http://169.254.169.254/metrics": "link-local",
    "http://[fe80::1]:9090": "link-local",
    "http://[::ffff:169.254.169.254]/metrics": "link-local",
    "http://2852039166/metrics": "link-local",
    "http://ann:hunter2@127.0.0.1:9090": "holds a user or password",
    "http://127.0.0.1:9090\\@169.254.169.254": "holds a user or password",
    "http://127.0.0.1:none": "cannot be understood",
    "http://[::1": "cannot be understood",
}


@pytest.mark.parametrize("address", TRAPS)
def test_what_only_a_trap_would_ask_is_refused(address, monkeypatch):
    with pytest.raises(AuditError, match=TRAPS[address]) as refused:
        audit(address)
    assert "hunter2" not in str(refused.value)


def test_a_name_that_leads_to_a_link_local_host_is_refused(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(AuditError, match="link-local"):
        audit("http://metadata.example/metrics")
