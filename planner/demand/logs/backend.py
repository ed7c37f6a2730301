"""The database that reads a log: private, bounded, offline, and blind to all other files."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from planner.demand.logs.limits import Limits
from planner.errors import AuditError


@contextmanager
def private_database(paths: list[str], folder: str, limits: Limits) -> Iterator[Backend]:
    """A DuckDB in `folder` that can open `paths` and nothing else.

    It keeps its rows compressed in that folder and spills there, loads no extension, reaches no
    network and reads a time without a zone as UTC wherever the machine stands.
    """
    backend = ibis.duckdb.connect(
        f"{folder}/audit.duckdb",
        memory_limit=f"{limits.memory_bytes}B",
        temp_directory=f"{folder}/spill",
        autoinstall_known_extensions=False,
        autoload_known_extensions=False,
    )
    try:
        backend.con.execute("SET TimeZone = 'UTC'")
        backend.con.execute("SET enable_progress_bar = false")
        backend.con.execute("SET allowed_paths = $paths", {"paths": paths})
        backend.con.execute("SET enable_external_access = false")
        backend.con.execute("SET lock_configuration = true")
        yield backend
    finally:
        backend.disconnect()


@contextmanager
def in_words(name: str, paths: Iterable[str] = ()) -> Iterator[None]:
    """Turn whatever a parser throws into one sentence that names the log, or the file at fault.

    Raises: AuditError, also for a log that outgrows its memory.
    """
    try:
        yield
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise AuditError(f"{name} needs more memory than an audit may use; split it") from error
    except (duckdb.Error, pa.ArrowException, UnicodeError, OverflowError) as error:
        blamed = next((Path(path).name for path in paths if path in str(error)), name)
        raise AuditError(
            f"{blamed} is damaged ({_reason(error)}); export it again or repair it"
        ) from error


IN_PLAIN_WORDS = {
    "CSV Parser state machine": "its lines end in different ways",
    "TProtocolException": "its Parquet footer cannot be understood",
    "don't know what type": "its Parquet footer cannot be understood",
    "No magic bytes": "its Parquet end is missing",
}


def _reason(error: Exception) -> str:
    """What a parser complained of: in our words, else its first line without kind and path."""
    said = str(error)
    known = next((ours for theirs, ours in IN_PLAIN_WORDS.items() if theirs in said), None)
    first = "".join(said.strip().splitlines()[:1]).rpartition("Error: ")[2]
    words = (word for word in first.split() if "/" not in word)
    return known or " ".join(words).rstrip(".:, ") or type(error).__name__
