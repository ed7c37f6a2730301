"""The database behind the store: where it is, how it is opened and brought up to date."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from planner.errors import StoreError
from planner.facts.folders import data_folder

MIGRATIONS = Path(__file__).parent / "migrations"
ALLOWED = "allowed are sqlite:///FILE and postgresql+psycopg://USER@HOST/DATABASE"


def database_url() -> str:
    """SWITCHYARD_DATABASE_URL, else an SQLite file in the data folder."""
    named = os.environ.get("SWITCHYARD_DATABASE_URL")
    return named or f"sqlite:///{data_folder() / 'switchyard.sqlite'}"


def opened(address: str) -> Engine:
    """An engine on the database at `address`, its tables brought up to date.

    Raises: StoreError when the address is not allowed, or the database cannot be opened or
    was written by a newer release.
    """
    url = _checked(address)
    if url.database and url.drivername == "sqlite":
        _make_folder(Path(url.database).parent)
    try:
        engine = create_engine(url, pool_pre_ping=True)
    except ImportError as error:
        raise StoreError(
            f"The database {shown(url)} needs psycopg: install switchyard[postgres]."
        ) from error
    if url.drivername == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        migrate(engine)
    except StoreError:
        engine.dispose()
        raise
    return engine


def migrate(engine: Engine) -> None:
    """Bring the tables up to date; openings at the same moment wait for one another.

    Raises: StoreError when the database was written by a newer release.
    """
    script = migration_script()
    with spoken(engine):
        with engine.connect() as connection:
            at = MigrationContext.configure(connection).get_current_revision()
        if at == script.get_current_head():
            return
        with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            _upgrade(connection)


def migration_script() -> ScriptDirectory:
    """The released revisions of the tables, oldest to newest."""
    return ScriptDirectory(str(MIGRATIONS))


@contextmanager
def spoken(engine: Engine) -> Iterator[None]:
    """Turn what the database refuses inside the block into one StoreError sentence."""
    try:
        yield
    except (SQLAlchemyError, UnicodeError, OverflowError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise StoreError(
            f"The scenario store {shown(engine.url)} does not answer: {reason.rstrip('.')}."
        ) from error


def shown(url: URL) -> str:
    """A database address without its password."""
    return url.render_as_string(hide_password=True)


def _checked(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise StoreError(f"SWITCHYARD_DATABASE_URL is no database address: {ALLOWED}.") from error
    named_file = url.drivername == "sqlite" and url.database not in (None, "", ":memory:")
    if not named_file and url.drivername != "postgresql+psycopg":
        raise StoreError(f"The database {shown(url)} cannot hold scenarios: {ALLOWED}.")
    return url


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The data folder {folder} cannot be made: {error.strerror}; "
            "name another in SWITCHYARD_DATA_DIR."
        ) from error


def _prepare_sqlite(dbapi_connection: Any, _record: Any) -> None:
    # The driver would begin transactions only at the first INSERT and leave DDL outside of them.
    dbapi_connection.isolation_level = None
    dbapi_connection.execute("PRAGMA journal_mode = WAL")
    dbapi_connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {kind}")


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('switchyard'))"))
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"The scenario store {shown(connection.engine.url)} was written by a newer release: "
            "install that release, or restore a backup of this one."
        ) from error
