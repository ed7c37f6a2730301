"""Versions of scenarios, links to them, and drafts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "scenario_versions",
        sa.Column("scenario_id", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("owner", sa.String, nullable=False, index=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model_version", sa.String, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("headline", sa.Text, nullable=False),
    )
    op.create_table(
        "shares",
        sa.Column("share_id", sa.String, primary_key=True),
        sa.Column("scenario_id", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["scenario_id", "version"],
            ["scenario_versions.scenario_id", "scenario_versions.version"],
        ),
    )
    op.create_table(
        "drafts",
        sa.Column("owner", sa.String, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
    )
