"""The embedded database: one SQLite file that is never silently made anew."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError

from planner.errors import StoreError

PATIENCE_S = 5
"""How long to wait for another writer to finish, or for a server to answer."""

PRIVATE = 0o600
"""Files that hold everybody's drafts and links are read by their own user alone."""


def sqlite_engine(url: URL) -> Engine:
    """An engine on the file that `url` names, made with its folder where there is none.

    Raises: StoreError when folder or file cannot be made.
    """
    file = Path(str(url.database)).absolute()
    made(file.parent)
    _make(file)

    def connect() -> sqlite3.Connection:
        # mode=rw: a file that went missing is told, not replaced by an empty one.
        address = f"{file.as_uri()}?mode=rw"
        return sqlite3.connect(address, uri=True, timeout=PATIENCE_S, check_same_thread=False)

    def remember(connection: sqlite3.Connection, record: Any) -> None:
        _prepare(connection)
        record.info["file"] = _identity(file)

    def require_same(_connection: sqlite3.Connection, record: Any, _proxy: Any) -> None:
        if record.info["file"] != _identity(file):
            raise DisconnectionError(f"{file} was moved or replaced")

    engine = create_engine(url, creator=connect)
    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", require_same)
    event.listen(engine, "begin", _begin)
    return engine


def made(folder: Path) -> Path:
    """The folder, made where there is none. Raises: StoreError when it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unmade(folder, error) from error
    return folder


def _make(file: Path) -> None:
    try:
        file.touch(mode=PRIVATE)
    except OSError as error:
        # A file that is there but may not be written can still be read.
        if not file.exists():
            raise _unmade(file, error) from error


def _unmade(place: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{place} cannot be made: {error.strerror}; name another folder in SWITCHYARD_DATA_DIR."
    )


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file stands at the path; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare(connection: sqlite3.Connection) -> None:
    # The driver would begin transactions only at the first INSERT and leave DDL outside of them.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {kind}")
