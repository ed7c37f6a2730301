"""The guard: every request passes it before Streamlit sees any of it."""

import hmac
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import counts, headers
from server.settings import Settings, is_loopback

HEALTH, READY = "/_stcore/health", "/ready"
INNER = "/_stcore/"
OPEN = (HEALTH, "/_stcore/host-config", "/_stcore/stream", "/_stcore/bidi-components")
UPLOADS = "/_stcore/upload_file/"
READING = ("GET", "HEAD", "OPTIONS")
SECRET_HEADER = "X-Switchyard-Proxy-Secret"  # noqa: S105 the name of the header, not a secret
SHUT_OUT = 1008
"""A websocket closed because of a policy."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request goes no further. reason: as counted. says: as answered."""

    status: int
    reason: str
    says: str


NO_PAGE = Refusal(404, "closed", "There is no such page.")
WRONG_HOST = Refusal(400, "host", "This installation has another address.")
WRONG_ORIGIN = Refusal(403, "origin", "Requests come from this installation's own pages alone.")
WRONG_METHOD = Refusal(405, "method", "This address is only read.")
NO_PROXY = Refusal(403, "proxy", "Requests come through this installation's proxy alone.")
BROKEN = Refusal(500, "broken", "Something broke here; the log of this installation says where.")
NOT_LOCAL = Refusal(403, "address", "Without sign-in the dashboard answers its own machine alone.")


class Guard:
    """ASGI middleware: refuses what no page asks for, and puts headers on every answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.headers = headers.secure(is_encrypted=settings.is_encrypted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refused = refusal(scope, self.settings)
        if refused:
            counts.REFUSED.labels(refused.reason).inc()
        if scope["type"] == "websocket":
            await self._socket(refused, scope, receive, send)
        else:
            await self._request(refused, scope, receive, send)

    async def _socket(
        self, refused: Refusal | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if refused:
            await send({"type": "websocket.close", "code": SHUT_OUT, "reason": refused.says})
            return
        with counts.SOCKETS.track_inprogress():
            await self.app(scope, receive, send)

    async def _request(
        self, refused: Refusal | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        app = PlainTextResponse(refused.says, refused.status) if refused else self.app
        started = time.perf_counter()
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self._protect(message)
                counts.REQUESTS.labels(kind(scope["path"]), str(message["status"])).inc()
                counts.SECONDS.labels(kind(scope["path"])).observe(time.perf_counter() - started)
            await send(message)

        try:
            await app(scope, receive, answer)
        except Exception:
            if not begun:
                broken = PlainTextResponse(BROKEN.says, BROKEN.status)
                await broken(scope, receive, answer)
            raise

    def _protect(self, message: MutableMapping[str, Any]) -> None:
        held = MutableHeaders(scope=message)
        for name, text in self.headers.items():
            held[name] = text
        if self.settings.is_encrypted:
            message["headers"] = [
                (name, text + b"; Secure" if name.lower() == b"set-cookie" else text)
                for name, text in message["headers"]
            ]


def refusal(scope: Scope, held: Settings) -> Refusal | None:
    """Why a request is refused; None where it may pass."""
    path, given = scope["path"], Headers(scope=scope)
    if path in (HEALTH, READY):
        return None if scope.get("method") in READING else WRONG_METHOD
    if held.auth == "none" and not is_loopback((scope.get("server") or ("", 0))[0]):
        return NOT_LOCAL
    if (_parts(f"//{given.get('host', '')}").hostname or "") not in held.hosts:
        return WRONG_HOST
    if held.auth == "proxy" and not _from_proxy(given, held):
        return NO_PROXY
    if _is_closed(path):
        return NO_PAGE
    return _crossing(scope, given, held)


def _crossing(scope: Scope, given: Headers, held: Settings) -> Refusal | None:
    """Whatever changes something, or opens a session, comes from one of our own pages."""
    if scope["type"] == "http":
        if scope["method"] in READING:
            return None
        if not scope["path"].startswith(UPLOADS):
            return WRONG_METHOD
    origin = _parts(given.get("origin", ""))
    if held.public_url:
        own = f"{origin.scheme}://{origin.netloc}" == held.public_url
    else:
        own = bool(origin.netloc) and origin.netloc == given.get("host")
    return None if own else WRONG_ORIGIN


def _parts(address: str) -> SplitResult:
    """The parts of an address; of what is none, none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _from_proxy(given: Headers, held: Settings) -> bool:
    said = given.getlist(SECRET_HEADER)
    return len(said) == 1 and hmac.compare_digest(said[0].encode(), held.proxy_secret.encode())


def _is_closed(path: str) -> bool:
    """Streamlit's inner addresses that no page of ours asks for: metrics, the agents' API."""
    return path.startswith(INNER) and not path.startswith((*OPEN, UPLOADS))


def kind(path: str) -> str:
    """The sort of address, as counted; never the address itself, which can name a scenario."""
    first, _, rest = path.lstrip("/").partition("/")
    if first == "_stcore":
        return rest.partition("/")[0] if not _is_closed(path) else "closed"
    return first if first in ("static", "media", "component", "auth", "ready") else "page"
