"""The check that nothing kept was edited: the trail's chain, and every hash it vouches for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, select, text

from planner.facts.catalog import catalog_version
from planner.store.database import Database
from planner.store.documents import files_of_then
from planner.store.identity import Identity
from planner.store.links import named
from planner.store.records import Line, canonical, content_hash
from planner.store.tables import approvals, catalogs, links, versions
from planner.store.trail import broken, lines

Row: TypeAlias = Mapping[str, Any]
UNKNOWN = ""
"""Catalog version of what was saved before catalogs were kept."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. problems: a sentence each; head: hash of the trail's last line."""

    n_lines: int
    n_versions: int
    head: str
    problems: tuple[str, ...]


def check(database: Database, who: Identity, *, holds: str | None = None) -> Checked:
    """Recompute every hash in the store, for an approver.

    holds: the head of an earlier check, kept elsewhere; the trail must still hold that line, or
    it was rewritten from there on.
    """
    who.require("approver", "checking the store")
    with database.reading() as connection:
        return checked(connection, holds)


def checked(connection: Connection, holds: str | None = None) -> Checked:
    """The same within a caller's transaction."""
    chain = list(lines(connection))
    rows = [dict(row) for row in connection.execute(select(versions)).mappings()]
    problems = [
        *_of_the_file(connection),
        *broken(chain),
        *_of_versions(rows, chain),
        *_of_approvals(connection, rows, chain),
        *_of_links(connection, chain),
        *_of_catalogs(connection, rows),
    ]
    if holds is not None and holds not in {line.hash for line in chain}:
        problems.append(f"The audit trail no longer holds the line {holds}: it was rewritten.")
    head = chain[-1].hash if chain else ""
    return Checked(len(chain), len(rows), head, tuple(problems))


def _of_the_file(connection: Connection) -> Iterator[str]:
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("PRAGMA integrity_check")).scalar()
        if found != "ok":
            yield f"The SQLite file is damaged: {found}."


def _of_versions(rows: Iterable[Row], chain: Iterable[Line]) -> Iterator[str]:
    told = {(line.document_id, line.version): line for line in chain if line.field == "content"}
    owners = {document: line.who for (document, version), line in told.items() if version == 1}
    for row in rows:
        if content_hash(row) != row["content_hash"]:
            yield f"{_where(row)} is not as it was saved."
        line = told.pop((row["document_id"], row["version"]), None)
        if line is None or not _vouches(line, row, owners):
            yield f"{_where(row)} is not the one that the audit trail tells of."
    for document_id, version in told:
        yield f"Version {version} of {document_id} is missing."


def _vouches(line: Line, row: Row, owners: Mapping[str, str]) -> bool:
    """Whether a line tells of this content, author, owner and, where it was there, moment."""
    moment = line.at if line.action == "save" else row["saved_at"]
    told = (line.new, line.who, owners.get(line.document_id), moment)
    return told == (canonical(row["content_hash"]), row["author"], row["owner"], row["saved_at"])


def _of_approvals(
    connection: Connection, rows: Iterable[Row], chain: Iterable[Line]
) -> Iterator[str]:
    hashes = {(row["document_id"], row["version"]): row["content_hash"] for row in rows}
    told = {
        (line.document_id, line.version, line.action): (line.who, line.role, line.at)
        for line in chain
        if line.field == "state"
    }
    for row in map(dict, connection.execute(select(approvals)).mappings()):
        key = row["document_id"], row["version"]
        if hashes.get(key) != row["content_hash"]:
            yield f"{_where(row)} is not what {row['name']} {row['state']}."
        if told.pop((*key, row["state"]), None) != (row["name"], row["role"], row["at"]):
            yield f"The audit trail tells otherwise of how {_where(row)} was {row['state']}."
    for document_id, version, state in told:
        yield f"The record that version {version} of {document_id} was {state} is missing."


def _of_links(connection: Connection, chain: Iterable[Line]) -> Iterator[str]:
    """The last line about a link says what it opens, or that it was revoked."""
    told = {line.field: line.new for line in chain if line.field.startswith("link ")}
    for row in map(dict, connection.execute(select(links)).mappings()):
        right = None if row["revoked_at"] else row["right"]
        if told.get(named(row["share_id"])) != canonical(right):
            yield f"A link to {_where(row)} is not the one that the audit trail tells of."


def _of_catalogs(connection: Connection, rows: Iterable[Row]) -> Iterator[str]:
    kept = set(connection.execute(select(catalogs.c.catalog_version)).scalars())
    for version in sorted(kept):
        if catalog_version(files_of_then(connection, version) or {}) != version:
            yield f"The kept files of catalog {version} are not as they were."
    for version in sorted({row["catalog_version"] for row in rows} - kept - {UNKNOWN}):
        yield f"The kept files of catalog {version} are missing."


def _where(row: Row) -> str:
    return f"Version {row['version']} of {row['document_id']}"
