"""Every setting of a deployment, read once from the environment; secrets also from files."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

AUTHS = ("none", "oidc", "proxy")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
LEAST_SECRET = 32
EVERYBODY = "*"
DEFAULTS = {
    "SWITCHYARD_AUTH": "none",
    "SWITCHYARD_USER_CLAIM": "email",
    "SWITCHYARD_ROLE_CLAIM": "groups",
    "SWITCHYARD_VIEWERS": EVERYBODY,
    "SWITCHYARD_PROXY_USER_HEADER": "X-Forwarded-Email",
    "SWITCHYARD_PROXY_GROUPS_HEADER": "X-Forwarded-Groups",
    "SWITCHYARD_SESSION_HOURS": "12",
    "SWITCHYARD_STEPS_PER_MINUTE": "240",
    "SWITCHYARD_SAVES_PER_DAY": "500",
}


class SettingsError(Exception):
    """A deployment that is not safe to start; one sentence says what to set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How this installation is reached, who may enter, and how much each may do.

    public_url: scheme and host that browsers use; "" on loopback without sign-in.
    viewers, editors, approvers: values of the role claim, and user:NAME; "*" is everybody.
    """

    auth: str
    public_url: str
    user_claim: str
    role_claim: str
    viewers: frozenset[str]
    editors: frozenset[str]
    approvers: frozenset[str]
    session_hours: int
    steps_per_minute: int
    saves_per_day: int
    metrics: tuple[str, int] | None
    oidc: Mapping[str, str]
    proxy_secret: str
    user_header: str
    groups_header: str
    sign_out_url: str

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names that a request may ask for."""
        name = urlsplit(self.public_url).hostname
        return (name,) if name else LOOPBACK

    @property
    def is_encrypted(self) -> bool:
        """Whether browsers come by https."""
        return self.public_url.startswith("https:")


@cache
def settings() -> Settings:
    """The settings of this process. Raises: SettingsError."""
    return read(os.environ)


def read(environment: Mapping[str, str]) -> Settings:
    """Settings from SWITCHYARD_… variables; docs/hosting.md lists them. Raises: SettingsError."""
    given = DEFAULTS | {name: text.strip() for name, text in environment.items() if text.strip()}
    auth = given["SWITCHYARD_AUTH"]
    if auth not in AUTHS:
        raise SettingsError(f"SWITCHYARD_AUTH is {auth!r}; it can be {', '.join(AUTHS)}.")
    return Settings(
        auth=auth,
        public_url=_public_url(given, auth),
        user_claim=given["SWITCHYARD_USER_CLAIM"],
        role_claim=given["SWITCHYARD_ROLE_CLAIM"],
        viewers=_names(given, "SWITCHYARD_VIEWERS"),
        editors=_names(given, "SWITCHYARD_EDITORS"),
        approvers=_names(given, "SWITCHYARD_APPROVERS"),
        session_hours=_count(given, "SWITCHYARD_SESSION_HOURS"),
        steps_per_minute=_count(given, "SWITCHYARD_STEPS_PER_MINUTE"),
        saves_per_day=_count(given, "SWITCHYARD_SAVES_PER_DAY"),
        metrics=_metrics(given.get("SWITCHYARD_METRICS", "")),
        oidc=_oidc(given) if auth == "oidc" else {},
        proxy_secret=_secret(given, "SWITCHYARD_PROXY_SECRET") if auth == "proxy" else "",
        user_header=given["SWITCHYARD_PROXY_USER_HEADER"],
        groups_header=given["SWITCHYARD_PROXY_GROUPS_HEADER"],
        sign_out_url=_sign_out_url(given),
    )


def require_safe(held: Settings, address: str | None) -> None:
    """Raise SettingsError where a network would reach a dashboard that asks nobody's name."""
    if held.auth == "none" and not is_loopback(address or ""):
        raise SettingsError(
            f"Without sign-in the dashboard answers this machine alone, not {address or 'every'} "
            "address: use --server.address 127.0.0.1, or set SWITCHYARD_AUTH to oidc or proxy."
        )


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own and reached from nowhere else."""
    if address.lower() == LOOPBACK[0]:
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _public_url(given: Mapping[str, str], auth: str) -> str:
    url = given.get("SWITCHYARD_PUBLIC_URL", "").rstrip("/")
    if auth == "none":
        return ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise SettingsError(
            f"SWITCHYARD_PUBLIC_URL is {url!r}; with sign-in it is the address that browsers use, "
            "such as https://switchyard.example.com."
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise SettingsError(
            f"SWITCHYARD_PUBLIC_URL is {url!r}: a signed-in name must not travel in clear; "
            "use https."
        )
    return url


def _oidc(given: Mapping[str, str]) -> Mapping[str, str]:
    """What Streamlit's own sign-in reads as its section `auth`."""
    url = _public_url(given, "oidc")
    return {
        "redirect_uri": f"{url}/oauth2callback",
        "cookie_secret": _secret(given, "SWITCHYARD_COOKIE_SECRET"),
        "client_id": _named(given, "SWITCHYARD_OIDC_CLIENT_ID"),
        "client_secret": _secret(given, "SWITCHYARD_OIDC_CLIENT_SECRET", least=1),
        "server_metadata_url": _named(given, "SWITCHYARD_OIDC_METADATA_URL"),
    }


def _sign_out_url(given: Mapping[str, str]) -> str:
    url = given.get("SWITCHYARD_PROXY_SIGN_OUT_URL", "")
    if url and not url.startswith(("/", "https://")):
        raise SettingsError(
            f"SWITCHYARD_PROXY_SIGN_OUT_URL is {url!r}; it starts with / or https://."
        )
    return url


def _named(given: Mapping[str, str], name: str) -> str:
    if name not in given:
        raise SettingsError(f"{name} is not set; docs/hosting.md says what it is.")
    return given[name]


def _secret(given: Mapping[str, str], name: str, *, least: int = LEAST_SECRET) -> str:
    """The variable, or what stands in the file that NAME_FILE names; never a shown value."""
    try:
        file = given.get(f"{name}_FILE")
        text = Path(file).read_text().strip() if file else given.get(name, "")
    except OSError as error:
        raise SettingsError(f"{name}_FILE cannot be read: {error.strerror}.") from error
    if len(text) < least:
        raise SettingsError(
            f"{name} (or {name}_FILE) takes {least} characters or more; it has {len(text)}."
        )
    return text


def _names(given: Mapping[str, str], name: str) -> frozenset[str]:
    return frozenset(filter(None, (part.strip() for part in given.get(name, "").split(","))))


def _count(given: Mapping[str, str], name: str) -> int:
    text = given[name]
    if not (text.isascii() and text.isdigit() and int(text)):
        raise SettingsError(f"{name} is {text!r}; it takes a whole number from 1.")
    return int(text)


def _metrics(address: str) -> tuple[str, int] | None:
    """Where the counts are served; nowhere unless it is set."""
    if not address:
        return None
    host, _, port = address.rpartition(":")
    if not (host and port.isascii() and port.isdigit()):
        raise SettingsError(f"SWITCHYARD_METRICS is {address!r}; it takes HOST:PORT.")
    return host.strip("[]"), int(port)
