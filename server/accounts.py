"""Who a signed-in person is here: claims of a provider, or headers of a proxy, to an Identity."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from planner import ForbiddenError, Identity, StoreError
from server.settings import EVERYBODY, Settings

HOUR_S = 3600.0
PERSON = "user:"
"""Marks a person in a list of roles: nobody enters by taking a group's name as their own."""


def admitted(claims: Mapping[str, Any], held: Settings) -> Identity:
    """The person that claims name, in the highest role they are listed for.

    Raises: ForbiddenError for somebody without a usable name, or who is listed nowhere.
    """
    name = claims.get(held.user_claim)
    if not isinstance(name, str) or not name.strip():
        raise ForbiddenError(f"Your sign-in names no {held.user_claim}: nobody knows who you are.")
    if held.user_claim == "email" and claims.get("email_verified", True) is not True:
        raise ForbiddenError("Your sign-in has not verified your e-mail address.")
    mine = {f"{PERSON}{name}", *_values(claims.get(held.role_claim))}
    listed = (
        ("approver", held.approvers),
        ("editor", held.editors),
        ("viewer", held.viewers),
    )
    for role, names in listed:
        if EVERYBODY in names or mine & names:
            return _identity(name, role)
    raise ForbiddenError("You are signed in, but nobody has let you into this installation yet.")


def is_stale(claims: Mapping[str, Any], held: Settings, now_s: float | None = None) -> bool:
    """Whether a sign-in is older than the installation lets one be; one without a time is."""
    since = claims.get("iat")
    now_s = time.time() if now_s is None else now_s
    fresh = isinstance(since, int | float) and now_s - since < held.session_hours * HOUR_S
    return not fresh


def of_headers(given: Mapping[str, str], held: Settings) -> dict[str, Any]:
    """Claims as a trusted proxy tells them; groups stand between commas."""
    groups = given.get(held.groups_header) or ""
    return {
        held.user_claim: given.get(held.user_header),
        held.role_claim: [part.strip() for part in groups.split(",") if part.strip()],
    }


def _identity(name: str, role: Any) -> Identity:
    try:
        return Identity(name, role)
    except StoreError as error:
        raise ForbiddenError(str(error)) from error


def _values(claim: Any) -> Iterable[str]:
    values = claim if isinstance(claim, list) else [claim]
    return [part for part in values if isinstance(part, str) and not part.startswith(PERSON)]
