"""S1 where no running server shows it: other networks, encryption, and what is counted."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.guard import Guard, kind, refusal
from server.settings import read

OIDC = read(
    {
        "SWITCHYARD_AUTH": "oidc",
        "SWITCHYARD_PUBLIC_URL": "https://switchyard.example.com",
        "SWITCHYARD_COOKIE_SECRET": "s" * 32,
        "SWITCHYARD_OIDC_CLIENT_ID": "switchyard",
        "SWITCHYARD_OIDC_CLIENT_SECRET": "x",
        "SWITCHYARD_OIDC_METADATA_URL": "https://id.example.com",
    }
)


def run(coroutine):
    """In a thread of its own: a browser that drives other tests keeps a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def request(path="/", server="127.0.0.1", asked="http", method="GET", **headers):
    listed = {"host": "switchyard.example.com"} | headers
    return {
        "type": asked,
        "method": method,
        "path": path,
        "server": (server, 8501),
        "headers": [(name.encode(), text.encode("latin-1")) for name, text in listed.items()],
    }


def why(held, **given):
    found = refusal(request(**given), held)
    return found and found.reason


@pytest.mark.parametrize("server", ["10.0.0.1", "0.0.0.0", "2001:db8::1", ""])
def test_s2_a_request_that_came_over_a_network_needs_sign_in(server):
    assert why(read({}), server=server, host="localhost") == "address"
    assert why(OIDC, server=server) is None


def test_s1_a_session_is_opened_from_the_public_address_alone():
    def opened(origin):
        return why(OIDC, asked="websocket", path="/_stcore/stream", origin=origin)

    assert opened("https://switchyard.example.com") is None
    for origin in (
        "http://switchyard.example.com",
        "https://switchyard.example.com:444",
        "https://switchyard.example.com.evil.example",
        "https://evil.example",
        "null",
    ):
        assert opened(origin) == "origin"


@given(st.text(st.characters(max_codepoint=255)))
def test_b5_no_header_breaks_the_guard(text):
    for held in (read({}), OIDC):
        assert why(held, asked="websocket", path="/_stcore/stream", host=text, origin=text)


def test_probes_may_come_by_any_name():
    for path in ("/_stcore/health", "/ready"):
        assert why(OIDC, path=path, host="10.1.2.3:8501", server="10.1.2.3") is None
        assert why(OIDC, path=path, method="POST") == "method"


def answered(held, app):
    sent = []

    async def send(message):
        sent.append(message)

    run(Guard(app, held)(request(), None, send))
    return sent


def test_s1_cookies_are_secure_where_browsers_come_by_https():
    async def app(scope, receive, send):
        headers = [(b"set-cookie", b"a=b; HttpOnly"), (b"x-frame-options", b"ALLOWALL")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    headers = dict(answered(OIDC, app)[0]["headers"])
    assert headers[b"set-cookie"] == b"a=b; HttpOnly; Secure"
    assert headers[b"strict-transport-security"].startswith(b"max-age=")
    assert headers[b"x-frame-options"] == b"DENY"


def test_s1_what_breaks_is_answered_in_words_under_the_same_headers():
    async def app(scope, receive, send):
        raise RuntimeError("a secret of the house")

    sent = []

    async def send(message):
        sent.append(message)

    with pytest.raises(RuntimeError):
        run(Guard(app, OIDC)(request(), None, send))
    assert sent[0]["status"] == 500
    assert b"content-security-policy" in dict(sent[0]["headers"])
    assert b"secret" not in sent[1]["body"]


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/", "page"),
        ("/ladder", "page"),
        ("/media/1234.pdf", "media"),
        ("/static/js/a.js", "static"),
        ("/_stcore/health", "health"),
        ("/_stcore/metrics", "closed"),
        ("/_stcore/anything/else", "closed"),
        ("/ready", "ready"),
    ],
)
def test_addresses_are_counted_by_kind(path, named):
    assert kind(path) == named
