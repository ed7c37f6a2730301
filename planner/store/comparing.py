"""What differs between two documents, and what to say to the second of two who save."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection

from planner.errors import OvertakenError, StoreError
from planner.store import rows
from planner.store.records import Change, Listed, Overtaking, Saved, canonical

SHOWN_NAMES = 5
SHOWN_CHARACTERS = 40
NAMES_OF_ROWS = ("name", "accelerator")


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Every field that differs, by dotted path; rows of a list go by their name."""
    before, after = flat(old), flat(new)
    paths = sorted(before.keys() | after.keys())
    found = (Change(path, before.get(path), after.get(path)) for path in paths)
    return tuple(change for change in found if change.old != change.new)


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """The leaves of a document by dotted path; an empty table or list is a leaf."""
    inner = _by_name(value) if isinstance(value, list | tuple) else value
    if not isinstance(inner, Mapping) or not inner:
        return {path: value}
    leaves: dict[str, Any] = {}
    for key, item in inner.items():
        leaves |= flat(item, f"{path}.{key}".lstrip("."))
    return leaves


def require_latest(connection: Connection, opened: Saved, content: Mapping[str, Any]) -> None:
    """Raise OvertakenError unless the version that was opened is still the newest.

    StoreError where a backup has been restored since then.
    """
    newest = rows.opened(connection, opened.document_id)
    if newest.content_hash == opened.content_hash and newest.version == opened.version:
        return
    since = range(min(opened.version, newest.version - 1), newest.version + 1)
    held = [rows.opened(connection, opened.document_id, n) for n in since if n]
    newer = tuple((later, changes(whole(first), whole(later))) for first, later in pairwise(held))
    if not newer:
        since_then = "was restored from a backup since you opened it: open it again."
        raise StoreError(f"{newest.name!r} {since_then}")
    differing = changes(newest.content, content)
    raise OvertakenError(_sentence(opened, newer, differing), Overtaking(newer, differing))


def _both(old: Any, new: Any) -> str:
    return f"from {_short(old)} to {_short(new)}"


def told(found: tuple[Change, ...], say: Callable[[Any, Any], str] = _both) -> str:
    """The first few changes in words; `say` puts two values into words."""
    shown = [f"{change.field} {say(change.old, change.new)}" for change in found[:SHOWN_NAMES]]
    more = len(found) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def whole(version: Saved) -> dict[str, Any]:
    """All that a version is saved with: its content, and the overlays it rests on."""
    return {**version.content, "overlays": [list(item) for item in version.overlays]}


def _sentence(
    opened: Saved,
    newer: tuple[tuple[Listed, tuple[Change, ...]], ...],
    differing: tuple[Change, ...],
) -> str:
    saves = "; ".join(
        f"{later.author} saved version {later.version} of {later.name!r} at "
        f"{later.saved_at:%Y-%m-%d %H:%M:%S} UTC"
        + (f" and changed {told(changed)}" if changed else " and changed no field")
        for later, changed in newer
    )
    yours = f"theirs and yours differ in {told(differing)}" if differing else "yours is the same"
    return (
        f"After you opened version {opened.version}, {saves}; {yours}: "
        "open theirs, or save yours under a name of its own."
    )


def _short(value: Any) -> str:
    text = "nothing" if value is None else canonical(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _by_name(items: list[Any] | tuple[Any, ...]) -> dict[str, Any] | list[Any]:
    """Rows by their names where each has one of its own, else the list as it is."""
    for name in NAMES_OF_ROWS:
        named = {str(row[name]): row for row in items if isinstance(row, Mapping) and name in row}
        if named and len(named) == len(items):
            return named
    return list(items)
