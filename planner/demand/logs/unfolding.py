"""Documents that hold many requests, or hide their fields, unfolded to one plain record a line."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from planner.demand.logs.files import LogFile, LogFiles, objects_in
from planner.demand.logs.limits import Limits
from planner.demand.logs.shapes import SHAPES, Record, Shape
from planner.errors import AuditError


@dataclass(slots=True)
class Passed:
    """What was passed over while unfolding: names of text fields, and records by reason."""

    text: Counter[str] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)


def unfolded(log: LogFiles, folder: str, limits: Limits) -> LogFiles:
    """The log with each document of a known shape written out line by line in `folder`.

    Only counts, times and names are written; what people wrote stays behind.
    Raises: AuditError for a document that is too large to take apart.
    """
    files, notes = [], list(log.notes)
    for index, file in enumerate(log.files):
        shape = shape_of(file, limits) if file.format in {"json", "jsonl"} else None
        if shape is None:
            files.append(file)
            continue
        path = Path(folder) / f"unfolded-{index}.jsonl"
        notes += _written(file, shape, path, limits)
        copy = LogFile(str(path.resolve()), "jsonl", False, path.stat().st_size, file.name)
        files.append(copy)
    return replace(log, files=tuple(files), notes=tuple(dict.fromkeys(notes)))


def shape_of(file: LogFile, limits: Limits) -> Shape | None:
    """The known shape that the first record of a file has, or None for plain records."""
    first = next(documents(file, limits), None)
    return next((shape for shape in SHAPES if first is not None and shape.fits(first)), None)


def documents(file: LogFile, limits: Limits) -> Iterator[Record]:
    """The JSON objects of a file: one a line, else however they are laid out.

    A line that is none is left to the reader of plain records, which counts it.
    """
    with _opened(file) as stream:
        start = stream.readline(limits.max_document_bytes + 1)
        if (first := _parsed(start)) is not None:
            yield first
            while line := stream.readline(limits.max_document_bytes + 1):
                if (record := _parsed(line)) is not None:
                    yield record
            return
        text = start + stream.read(limits.max_document_bytes + 1 - len(start))
    if len(text) <= limits.max_document_bytes and file.format == "jsonl":
        yield from objects_in(text.decode("utf-8", "replace").removeprefix("\ufeff"))


def _opened(file: LogFile) -> IO[bytes]:
    return gzip.open(file.path, "rb") if file.gzipped else Path(file.path).open("rb")  # type: ignore[return-value]


def _parsed(line: bytes) -> Record | None:
    """The object on a line, or None."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _written(file: LogFile, shape: Shape, path: Path, limits: Limits) -> list[str]:
    """Write the requests of a file, and say what was done.

    Raises: AuditError when there is none.
    """
    passed, n = Passed(), 0
    with path.open("w", encoding="utf-8") as lines:
        for document in documents(file, limits):
            try:
                for row in shape.rows(document, passed.text, passed.records):
                    lines.write(json.dumps(row) + "\n")
                    n += 1
            except (TypeError, ValueError, AttributeError, KeyError, OverflowError):
                passed.records["records that are laid out in another way"] += 1
    if not n:
        why = ", ".join(f"{count} {reason}" for reason, count in passed.records.items())
        raise AuditError(
            f"{file.name} is {shape.title} without token counts; {why or shape.advice}"
        )
    said = [f"{file.name} was read as {shape.title}."]
    if passed.text:
        said.append(f"Text content, never read: {', '.join(sorted(passed.text))}.")
    said += [f"Passed over: {count} {reason}." for reason, count in passed.records.items()]
    return said
