"""The tables: versions of scenarios, links to them, and one draft for each owner."""

from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
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


metadata = MetaData()

scenario_versions = Table(
    "scenario_versions",
    metadata,
    Column("scenario_id", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("owner", String, nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("saved_at", UtcTime, nullable=False),
    Column("model_version", String, nullable=False),
    Column("content", Text, nullable=False),
    Column("headline", Text, nullable=False),
)

shares = Table(
    "shares",
    metadata,
    Column("share_id", String, primary_key=True),
    Column("scenario_id", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("owner", String, nullable=False),
    Column("shared_at", UtcTime, nullable=False),
    ForeignKeyConstraint(
        ["scenario_id", "version"], ["scenario_versions.scenario_id", "scenario_versions.version"]
    ),
)

drafts = Table(
    "drafts",
    metadata,
    Column("owner", String, primary_key=True),
    Column("content", Text, nullable=False),
    Column("saved_at", UtcTime, nullable=False),
)
