"""What an earlier release kept is there after an upgrade, on both databases."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import DateTime, MetaData, create_engine, text

from planner import Identity, Scenario
from planner.errors import StoreError
from planner.store.database import migration_script, upgrade
from planner.store.tables import metadata
from tests.store.stand_ins import ANN, BOB, CFO, save

RELEASED = Path(__file__).parent / "released"
SCRIPT = migration_script()
EARLIER = sorted(
    step.revision for step in SCRIPT.walk_revisions() if step.revision != SCRIPT.get_current_head()
)
AXIOM, UNICODE = (row["scenario_id"] for row in json.loads(
    (RELEASED / "0001.json").read_text())["scenario_versions"][1:])  # fmt: skip


@pytest.fixture
def kept_under(address):
    """Makes a database as an earlier release left it: its tables, and rows that it wrote."""
    if address.startswith("sqlite"):
        Path(address.removeprefix("sqlite:///")).parent.mkdir()
    engine = create_engine(address)

    def keep(revision):
        rows = json.loads((RELEASED / f"{revision}.json").read_text())
        with engine.begin() as connection:
            upgrade(connection, revision)
            tables = MetaData()
            tables.reflect(connection)
            for name, held in rows.items():
                connection.execute(tables.tables[name].insert(), typed(tables.tables[name], held))
        return rows

    yield keep
    engine.dispose()


def typed(table, rows):
    moments = [column.name for column in table.columns if isinstance(column.type, DateTime)]
    return [
        row | {name: datetime.fromisoformat(row[name]) for name in moments if row[name]}
        for row in rows
    ]


@pytest.mark.parametrize("revision", EARLIER)
def test_f6_every_released_schema_becomes_the_tables_of_today(
    revision, kept_under, address, opened_stores
):
    kept_under(revision)
    store = opened_stores(address)
    with store._database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert store.check(CFO).problems == ()
    save(store)


def test_f6_scenarios_of_0001_keep_their_owner_content_headline_and_moment(
    kept_under, address, opened_stores
):
    first, second, other = kept_under("0001")["scenario_versions"]
    store = opened_stores(address)
    for row, owner in ((first, "ann"), (second, "ann"), (other, "bob")):
        held = store.scenarios.open(Identity(owner, "viewer"), row["scenario_id"], row["version"])
        assert (held.owner, held.author, held.name) == (owner, row["owner"], row["name"])
        assert held.content == json.loads(row["content"])
        assert held.headline == json.loads(row["headline"])
        assert held.saved_at == datetime.fromisoformat(row["saved_at"])
        assert (held.schema_version, held.state, held.catalog_version) == (1, "draft", "")
        assert held.model_version == row["model_version"]
    assert [held.name for held in store.scenarios.listed(BOB)] == ["Ünïcode"]


def test_f6_links_and_drafts_of_0001_open_as_before(kept_under, address, opened_stores):
    rows = kept_under("0001")
    store = opened_stores(address)
    (link,) = rows["shares"]
    assert store.links.open(BOB, link["share_id"]).version == link["version"]
    store.links.revoke(ANN, link["share_id"])
    with pytest.raises(StoreError, match="revoked"):
        store.links.open(BOB, link["share_id"])
    held = store.drafts.of(ANN)
    given = json.loads(rows["drafts"][0]["content"])
    assert Scenario.read(held.content) == Scenario.read(given)
    assert held.document_id is None


def test_f6_the_trail_of_0001_begins_with_a_line_for_all_there_was(
    kept_under, address, opened_stores
):
    kept_under("0001")
    told = opened_stores(address).trail.whole(CFO)
    assert {line.action for line in told} == {"upgrade"}
    assert [(line.who, line.version, line.field.split()[0]) for line in told] == [
        ("ann", 1, "content"),
        ("bob", 2, "content"),
        ("bob", 1, "content"),
        ("ann", 1, "link"),
    ]


def test_f6_the_next_version_follows_what_0001_kept(kept_under, address, opened_stores):
    kept_under("0001")
    store = opened_stores(address)
    opened = store.scenarios.open(ANN, AXIOM)
    assert save(store, after=opened, demand_scale=2.0).version == 3
    assert store.check(CFO).problems == ()


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(
    kept_under, address, opened_stores, monkeypatch
):
    kept_under("0001")
    with monkeypatch.context() as broken:
        broken.setattr("hashlib.sha256", None)
        with pytest.raises(TypeError):
            opened_stores(address)
    engine = create_engine(address)
    with engine.connect() as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0001"
        )
        assert connection.execute(text("SELECT count(*) FROM scenario_versions")).scalar() == 3
    engine.dispose()
    assert len(opened_stores(address).scenarios.listed(CFO)) == 2
