"""Versions as the tables hold them, read within a caller's transaction."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select

from planner.errors import StoreError
from planner.store.access import absent
from planner.store.records import STATES, Listed, Reference, Saved, canonical
from planner.store.tables import approvals, versions

_N_APPROVALS = (
    select(func.count())
    .where(
        approvals.c.document_id == versions.c.document_id, approvals.c.version == versions.c.version
    )
    .scalar_subquery()
    .label("n_approvals")
)
_LISTED = [versions.c[name] for name in Listed.__slots__ if name != "state"]


def opened(connection: Connection, document_id: str, version: int | None = None) -> Saved:
    """A version, by default the latest. Raises: StoreError where there is none."""
    latest = latest_version(connection, document_id)
    wanted = latest if version is None else version
    if not 1 <= wanted <= latest:
        raise absent(document_id)
    query = select(versions, _N_APPROVALS).where(
        versions.c.document_id == document_id, versions.c.version == wanted
    )
    return saved(dict(connection.execute(query).mappings().one()))


def latest_version(connection: Connection, document_id: str) -> int:
    """The number of the newest version; 0 where there is none."""
    newest = select(func.max(versions.c.version)).where(versions.c.document_id == document_id)
    return connection.execute(newest).scalar() or 0


def listed(
    connection: Connection, wanted: ColumnElement[bool], order: ColumnElement[Any]
) -> list[Listed]:
    """The versions that a condition picks, without their content."""
    query = select(*_LISTED, _N_APPROVALS).where(wanted).order_by(order, versions.c.document_id)
    return [_listed(row) for row in connection.execute(query).mappings()]


def _listed(row: RowMapping) -> Listed:
    fields = {column.name: row[column.name] for column in _LISTED}
    return Listed(**fields, state=STATES[row["n_approvals"]])


def is_latest() -> ColumnElement[bool]:
    """The condition that a version is the newest of its document."""
    others = versions.alias()
    newest = select(func.max(others.c.version)).where(
        others.c.document_id == versions.c.document_id
    )
    return versions.c.version == newest.scalar_subquery()


def saved(row: Mapping[str, Any]) -> Saved:
    """A whole row as a version."""
    fields = {name: row[name] for name in (*Listed.__slots__, *Saved.__slots__) if name in row}
    read = {name: json.loads(row[name]) for name in ("content", "headline")}
    read["overlays"] = references(row["overlays"])
    return Saved(**fields | read | {"state": STATES[row.get("n_approvals", 0)]})


def references(kept_as: str) -> tuple[Reference, ...]:
    """Overlays as a row holds them."""
    return tuple((document_id, version) for document_id, version in json.loads(kept_as))


def kept(value: Mapping[str, Any] | list[Any]) -> str:
    """The JSON text under which a value is kept. Raises: StoreError for what JSON cannot hold."""
    try:
        return canonical(value)
    except (TypeError, ValueError) as error:
        raise StoreError(f"The document cannot be kept as JSON: {error}.") from error
