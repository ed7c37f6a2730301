"""The audit trail: who did what, when; append-only, each line hashed with the one before it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from planner.store.access import grant
from planner.store.database import Database
from planner.store.identity import Identity
from planner.store.records import Change, Line, canonical, digest
from planner.store.tables import trail
from planner.version import MODEL_VERSION

CHAINED = (
    "n", "at", "who", "role", "action", "document_id", "version", "field", "old", "new",
    "model_version",
)  # fmt: skip
NO_DOCUMENT = ""


@dataclass(frozen=True, slots=True)
class Act:
    """What is written down together: an action on a version, and the fields that it changed."""

    at: datetime
    action: str
    document_id: str
    version: int
    changes: Sequence[Change]


class Trail:
    """The trail of one database, to be read; the store's own functions write it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, who: Identity, document_id: str, *, link: str | None = None) -> list[Line]:
        """Every line about one document, oldest first, for whoever may open its latest version."""
        wanted = select(trail).where(trail.c.document_id == document_id).order_by(trail.c.n)
        with self._database.reading() as connection:
            grant(connection, who, document_id, link).require_all()
            return [line_of(row) for row in connection.execute(wanted).mappings()]

    def whole(self, who: Identity) -> list[Line]:
        """Every line, oldest first, for an approver."""
        who.require("approver", "reading the whole trail")
        with self._database.reading() as connection:
            return list(lines(connection))


def record(connection: Connection, who: Identity, act: Act) -> None:
    """Append one line for each changed field, within the caller's transaction."""
    last = connection.execute(select(trail.c.n, trail.c.hash).order_by(trail.c.n.desc()).limit(1))
    newest, previous = last.one_or_none() or (0, "")
    rows = []
    for n, change in enumerate(act.changes, newest + 1):
        row = _row(n, who, act, change)
        row["hash"] = previous = line_hash(previous, row)
        rows.append(row)
    if rows:
        connection.execute(trail.insert(), rows)


def lines(connection: Connection) -> Iterator[Line]:
    """Every line, oldest first."""
    return map(line_of, connection.execute(select(trail).order_by(trail.c.n)).mappings())


def line_of(row: RowMapping) -> Line:
    """A row as a line."""
    return Line(**row)


def line_hash(previous: str, row: Mapping[str, Any]) -> str:
    """The hash of a line: of all its fields and of the hash before it."""
    fields = (row[name] for name in CHAINED)
    plain = [field.isoformat() if isinstance(field, datetime) else field for field in fields]
    return digest([previous, *plain])


def broken(chain: Iterable[Line]) -> Iterator[str]:
    """A sentence for each line that is not as it was written."""
    previous, expected = "", 1
    for line in chain:
        row = {name: getattr(line, name) for name in CHAINED}
        if line.n != expected:
            yield f"Lines {expected} to {line.n - 1} of the audit trail are missing."
        elif line.hash != line_hash(previous, row):
            yield f"Line {line.n} of the audit trail is not as it was written."
        previous, expected = line.hash, line.n + 1


def _row(n: int, who: Identity, act: Act, change: Change) -> dict[str, Any]:
    return {
        "n": n,
        "at": act.at,
        "who": who.user,
        "role": who.role,
        "action": act.action,
        "document_id": act.document_id,
        "version": act.version,
        "field": change.field,
        "old": canonical(change.old),
        "new": canonical(change.new),
        "model_version": MODEL_VERSION,
    }
