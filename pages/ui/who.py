"""Who asks, as this browser's sign-in tells, and how much of the store they may fill."""

import getpass
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from planner import ForbiddenError, Identity, Store
from server import accounts, counts
from server.settings import settings


def reader() -> Identity:
    """Who asks; without sign-in, whoever runs this program.

    Raises: ForbiddenError for somebody who is not signed in or may not enter.
    """
    held = settings()
    if held.auth == "none":
        return _owner()
    said = claims()
    if said is None:
        raise ForbiddenError("You are not signed in.")
    return accounts.admitted(said, held)


def claims() -> dict[str, Any] | None:
    """What the provider or the proxy says of this browser; None where nobody is signed in."""
    held = settings()
    if held.auth == "proxy":
        return accounts.of_headers(st.context.headers.to_dict(), held)
    if not st.user.is_logged_in:
        return None
    said = dict(st.user.to_dict())
    return None if accounts.is_stale(said, held) else said


def may_save(store: Store) -> None:
    """Raise ForbiddenError where a signed-in user has saved as much as a day allows."""
    held = settings()
    if held.auth == "none":
        return
    day_ago = datetime.now(UTC) - timedelta(days=1)
    kept = (store.scenarios, store.overlays)
    if sum(kind.n_saved(reader(), day_ago) for kind in kept) >= held.saves_per_day:
        counts.LIMITED.labels("saves").inc()
        raise ForbiddenError(
            f"You have saved {held.saves_per_day} versions within a day, the most that one user "
            "may here; your draft is kept."
        )


def _owner() -> Identity:
    try:
        return Identity(getpass.getuser(), "approver")
    except (OSError, KeyError):
        return Identity("owner", "approver")
