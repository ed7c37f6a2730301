"""Which files a log is made of, and whether they may be opened: names, magic bytes, sizes."""

import glob
import gzip
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Literal

from planner.demand.logs.limits import MIB, Limits
from planner.demand.metrics.exposition import is_exposition
from planner.errors import AuditError

Format = Literal["csv", "jsonl", "json", "parquet", "metrics"]

ALLOWED = (
    "allowed are CSV and JSON lines in UTF-8 (plain or .gz), Parquet, folders of them, and the "
    "metrics of an engine"
)

ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".prom": "metrics",
}

GZIP_MAGIC = b"\x1f\x8b"
PARQUET_MAGIC = b"PAR1"
UTF8_MARK = b"\xef\xbb\xbf"

FOREIGN_MAGIC: dict[bytes, str] = {
    b"PK\x03\x04": "a zip archive or spreadsheet",
    b"PK\x05\x06": "an empty zip archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3": "a SQLite database",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"\x80\x04\x95": "a Python pickle",
    b"PARE": "an encrypted Parquet file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file of a log whose format has been read from its first bytes, not from its name."""

    path: str
    format: Format
    gzipped: bool
    size_bytes: int
    title: str = ""
    """What the reader calls it, where it is a copy made for reading."""

    @property
    def name(self) -> str:
        """The last part of the path, as shown to the reader."""
        return self.title or Path(self.path).name


@dataclass(frozen=True, slots=True)
class LogFiles:
    """The files of one log, the names passed over in a folder, and what to tell of them."""

    name: str
    files: tuple[LogFile, ...]
    skipped: tuple[str, ...]
    notes: tuple[str, ...] = ()


def log_files(source: str | os.PathLike[str], limits: Limits) -> LogFiles:
    """Every file behind a path, a folder or a glob, checked before any of it is parsed.

    Raises: AuditError naming the file that is missing, foreign, mislabelled or too large.
    """
    wanted, skipped = _expanded(os.fspath(source))
    if len(wanted) > limits.max_files:
        raise AuditError(f"{source} holds {len(wanted)} files; at most {limits.max_files} are read")
    files = tuple(_checked(path, limits) for path in wanted)
    total = sum(file.size_bytes for file in files)
    if total > limits.max_bytes:
        raise AuditError(f"{source} holds {total} bytes; at most {limits.max_bytes} are read")
    return LogFiles(Path(os.fspath(source)).name, files, tuple(skipped))


def _expanded(source: str) -> tuple[list[Path], list[str]]:
    """The paths of a file, folder or glob in a fixed order, and the names passed over."""
    if not source or "\0" in source:
        raise AuditError("The log's path is empty or holds NUL; give the path of a file or folder")
    if "://" in source:
        raise AuditError(
            "An address other than http:// is no log; allowed are files, folders, globs of them, "
            "and Prometheus at http://HOST:PORT"
        )
    path = Path(source)
    if path.is_dir():
        return _folder(path)
    if os.path.lexists(path):
        return [path], []
    hits = sorted(Path(hit) for hit in glob.glob(source, recursive=True))  # noqa: PTH207 - absolute patterns
    found = [hit for hit in hits if hit.is_file()]
    if not found:
        raise AuditError(f"{source} does not exist; give the path of a log, a folder or a glob")
    return found, []


def _folder(folder: Path) -> tuple[list[Path], list[str]]:
    """The logs of a folder by their endings; hidden and underscored files are no logs."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    shown = [path for path in files if not _is_hidden(path.relative_to(folder))]
    logs = [path for path in shown if named_format(path.name) is not None]
    if not logs:
        raise AuditError(f"{folder} holds no log; {ALLOWED}")
    return logs, [path.name for path in shown if path not in set(logs)]


def _is_hidden(path: Path) -> bool:
    """Does a part of a path start with a dot or an underscore?"""
    return any(part.startswith((".", "_")) for part in path.parts)


def named_format(name: str) -> Format | None:
    """The format that a file name promises, or None. `day1.csv.gz` promises "csv"."""
    return ENDINGS.get(Path(name.lower().removesuffix(".gz")).suffix)


def _checked(path: Path, limits: Limits) -> LogFile:
    """A file whose content has been recognised and agrees with its name.

    Raises: AuditError in a sentence, also for what the operating system refuses.
    """
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise AuditError(f"{path.name} is not a regular file; {ALLOWED}")
        gzipped = head(path, False, len(GZIP_MAGIC)) == GZIP_MAGIC
        if gzipped:
            check_gzip(path, limits)
        start = head(path, gzipped, limits.magic_bytes)
    except OSError as error:
        raise AuditError(f"{path.name} cannot be opened: {error.strerror or error}") from error
    found = _content_format(path.name, start, gzipped)
    _agree(path.name, found, gzipped)
    return LogFile(str(path.resolve()), found, gzipped, status.st_size)


def _content_format(name: str, start: bytes, gzipped: bool) -> Format:
    """CSV, JSON lines, a JSON array or Parquet, by the first bytes of what is inside."""
    foreign = next((kind for magic, kind in FOREIGN_MAGIC.items() if start.startswith(magic)), None)
    if foreign:
        raise AuditError(f"{name} is {foreign}; {ALLOWED}")
    if start.startswith(PARQUET_MAGIC):
        if gzipped:
            raise AuditError(f"{name} is Parquet inside gzip; give the Parquet file itself")
        return "parquet"
    first = start.removeprefix(UTF8_MARK).lstrip()
    if not first:
        raise AuditError(f"{name} is empty; {ALLOWED}")
    if b"\0" in first.splitlines()[0]:
        raise AuditError(f"{name} holds NUL bytes where its columns should be named; {ALLOWED}")
    if is_exposition(first):
        return "metrics"
    if first.startswith(b"{"):
        return "jsonl"
    return "json" if first.startswith(b"[") else "csv"


def _agree(name: str, found: Format, gzipped: bool) -> None:
    """Refuse a name that promises another format than the file holds."""
    promised = named_format(name)
    if promised is None:
        return
    family = "jsonl" if found == "json" else found
    if promised != family:
        raise AuditError(f"{name} is named {promised} but holds {family}; rename it to say so")
    if name.lower().endswith(".gz") != gzipped:
        state = "is" if gzipped else "is not"
        raise AuditError(f"{name} {state} packed by gzip; name it so")


def head(path: Path, gzipped: bool, n_bytes: int) -> bytes:
    """The first bytes of a file, unpacked; bounded whatever the file holds."""
    with gzip.open(path, "rb") if gzipped else path.open("rb") as stream:
        return stream.read(n_bytes)


def check_gzip(path: Path, limits: Limits) -> None:
    """Unpack a gzip file once into nothing: is it whole, and does it stay within bounds?

    The database reads past a wrong checksum, so a flipped bit would otherwise pass as numbers.
    Raises: AuditError when cut short, damaged, or expanding beyond `limits.max_expansion`.
    """
    unpacked = 0
    allowed = max(limits.checked_expansion_bytes, limits.max_expansion * path.stat().st_size)
    try:
        with gzip.open(path, "rb") as stream:
            while piece := stream.read(MIB):
                unpacked += len(piece)
                if unpacked > allowed:
                    raise AuditError(
                        f"{path.name} unpacks to more than {limits.max_expansion} times its size; "
                        f"at most {allowed} bytes are allowed"
                    )
    except EOFError as error:
        raise AuditError(f"{path.name} is cut short; copy it again") from error
    except (OSError, zlib.error) as error:
        raise AuditError(
            f"{path.name} is damaged inside its gzip packing; copy it again"
        ) from error


def objects_in(text: str) -> Iterator[dict[str, object]]:
    """JSON objects that stand one after the other, whatever lines they spread over."""
    decoder, rest = json.JSONDecoder(), text.lstrip()
    while rest.startswith("{"):
        try:
            value, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError):
            return
        yield value
        rest = rest[end:].lstrip().removeprefix(",").lstrip()
