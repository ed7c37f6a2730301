"""The database behind the store: where it is, how it is opened and brought up to date."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from planner.errors import StoreError
from planner.facts.folders import data_folder
from planner.store.sqlite_file import PATIENCE_S, sqlite_engine

MIGRATIONS = Path(__file__).parent / "migrations"
ADVICE = {
    "database is locked": "; another program holds it, so nothing was saved: try again shortly",
    "lock timeout": "; another program holds it, so nothing was saved: try again shortly",
    "readonly": "; nothing was saved: let this user write to the file and its folder",
    "disk is full": "; nothing was saved: free some space",
    "disk i/o error": "; nothing was saved: see to the disk under it",
    "unable to open": "; the file is missing or closed to this user: put it back as it was",
}
ALLOWED = "allowed are sqlite:///FILE and postgresql+psycopg://USER@HOST/DATABASE"


def database_url() -> str:
    """SWITCHYARD_DATABASE_URL, else an SQLite file in the data folder."""
    named = os.environ.get("SWITCHYARD_DATABASE_URL")
    return named or f"sqlite:///{data_folder() / 'switchyard.sqlite'}"


class Database:
    """One database, opened and brought up to date; safe to use from threads and processes."""

    def __init__(self, address: str) -> None:
        """Open the database at `address`.

        Raises: StoreError when the address is not allowed, or the database cannot be opened or
        was written by a newer release.
        """
        self.engine = opened(address)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees the database as it was when the block first looked."""
        snapshot = {} if self.is_file else {"isolation_level": "REPEATABLE READ"}
        with spoken(self.engine), self.engine.connect() as connection:
            yield connection.execution_options(**snapshot)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, all or nothing; writers take turns, so that the trail has one end."""
        engine = self.engine.execution_options(sqlite_begin="IMMEDIATE")
        with spoken(self.engine), engine.begin() as connection:
            if not self.is_file:
                connection.execute(text("LOCK TABLE trail IN EXCLUSIVE MODE"))
            yield connection

    @property
    def is_file(self) -> bool:
        """Whether this is the embedded SQLite file rather than a PostgreSQL server."""
        return self.engine.dialect.name == "sqlite"


def opened(address: str) -> Engine:
    """An engine on the database at `address`, its tables brought up to date."""
    url = _checked(address)
    engine = sqlite_engine(url) if url.drivername == "sqlite" else _server_engine(url)
    try:
        migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _server_engine(url: URL) -> Engine:
    settings = f"-c lock_timeout={PATIENCE_S}s -c timezone=UTC"
    arguments = {"connect_timeout": PATIENCE_S, "options": settings}
    try:
        return create_engine(url, pool_pre_ping=True, connect_args=arguments)
    except ImportError as error:
        raise StoreError(
            f"The database {shown(url)} needs psycopg: install switchyard[postgres]."
        ) from error


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
            upgrade(connection)


def migration_script() -> ScriptDirectory:
    """The released revisions of the tables, oldest to newest."""
    return ScriptDirectory(str(MIGRATIONS))


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables up to a revision within the connection's transaction.

    Raises StoreError where a newer release wrote them.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('switchyard'))"))
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise StoreError(
            f"The scenario store {shown(connection.engine.url)} was written by a newer release: "
            "install that release, or restore a backup of this one."
        ) from error


@contextmanager
def spoken(engine: Engine) -> Iterator[None]:
    """Turn what the database refuses inside the block into one StoreError sentence."""
    try:
        yield
    except (SQLAlchemyError, UnicodeError, OverflowError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0].rstrip(".")
        advice = next((say for part, say in ADVICE.items() if part in reason.lower()), "")
        raise StoreError(
            f"The scenario store {shown(engine.url)} does not answer: {reason}{advice}."
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
