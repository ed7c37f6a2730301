"""Which servers may be asked for their metrics, and which of them are given the token."""

import os
import socket
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from planner.errors import AuditError

NAMED = "SWITCHYARD_PROMETHEUS"
"""Environment variable with the addresses, blanks between them, that this installation asks."""
TOKEN = "SWITCHYARD_PROMETHEUS_TOKEN"  # noqa: S105 - the name of a variable, not a secret
"""Environment variable with the bearer token of those addresses; no other is given it."""
AUTHENTICATION = "SWITCHYARD_AUTH"
HOSTED = {"oidc", "proxy"}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
EXPOSED = "/metrics"


def may_ask(address: str, bound_to: str | None) -> bool:
    """May a dashboard ask an address that somebody typed into it?

    bound_to: where the dashboard listens. One that others can reach, directly or through a proxy
    that signs them in, asks only what is named; one of this machine alone asks what its user may.
    """
    alone = bound_to in LOOPBACK and os.environ.get(AUTHENTICATION) not in HOSTED
    return is_named(address) or (alone and not _named())


def is_named(address: str) -> bool:
    """Is this one of the named servers, or the metrics of one?"""
    return _server(address) in map(_server, _named())


def token_for(address: str) -> str | None:
    """The token, for a server that is named."""
    return os.environ.get(TOKEN) if is_named(address) else None


def check(address: str) -> None:
    """Refuse what only a trap would ask for.

    Raises: AuditError for a user or password in the address, and for a link-local host, where
    clouds keep the credentials of their machines, unless it is named.
    """
    parts, shown = _split(address), spoken(address)
    if "@" in parts.netloc or "\\" in address:
        raise AuditError(f"{shown} holds a user or password; put a token into {TOKEN} instead")
    if not is_named(address) and any(map(_is_link_local, _hosts(parts))):
        raise AuditError(f"{shown} is a link-local address; name it in {NAMED} to have it asked")


def spoken(address: str) -> str:
    """An address as it may be shown: without user, password and query."""
    parts = _split(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _split(address: str) -> SplitResult:
    """The parts of an address. Raises: AuditError."""
    try:
        parts = urlsplit(address)
        int(parts.port or 0)
    except ValueError as error:
        raise AuditError(f"The address cannot be understood: {error}") from error
    return parts


def _named() -> list[str]:
    return os.environ.get(NAMED, "").split()


def _server(address: str) -> str:
    """What two addresses of one server share: all but /metrics at the end."""
    return address.rstrip("/").removesuffix(EXPOSED)


def _hosts(parts: SplitResult) -> set[str]:
    """The numbers behind a name; none where it has none, which the asking then tells."""
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    return {str(where[0]).partition("%")[0] for *_, where in found}


def _is_link_local(host: str) -> bool:
    """Also of an IPv4 address inside an IPv6 one."""
    number = ip_address(host)
    inside = getattr(number, "ipv4_mapped", None) or number
    return inside.is_link_local
