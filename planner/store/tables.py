"""The tables: versions, their approvals and links, drafts, catalogs of then, and the trail."""

from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC, aware of it on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give back what SQLite keeps without a zone as UTC."""
        return value and value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


def _needed(name: str, kind: type[String | Text | Integer | UtcTime]) -> Column[object]:
    return Column(name, kind, nullable=False)


metadata = MetaData()

catalogs = Table(
    "catalogs",
    metadata,
    Column("catalog_version", String, primary_key=True),
    _needed("files", Text),
)

versions = Table(
    "versions",
    metadata,
    Column("document_id", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    _needed("kind", String),
    _needed("owner", String),
    _needed("author", String),
    _needed("name", String),
    _needed("saved_at", UtcTime),
    _needed("schema_version", Integer),
    _needed("content", Text),
    _needed("overlays", Text),
    _needed("model_version", String),
    _needed("catalog_version", String),
    _needed("headline", Text),
    _needed("content_hash", String),
    Index("ix_versions_owner", "kind", "owner"),
)


def _of_a_version() -> ForeignKeyConstraint:
    columns = ["document_id", "version"]
    return ForeignKeyConstraint(columns, [versions.c[name] for name in columns])


approvals = Table(
    "approvals",
    metadata,
    Column("document_id", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", String, primary_key=True),
    _needed("name", String),
    _needed("role", String),
    _needed("at", UtcTime),
    _needed("content_hash", String),
    _of_a_version(),
)

links = Table(
    "links",
    metadata,
    Column("share_id", String, primary_key=True),
    _needed("document_id", String),
    _needed("version", Integer),
    _needed("owner", String),
    _needed("right", String),
    _needed("shared_at", UtcTime),
    Column("revoked_at", UtcTime),
    _of_a_version(),
)

drafts = Table(
    "drafts",
    metadata,
    Column("owner", String, primary_key=True),
    _needed("content", Text),
    _needed("schema_version", Integer),
    _needed("overlays", Text),
    Column("document_id", String),
    Column("version", Integer),
    _needed("saved_at", UtcTime),
)

trail = Table(
    "trail",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=False),
    _needed("at", UtcTime),
    _needed("who", String),
    _needed("role", String),
    _needed("action", String),
    _needed("document_id", String),
    _needed("version", Integer),
    _needed("field", String),
    _needed("old", Text),
    _needed("new", Text),
    _needed("model_version", String),
    _needed("hash", String),
    Index("ix_trail_document", "document_id"),
)
