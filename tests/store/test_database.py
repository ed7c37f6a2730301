"""Where the store is, how it is opened, and what is said when it cannot be."""

import os
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from planner.errors import StoreError
from planner.facts.folders import data_folder
from planner.store import database
from planner.store.store import Store
from planner.store.tables import metadata
from tests.store.stand_ins import ANN, processes, save


def test_the_environment_names_the_database(monkeypatch, tmp_path):
    monkeypatch.delenv("SWITCHYARD_DATABASE_URL", raising=False)
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path))
    assert database.database_url() == f"sqlite:///{tmp_path}/switchyard.sqlite"
    monkeypatch.setenv("SWITCHYARD_DATABASE_URL", "postgresql+psycopg://u@h/d")
    assert database.database_url() == "postgresql+psycopg://u@h/d"


def test_without_a_name_the_data_lie_in_the_users_own_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("SWITCHYARD_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert data_folder().is_relative_to(tmp_path)
    assert data_folder().name == "switchyard"


@pytest.mark.parametrize(
    "address", ["", "no address", "sqlite://", "sqlite:///:memory:", "mysql://h/d", "postgresql://"]
)
def test_an_address_that_cannot_hold_scenarios_is_refused_with_what_is_allowed(address):
    with pytest.raises(StoreError, match=r"allowed are sqlite:///FILE and postgresql\+psycopg"):
        database.opened(address)


def test_a_password_is_never_shown(tmp_path):
    address = f"postgresql+psycopg://ann:hunter2@/none?host={tmp_path}"
    with pytest.raises(StoreError) as refused:
        database.opened(address)
    assert "hunter2" not in str(refused.value)
    assert "does not answer" in str(refused.value)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/data cannot be made: .*SWITCHYARD_DATA_DIR"):
        database.opened(f"sqlite:///{tmp_path}/file/data/switchyard.sqlite")


def test_a_file_of_another_kind_is_refused_and_kept(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database " * 100)
    with pytest.raises(StoreError, match=r"notes.txt does not answer: file is not a database\."):
        database.opened(f"sqlite:///{file}")
    assert file.read_text().startswith("not a database")


def test_the_migrations_make_the_tables_that_the_code_uses(store):
    with store._database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_database_of_a_newer_release_is_refused_unchanged(store, address):
    with store._database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="written by a newer release"):
        database.opened(address)
    with store._database.engine.connect() as connection:
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    assert revision == "9999"


def test_sqlite_keeps_a_log_ahead_so_that_readers_never_wait(tmp_path, opened_stores):
    store = opened_stores(f"sqlite:///{tmp_path}/switchyard.sqlite")
    with store._database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def open_and_save(address, name):
    store = Store(address)
    save(store, name=name)
    store.close()


def test_processes_that_open_a_new_database_at_once_share_one_migration(address, opened_stores):
    context = processes()
    running = [context.Process(target=open_and_save, args=(address, f"s{n}")) for n in range(3)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0, 0, 0]
    assert {saved.name for saved in opened_stores(address).scenarios.listed(ANN)} == {
        "s0",
        "s1",
        "s2",
    }


@pytest.mark.soak
def test_a_store_opened_a_thousand_times_leaves_nothing_open(tmp_path):
    def open_files():
        return [file for file in Path(f"/proc/{os.getpid()}/fd").iterdir() if is_file(file)]

    def is_file(link):
        return link.exists() and stat.S_ISREG(link.stat().st_mode)

    before = len(open_files())
    for n in range(1000):
        open_and_save(f"sqlite:///{tmp_path}/switchyard.sqlite", f"s{n}")
    assert len(open_files()) == before
