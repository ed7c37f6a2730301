"""The headers of every answer: what a browser may load, show, and tell to others."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import streamlit

INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
YEAR_S = 31_536_000


@cache
def policy() -> str:
    """The content security policy: this server and nothing else.

    Streamlit's page has inline scripts, admitted by their hashes, styles made while it runs, and
    whole numbers of 64 bits in WebAssembly; text never becomes script.
    """
    rules = {
        "default-src": ["'self'"],
        "script-src": ["'self'", "'wasm-unsafe-eval'", *_inline_scripts()],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "media-src": ["'self'"],
        "worker-src": ["'self'", "blob:"],
        "frame-src": ["'none'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(" ".join((name, *sources)) for name, sources in rules.items())


def secure(*, is_encrypted: bool) -> dict[str, str]:
    """Every header by its lower-case name."""
    held = {
        "content-security-policy": policy(),
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if is_encrypted:
        held["strict-transport-security"] = f"max-age={YEAR_S}"
    return held


def _inline_scripts() -> list[str]:
    page = Path(streamlit.__file__).parent / "static" / "index.html"
    digests = (hashlib.sha256(text).digest() for text in INLINE.findall(page.read_bytes()))
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
