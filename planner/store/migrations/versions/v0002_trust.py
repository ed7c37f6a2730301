"""Owners, overlays, approvals, revocable links, catalogs of then, and the hash-chained trail.

Scenarios saved before keep their content byte for byte, as schema 1. Versions, approvals and the
trail refuse every change from here on.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEPT = ("versions", "approvals", "trail", "catalogs")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the new tables, move every row into them, and write the trail's first lines."""
    _make_tables()
    rows = _versions()
    _insert("versions", rows)
    _insert("trail", _first_lines(rows, _shares()))
    op.execute(
        'INSERT INTO links (share_id, document_id, version, owner, "right", shared_at)'
        " SELECT share_id, scenario_id, version, owner, 'view', shared_at FROM shares"
    )
    op.execute(
        "INSERT INTO drafts (owner, content, schema_version, overlays, saved_at)"
        " SELECT owner, content, 1, '[]', saved_at FROM old_drafts"
    )
    for table in ("shares", "scenario_versions", "old_drafts"):
        op.drop_table(table)
    _refuse_changes()


def _make_tables() -> None:
    op.rename_table("drafts", "old_drafts")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX drafts_pkey RENAME TO old_drafts_pkey")
    text, integer = sa.String, sa.Integer
    _table("catalogs", {"catalog_version": text}, files=sa.Text)
    _table(
        "versions", {"document_id": text, "version": integer},
        kind=text, owner=text, author=text, name=text, saved_at=MOMENT, schema_version=integer,
        content=sa.Text, overlays=sa.Text, model_version=text, catalog_version=text,
        headline=sa.Text, content_hash=text,
    )  # fmt: skip
    op.create_index("ix_versions_owner", "versions", ["kind", "owner"])
    _table(
        "approvals", {"document_id": text, "version": integer, "state": text}, _of_a_version(),
        name=text, role=text, at=MOMENT, content_hash=text,
    )  # fmt: skip
    _table(
        "links", {"share_id": text}, sa.Column("revoked_at", MOMENT), _of_a_version(),
        document_id=text, version=integer, owner=text, right=text, shared_at=MOMENT,
    )  # fmt: skip
    _table(
        "drafts", {"owner": text}, sa.Column("document_id", text), sa.Column("version", integer),
        content=sa.Text, schema_version=integer, overlays=sa.Text, saved_at=MOMENT,
    )  # fmt: skip
    _table(
        "trail", {"n": integer},
        at=MOMENT, who=text, role=text, action=text, document_id=text, version=integer,
        field=text, old=sa.Text, new=sa.Text, model_version=text, hash=text,
    )  # fmt: skip
    op.create_index("ix_trail_document", "trail", ["document_id"])


def _table(
    called: str, key: Mapping[str, Any], /, *others: sa.schema.SchemaItem, **needed: Any
) -> None:
    keys = [sa.Column(c, kind, primary_key=True, autoincrement=False) for c, kind in key.items()]
    columns = [sa.Column(column, kind, nullable=False) for column, kind in needed.items()]
    op.create_table(called, *keys, *columns, *others)


def _of_a_version() -> sa.ForeignKeyConstraint:
    columns = ["document_id", "version"]
    return sa.ForeignKeyConstraint(columns, [f"versions.{name}" for name in columns])


def _insert(name: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        table = sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())
        op.get_bind().execute(table.insert(), rows)


def _versions() -> list[dict[str, Any]]:
    """The saved scenarios in the order they were saved; the first to save owns a scenario."""
    old = sa.Table("scenario_versions", sa.MetaData(), autoload_with=op.get_bind())
    order = (old.c.saved_at, old.c.scenario_id, old.c.version)
    rows = [dict(row) for row in op.get_bind().execute(sa.select(old).order_by(*order)).mappings()]
    owners = {row["scenario_id"]: row["owner"] for row in rows if row["version"] == 1}
    for row in rows:
        row["document_id"] = row.pop("scenario_id")
        row["author"], row["owner"] = row["owner"], owners[row["document_id"]]
        row |= {"kind": "scenario", "schema_version": 1, "overlays": "[]", "catalog_version": ""}
        hashed = (
            "kind", "name", "schema_version", "content", "overlays", "model_version",
            "catalog_version", "headline",
        )  # fmt: skip
        row["content_hash"] = _digest([row[field] for field in hashed])
    return rows


def _shares() -> list[dict[str, Any]]:
    old = sa.Table("shares", sa.MetaData(), autoload_with=op.get_bind())
    order = (old.c.shared_at, old.c.share_id)
    return [dict(row) for row in op.get_bind().execute(sa.select(old).order_by(*order)).mappings()]


def _first_lines(rows: list[dict[str, Any]], shares: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A line for every version and link there is, so that the trail vouches for all of them."""
    told: list[tuple[Any, ...]] = []
    before: dict[str, str] = {}
    for row in rows:
        document = row["document_id"]
        told.append((
            row["author"], document, row["version"], "content", before.get(document),
            row["content_hash"], row["model_version"],
        ))  # fmt: skip
        before[document] = row["content_hash"]
    for row in shares:
        link = hashlib.sha256(row["share_id"].encode()).hexdigest()
        told.append((
            row["owner"], row["scenario_id"], row["version"], f"link {link:.12}", None, "view", "",
        ))  # fmt: skip
    return _chained(told)


def _chained(told: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    now, previous, lines = datetime.now(UTC), "", []
    for n, (who, document, version, field, old, new, model_version) in enumerate(told, 1):
        line = {
            "n": n, "at": now, "who": who, "role": "", "action": "upgrade",
            "document_id": document, "version": version, "field": field,
            "old": json.dumps(old), "new": json.dumps(new), "model_version": model_version,
        }  # fmt: skip
        previous = _digest([previous, *(line | {"at": now.isoformat()}).values()])
        lines.append(line | {"hash": previous})
    return lines


def _digest(value: list[object]) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION switchyard_kept() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME; END $$"
        )
    for table in KEPT:
        for act in ("UPDATE", "DELETE"):
            op.execute(_trigger(table, act, op.get_bind().dialect.name))


def _trigger(table: str, act: str, dialect: str) -> str:
    head = f"CREATE TRIGGER {table}_kept_{act.lower()} BEFORE {act} ON {table} FOR EACH ROW"
    if dialect == "postgresql":
        return f"{head} EXECUTE FUNCTION switchyard_kept()"
    return f"{head} BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"
