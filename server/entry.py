"""What Streamlit's own server gets beside the script: guard, readiness, secrets, and an ear."""

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import Route
from streamlit import config

from planner import MODEL_VERSION, Store
from server import counts, logs
from server.callbacks import run_whole
from server.guard import READY, Guard
from server.readiness import Readiness
from server.settings import Settings, SettingsError, require_safe, settings

Warming = Callable[[Any], AbstractAsyncContextManager[None]]


def guarded(warming: Warming, open_store: Callable[[], Store]) -> dict[str, Any]:
    """Arguments of `streamlit.starlette.App`. Ends the process where it is not safe to start."""
    try:
        held = settings()
        require_safe(held, config.get_option("server.address"))
        _require_parts(held)
    except SettingsError as error:
        sys.exit(f"Switchyard does not start. {error}")
    run_whole()
    if held.auth != "none":
        logs.structured()
    if held.oidc:
        config.set_option("server.cookieSecret", held.oidc["cookie_secret"], "the environment")
    return {
        "secrets": {"auth": dict(held.oidc)} if held.oidc else None,
        "lifespan": _watched(held, warming),
        "routes": [Route(READY, Readiness(open_store).respond)],
        "middleware": [Middleware(Guard, settings=held)],
        "on_script_error": _broken,
    }


def _require_parts(held: Settings) -> None:
    if held.oidc and find_spec("authlib") is None:
        raise SettingsError("Sign-in needs Authlib: install requirements-hosted.lock.")


def _watched(held: Settings, warming: Warming) -> Warming:
    """From the first to the last moment of a server: counts are served, and both are logged."""

    @asynccontextmanager
    async def alive(server: Any) -> AsyncIterator[None]:
        if held.metrics:
            counts.serve(held.metrics)
        logs.told("started", model=MODEL_VERSION, auth=held.auth, pid=os.getpid())
        async with warming(server):
            yield
        logs.told("stopped", pid=os.getpid())

    return alive


def _broken(error: Exception) -> None:
    counts.BROKEN.labels(type(error).__name__).inc()
