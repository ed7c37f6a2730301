"""F4: disk full; store locked, missing, read-only; PostgreSQL stopped and restarted under load.

Each time: one clear sentence, nothing corrupt, and it works again by itself afterwards.
"""

import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from planner import StoreError
from planner.store import sqlite_file
from tests.store.stand_ins import ANN, CFO, save

NOBODY = 65534


def file_of(store):
    return Path(store._database.engine.url.database)


def refused(store, said):
    """A save is refused in one sentence that says what to do."""
    with pytest.raises(StoreError, match=said) as error:
        save(store)
    assert "\n" not in str(error.value)
    assert "nothing was saved" in str(error.value)


def saved_until_refused(store):
    for n in range(1000):
        try:
            save(store)
        except StoreError as error:
            return n, str(error)
    raise AssertionError("a full disk took a thousand scenarios")


def works_again(store, n_before):
    save(store)
    assert len(store.scenarios.listed(ANN)) == n_before + 1
    assert store.check(CFO).problems == ()


@contextmanager
def small_disk(folder):
    """A file system of 4 MB where that may be mounted, and what fills and frees it."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        yield _file_limit(folder)
        return
    try:
        yield _ballast(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _ballast(folder):
    def full():
        with (folder / "ballast").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0" * 4096)

    return full, (folder / "ballast").unlink


def _file_limit(folder):
    """Where nothing may be mounted: no file of this process may grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def full():
        longest = max(file.stat().st_size for file in folder.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (longest, hard))

    return full, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_f4_a_full_disk_is_said_and_freed_space_is_used(tmp_path, opened_stores):
    with small_disk(tmp_path) as (fill, free):
        store = opened_stores(f"sqlite:///{tmp_path}/switchyard.sqlite")
        save(store)
        fill()
        n, said = saved_until_refused(store)
        assert re.search("nothing was saved: (free some space|see to the disk)", said), said
        assert len(store.scenarios.listed(ANN)) == 1 + n, "what was kept can still be read"
        assert store.check(CFO).problems == ()
        with pytest.raises(StoreError, match="cannot be written"):
            store.backup(CFO, tmp_path / "copy.jsonl")
        assert list(tmp_path.glob("copy*")) == []
        free()
        works_again(store, 1 + n)
        store.close()


def test_f4_a_store_that_another_program_holds_is_said(tmp_path, opened_stores, monkeypatch):
    monkeypatch.setattr(sqlite_file, "PATIENCE_S", 0.1)
    store = opened_stores(f"sqlite:///{tmp_path}/switchyard.sqlite")
    save(store)
    with closing(sqlite3.connect(file_of(store), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused(store, "another program holds it")
        assert len(store.scenarios.listed(ANN)) == 1, "readers do not wait"
        other.execute("ROLLBACK")
    works_again(store, 1)


def test_f4_a_missing_file_is_said_and_never_made_anew(tmp_path, opened_stores):
    store = opened_stores(f"sqlite:///{tmp_path}/switchyard.sqlite")
    save(store)
    with closing(sqlite3.connect(file_of(store))) as held:
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    away = tmp_path / "away"
    away.mkdir()
    for file in tmp_path.glob("switchyard.sqlite*"):
        shutil.move(file, away)
    with pytest.raises(StoreError, match="the file is missing"):
        save(store)
    with pytest.raises(StoreError, match="the file is missing"):
        store.scenarios.listed(ANN)
    assert not file_of(store).exists()
    for file in away.iterdir():
        shutil.move(file, tmp_path)
    works_again(store, 1)


def test_f4_another_file_in_its_place_is_noticed(tmp_path, opened_stores):
    store = opened_stores(f"sqlite:///{tmp_path}/one.sqlite")
    other = opened_stores(f"sqlite:///{tmp_path}/other.sqlite")
    save(store, name="one")
    save(other, name="other")
    other.close()
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as held:
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for ending in ("-wal", "-shm"):
        (tmp_path / f"one.sqlite{ending}").unlink(missing_ok=True)
    (tmp_path / "other.sqlite").replace(tmp_path / "one.sqlite")
    assert [held.name for held in store.scenarios.listed(ANN)] == ["other"]


@contextmanager
def unprivileged():
    """As somebody whom permissions bind, where the tests run as root."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder():
    """A folder that everybody may enter and write to."""
    folder = Path(tempfile.mkdtemp(prefix="switchyard-"))
    folder.chmod(0o777)
    yield folder
    folder.chmod(0o777)
    shutil.rmtree(folder)


def test_f4_a_read_only_store_is_read_and_its_saves_refused(open_folder, opened_stores):
    with unprivileged():
        address = f"sqlite:///{open_folder}/switchyard.sqlite"
        writer = opened_stores(address)
        save(writer)
        for file in open_folder.iterdir():
            file.chmod(0o444)
        store = opened_stores(address)
        refused(store, "let this user write")
        assert len(store.scenarios.listed(ANN)) == 1
        for file in open_folder.iterdir():
            file.chmod(0o644)
        store.close()
        works_again(store, 1)


def test_f4_a_folder_nobody_may_write_to_is_named(open_folder, opened_stores):
    open_folder.chmod(0o555)
    with unprivileged(), pytest.raises(StoreError, match="SWITCHYARD_DATA_DIR"):
        opened_stores(f"sqlite:///{open_folder}/data/switchyard.sqlite")


def test_f4_a_file_cut_short_is_said(tmp_path, opened_stores):
    store = opened_stores(f"sqlite:///{tmp_path}/switchyard.sqlite")
    for _ in range(20):
        save(store)
    store.close()
    whole = file_of(store).read_bytes()
    file_of(store).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="does not answer"):
        opened_stores(f"sqlite:///{tmp_path}/switchyard.sqlite").scenarios.listed(ANN)


@pytest.mark.postgres
@pytest.mark.parametrize("how", ["SIGINT", "SIGQUIT"], ids=["stopped", "crashed"])
def test_f4_postgres_stopped_and_restarted_under_load(
    postgres_server, postgres_address, opened_stores, how
):
    """Four users save without a pause while the server goes and comes back, twice."""
    store = opened_stores(postgres_address)
    save(store)
    answered, sentences, over = [], [], threading.Event()

    def save_for_ever():
        while not over.is_set():
            try:
                answered.append(save(store))
            except StoreError as error:
                sentences.append(str(error))
                over.wait(0.01)

    threads = [threading.Thread(target=save_for_ever) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        over.wait(0.3)
        postgres_server.stop(getattr(signal, how))
        before = len(answered)
        over.wait(0.2)
        assert len(answered) <= before + 4, "without a server no save is answered"
        with pytest.raises(StoreError, match="does not answer"):
            store.scenarios.listed(ANN)
        postgres_server.start()
        while len(answered) < before + 8:
            over.wait(0.01)
    over.set()
    for thread in threads:
        thread.join()
    assert sentences
    assert all("does not answer" in said and "\n" not in said for said in sentences)
    kept = {held.document_id for held in store.scenarios.listed(ANN)}
    assert {saved.document_id for saved in answered} <= kept
    assert store.check(CFO).problems == ()
