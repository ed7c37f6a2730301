"""The database that reads a log: private, bounded, offline, and blind to all other files."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import duckdb
import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from planner.demand.logs.limits import Limits
from planner.errors import AuditError


@contextmanager
def private_database(paths: list[str], limits: Limits) -> Iterator[Backend]:
    """A DuckDB in memory that can open `paths` and nothing else.

    It spills to a temporary folder that goes with it, loads no extension, reaches no network and
    reads a time without a zone as UTC wherever the machine stands.
    """
    with TemporaryDirectory(prefix="audit-") as folder:
        backend = ibis.duckdb.connect(
            ":memory:",
            memory_limit=f"{limits.memory_bytes}B",
            temp_directory=folder,
            autoinstall_known_extensions=False,
            autoload_known_extensions=False,
        )
        try:
            backend.con.execute("SET TimeZone = 'UTC'")
            backend.con.execute("SET allowed_paths = $paths", {"paths": paths})
            backend.con.execute("SET enable_external_access = false")
            backend.con.execute("SET lock_configuration = true")
            yield backend
        finally:
            backend.disconnect()


@contextmanager
def in_words(name: str) -> Iterator[None]:
    """Turn whatever a parser throws into one sentence that names the log.

    Raises: AuditError, also for a log that outgrows its memory.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise AuditError(f"{name} needs more memory than an audit may use; split it") from error
    except (duckdb.Error, pa.ArrowException, UnicodeError, OverflowError) as error:
        raise AuditError(f"{name} is damaged and cannot be read: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """The first line of a parser's message, without the path it may name."""
    first = str(error).strip().splitlines()[:1]
    words = [word for word in "".join(first).split() if "/" not in word]
    return " ".join(words).rstrip(".:, ") or type(error).__name__
