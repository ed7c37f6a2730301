"""Everything in one file: backup and export, restore and import, the same on every database.

The file is lines of JSON, compressed where its name ends in .gz: a header with the revision of the
tables, then every row of every table, and at the end the SHA-256 of all lines before it.
"""

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from alembic.util import CommandError
from sqlalchemy import Connection, DateTime, MetaData, Table, func, select, text
from sqlalchemy.exc import DataError, IntegrityError

from planner.errors import StoreError
from planner.facts.folders import data_folder
from planner.store.checking import checked
from planner.store.database import Database, migration_script, upgrade
from planner.store.identity import Identity
from planner.store.records import Change, canonical
from planner.store.sqlite_file import PRIVATE, made
from planner.store.tables import metadata, trail
from planner.store.trail import NO_DOCUMENT, Act, record
from planner.version import MODEL_VERSION

FORMAT = "switchyard-store/1"
UNREADABLE = (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, RecursionError)
"""What reading a file that is no backup may raise."""
GZIP_MAGIC = b"\x1f\x8b"


def backup(database: Database, who: Identity, target: Path) -> str:
    """Copy the whole store into the new file `target`; users may go on working meanwhile.

    Takes an approver, because drafts and links of all are in it. Returns: the SHA-256 of all
    lines but the last, which holds it.

    Raises: StoreError when `target` exists or cannot be written; nothing is left behind then.
    """
    who.require("approver", "copying the whole store")
    if target.exists():
        raise StoreError(f"The backup {target} exists already: name a new file.")
    partial = target.with_name(target.name + ".partial")
    try:
        with database.reading() as connection, _written(partial, target) as file:
            found = _write(connection, file)
        partial.replace(target)
    except OSError as error:
        raise StoreError(f"The backup {target} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return found


def restore(database: Database, who: Identity, source: Path) -> Path:
    """Put the backup `source` in the place of everything; returns the copy kept of what was there.

    Raises: StoreError when `source` is no whole backup of this release or an earlier one; the
    store is then unchanged.
    """
    who.require("approver", "restoring the store")
    header = _require_whole(source)
    kept = _folder(database) / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.jsonl.gz"
    backup(database, who, kept)
    with database.writing() as connection:
        _replace(connection, who, source, header, "restore")
    return kept


def import_everything(database: Database, who: Identity, source: Path) -> int:
    """Bring the file `source` into a store that holds nothing yet. Returns: the number of rows.

    Raises: StoreError as `restore` does, and when the store holds anything.
    """
    who.require("approver", "importing a store")
    header = _require_whole(source)
    with database.writing() as connection:
        for table in metadata.sorted_tables:
            if connection.execute(select(func.count()).select_from(table)).scalar():
                raise StoreError(
                    "This store holds something already: import into an empty one, or restore "
                    "the file in its place."
                )
        _replace(connection, who, source, header, "import")
    return sum(header["rows"].values())


def _write(connection: Connection, file: IO[bytes]) -> str:
    """Write all rows as the connection sees them; returns the digest on the last line."""
    digest = hashlib.sha256()
    for line in _lines(connection):
        data = line.encode() + b"\n"
        digest.update(data)
        file.write(data)
    file.write(canonical({"sha256": digest.hexdigest()}).encode() + b"\n")
    return digest.hexdigest()


def _lines(connection: Connection) -> Iterator[str]:
    tables = metadata.sorted_tables
    count = {table.name: select(func.count()).select_from(table) for table in tables}
    yield canonical(
        {
            "format": FORMAT,
            "revision": migration_script().get_current_head(),
            "model_version": MODEL_VERSION,
            "written_at": datetime.now(UTC).isoformat(),
            "rows": {name: connection.execute(query).scalar() for name, query in count.items()},
        }
    )
    for table in tables:
        order = list(table.primary_key.columns)
        for row in connection.execute(select(table).order_by(*order)).mappings():
            yield canonical([table.name, {key: _plain(value) for key, value in row.items()}])


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _replace(
    connection: Connection, who: Identity, source: Path, header: Mapping[str, Any], action: str
) -> None:
    """Make the tables anew at the file's revision, fill them, and bring them up to date."""
    before = connection.execute(select(trail.c.hash).order_by(trail.c.n.desc()).limit(1)).scalar()
    metadata.drop_all(connection)
    connection.execute(text("DROP TABLE alembic_version"))
    upgrade(connection, header["revision"])
    _fill(connection, source)
    upgrade(connection)
    found = checked(connection)
    if found.problems:
        raise StoreError(f"The backup {source} was edited: {found.problems[0]}")
    change = Change("store", before, found.head)
    record(connection, who, Act(datetime.now(UTC), action, NO_DOCUMENT, 0, [change]))


def _fill(connection: Connection, source: Path) -> None:
    held = MetaData()
    held.reflect(connection)
    with _read(source) as file:
        file.readline()
        for line in file:
            if line.startswith(b"["):
                _fill_in(connection, held, line, source)


def _fill_in(connection: Connection, held: MetaData, line: bytes, source: Path) -> None:
    try:
        name, row = json.loads(line)
        table = held.tables[name]
        connection.execute(table.insert(), _typed(table, row))
    except (LookupError, TypeError, ValueError, IntegrityError, DataError) as error:
        raise StoreError(
            f"The backup {source} was edited: a row of it does not fit the store."
        ) from error


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its moments as the columns hold them."""
    if row.keys() != set(table.columns.keys()):
        raise ValueError(f"a row of {table.name} has other columns")
    moments = {column.name for column in table.columns if isinstance(column.type, DateTime)}
    return {
        key: datetime.fromisoformat(value) if key in moments and value else value
        for key, value in row.items()
    }


def _require_whole(source: Path) -> dict[str, Any]:
    """The header of a file that is whole and of this release or an earlier one."""
    if not source.is_file():
        raise StoreError(f"There is no backup {source}.")
    try:
        header = _checked_header(source)
    except UNREADABLE as error:
        raise StoreError(f"The file {source} is no whole backup of a store: {error}.") from error
    try:
        migration_script().get_revision(header["revision"])
    except CommandError as error:
        raise StoreError(f"The backup {source} was written by a newer release.") from error
    return header


def _checked_header(source: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with _read(source) as file:
        first = last = file.readline()
        header: dict[str, Any] = json.loads(first)
        if header["format"] != FORMAT:
            raise ValueError(f"its format is {header['format']!r:.80}, not {FORMAT}")
        digest.update(first)
        for line in file:
            if last is not first:
                digest.update(last)
            last = line
    if json.loads(last)["sha256"] != digest.hexdigest():
        raise ValueError("its lines are not those that were written")
    return header


@contextmanager
def _written(partial: Path, target: Path) -> Iterator[IO[bytes]]:
    partial.touch(mode=PRIVATE)
    with partial.open("wb") as file:
        if target.suffix == ".gz":
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                yield packed  # type: ignore[misc]
        else:
            yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _read(source: Path) -> Iterator[IO[bytes]]:
    with source.open("rb") as file:
        packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        if packed:
            with gzip.open(file, "rb") as plain:
                yield plain  # type: ignore[misc]
        else:
            yield file


def _folder(database: Database) -> Path:
    """Where a copy is kept: the folder of the SQLite file, or the data folder."""
    if database.is_file:
        return Path(str(database.engine.url.database)).parent
    return made(data_folder())
