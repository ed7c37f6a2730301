"""A backup is whole, and a restore never loses what was there."""

import pytest

from planner.errors import StoreError
from planner.store.backup import backup, restore


@pytest.fixture
def store(tmp_path, opened_stores):
    return opened_stores(f"sqlite:///{tmp_path}/data/switchyard.sqlite")


def save(store, name):
    return store.save({"n": name}, name=name, owner="ann", model_version="0.1.0")


def names(store):
    return {saved.name for saved in store.latest()}


def test_a_backup_opens_as_a_store_with_the_same_scenarios(store, tmp_path, opened_stores):
    saved = save(store, "A")
    backup(store, tmp_path / "copy.sqlite")
    assert opened_stores(f"sqlite:///{tmp_path}/copy.sqlite").latest() == [saved]


def test_a_restore_brings_back_the_backup_and_keeps_what_was_there(store, tmp_path, opened_stores):
    save(store, "A")
    backup(store, tmp_path / "copy.sqlite")
    save(store, "B")
    kept = restore(store, tmp_path / "copy.sqlite")
    assert names(store) == {"A"}
    assert names(opened_stores(f"sqlite:///{kept}")) == {"A", "B"}


def test_a_restored_store_takes_new_scenarios(store, tmp_path):
    backup(store, tmp_path / "copy.sqlite")
    restore(store, tmp_path / "copy.sqlite")
    save(store, "C")
    assert names(store) == {"C"}


def test_a_backup_never_replaces_a_file(store, tmp_path):
    file = tmp_path / "copy.sqlite"
    file.write_text("mine")
    with pytest.raises(StoreError, match="exists already"):
        backup(store, file)
    assert file.read_text() == "mine"


def test_a_backup_that_cannot_be_written_leaves_nothing_behind(store, tmp_path):
    with pytest.raises(StoreError, match="cannot be written"):
        backup(store, tmp_path / "no folder" / "copy.sqlite")
    assert not (tmp_path / "no folder").exists()


def damaged(whole):
    middle = len(whole) // 2
    return whole[:middle] + b"\xff" * 4096 + whole[middle + 4096 :]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"",
        lambda whole: b"not a database " * 500,
        lambda whole: whole[: len(whole) // 2],
        damaged,
        lambda whole: whole.replace(b"0001", b"9999"),
    ],
    ids=["empty", "another kind", "cut short", "overwritten", "newer release"],
)
def test_a_spoiled_backup_is_refused_and_the_store_unchanged(store, tmp_path, spoil):
    save(store, "A")
    file = tmp_path / "copy.sqlite"
    backup(store, file)
    file.write_bytes(spoil(file.read_bytes()))
    save(store, "B")
    with pytest.raises(StoreError, match=r"copy\.sqlite"):
        restore(store, file)
    assert names(store) == {"A", "B"}


def test_a_missing_backup_is_named(store, tmp_path):
    with pytest.raises(StoreError, match=r"There is no backup .*nothing\.sqlite"):
        restore(store, tmp_path / "nothing.sqlite")


@pytest.mark.postgres
def test_postgres_is_left_to_its_own_tools(postgres_server, opened_stores, tmp_path):
    store = opened_stores(postgres_server.new_database())
    with pytest.raises(StoreError, match="pg_dump"):
        backup(store, tmp_path / "copy.sqlite")
