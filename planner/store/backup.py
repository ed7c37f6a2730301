"""A copy of the SQLite store while it is in use, and the way back from it."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from alembic.util import CommandError

from planner.errors import StoreError
from planner.store.database import migrate, migration_script
from planner.store.scenarios import Store


def backup(store: Store, target: Path) -> None:
    """Copy the whole store into the new file `target`; users may go on working meanwhile.

    Raises: StoreError when `target` exists or cannot be written, or the store is no SQLite file.
    """
    _require_sqlite(store)
    if target.exists():
        raise StoreError(f"The backup {target} exists already: name a new file.")
    partial = target.with_name(target.name + ".partial")
    try:
        _copy(_file(store), partial)
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise StoreError(f"The backup {target} cannot be written: {error}.") from error


def restore(store: Store, source: Path) -> Path:
    """Put the backup `source` in the store's place; returns the copy kept of what was there.

    Raises: StoreError when `source` is no whole backup of this release or an earlier one; the
    store is then unchanged.
    """
    _require_sqlite(store)
    _require_whole(source)
    kept = _file(store).with_name(f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.sqlite")
    backup(store, kept)
    try:
        _copy(source, _file(store))
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"The backup {source} cannot be restored: {error}.") from error
    migrate(store.engine)
    return kept


def _file(store: Store) -> Path:
    return Path(str(store.engine.url.database))


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)


def _require_sqlite(store: Store) -> None:
    if store.engine.dialect.name != "sqlite":
        raise StoreError("Only an SQLite store is copied here: use pg_dump for PostgreSQL.")


def _require_whole(source: Path) -> None:
    if not source.is_file():
        raise StoreError(f"There is no backup {source}.")
    try:
        with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as file:
            sound = file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            revision = file.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"The file {source} is no backup of scenarios: {error}.") from error
    if not (sound and revision):
        raise StoreError(f"The backup {source} is damaged: restore another one.")
    try:
        migration_script().get_revision(revision[0])
    except CommandError as error:
        raise StoreError(f"The backup {source} was written by a newer release.") from error
