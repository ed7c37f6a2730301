"""Which column of a log means what: headers read, roles found, text content left at the door."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from planner.demand.logs.files import UTF8_MARK, LogFile, head, objects_in
from planner.demand.logs.limits import Limits
from planner.demand.logs.synonyms import SYNONYMS, TEXT_NAMES, Role, plain
from planner.errors import AuditError, UnmappedError

FieldPath = tuple[str, ...]
"""Where a field lies: one name in a flat table, several in nested records."""

NONE: FieldPath = ()
"""Where a role lies that the reader says no field plays."""
REQUIRED = (Role.INPUT, Role.OUTPUT)
BESIDE = (Role.CACHE_READ, Role.CACHE_WRITE)
DELIMITERS = ",;\t|"
SHOWN_NAMES = 12


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of one file in file order; `delimiter` is empty but for CSV."""

    fields: tuple[FieldPath, ...]
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class Roles:
    """The field that plays each role, and what was left unread."""

    fields: Mapping[Role, FieldPath]
    text: tuple[str, ...]
    unused: tuple[str, ...]

    def name(self, role: Role) -> str:
        """The field of a role as the reader knows it, dots between its parts."""
        return ".".join(self.fields[role])


def text_header(file: LogFile, limits: Limits) -> Header:
    """The fields of a CSV or JSON file from its first lines.

    Raises: AuditError for a header that is not UTF-8, or has no usable line.
    """
    raw = head(Path(file.path), file.gzipped, limits.head_bytes).removeprefix(UTF8_MARK)
    whole = len(raw) < limits.head_bytes
    lines = raw.splitlines() if whole else raw.splitlines()[:-1]
    if not lines:
        raise AuditError(f"{file.name} has a first line of over {limits.head_bytes} bytes")
    try:
        text = [line.decode() for line in lines[: limits.head_lines]]
    except UnicodeDecodeError as error:
        raise AuditError(f"{file.name} is not UTF-8 text; save it as UTF-8") from error
    header = _csv_header(text) if file.format == "csv" else _json_header(file, text, limits)
    if len(header.fields) > limits.max_columns:
        raise AuditError(
            f"{file.name} has {len(header.fields)} columns; at most {limits.max_columns} are read"
        )
    return header


def _csv_header(lines: list[str]) -> Header:
    """Column names of the first line that is not blank, split at the commonest delimiter."""
    first = next(line for line in lines if line.strip())
    delimiter = max(DELIMITERS, key=first.count)
    names = next(csv.reader([first], delimiter=delimiter))
    return Header(tuple((name.strip(),) for name in names), delimiter)


def _json_header(file: LogFile, lines: list[str], limits: Limits) -> Header:
    """Every field path seen in the first records; a broken line among them is passed over."""
    records = list(_records(lines, file.format == "json"))
    if not records:
        raise AuditError(f"{file.name} holds no JSON record a line; allowed is one object per line")
    seen: dict[FieldPath, None] = {}
    for record in records:
        seen.update(dict.fromkeys(_paths(record, limits.max_json_depth)))
    return Header(tuple(seen))


def _records(lines: list[str], array: bool) -> Iterator[dict[str, object]]:
    """The objects among the first lines; of an array, the objects at its start."""
    if not array:
        for line in lines:
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                yield value
        return
    yield from objects_in("\n".join(lines).lstrip()[1:])


def _paths(record: Mapping[str, object], depth: int) -> Iterator[FieldPath]:
    """Paths of the leaves of a record, at most `depth` names long."""
    for name, value in record.items():
        if isinstance(value, dict) and depth > 1:
            yield from ((name, *rest) for rest in _paths(value, depth - 1))
        else:
            yield (name,)


def find_roles(
    name: str, fields: tuple[FieldPath, ...], chosen: Mapping[str, str] | None = None
) -> Roles:
    """The role of each field, by the table of synonyms or as `chosen` by the reader.

    chosen: role -> field name, for a log whose names the table does not know; "" for none.
    Raises: UnmappedError listing what was found and which roles are missing.
    """
    found = {role: path for role in Role if (path := _field_of(role, fields)) is not None}
    found.update(_chosen_fields(name, fields, chosen or {}))
    found = {role: path for role, path in found.items() if path != NONE}
    missing = [role.value for role in REQUIRED if role not in found]
    if missing:
        raise UnmappedError(
            f"{name} has no column for {' and '.join(missing)} among {listed(fields)}; "
            f"allowed names are {', '.join(SYNONYMS[Role.INPUT][:2] + SYNONYMS[Role.OUTPUT][:2])} "
            "and their synonyms",
            [".".join(path) for path in fields if plain(path[-1]) not in TEXT_NAMES],
            {role.value: ".".join(path) for role, path in found.items()},
        )
    found = _cache_convention(found)
    free = [path for path in fields if path not in set(found.values())]
    text = tuple(".".join(path) for path in free if plain(path[-1]) in TEXT_NAMES)
    unused = tuple(".".join(path) for path in free if plain(path[-1]) not in TEXT_NAMES)
    return Roles(found, text, unused)


def _field_of(role: Role, fields: tuple[FieldPath, ...]) -> FieldPath | None:
    """The field that fits a role best: first in the table, whole path before last part."""
    for synonym in map(plain, SYNONYMS[role]):
        fits = [path for path in fields if synonym in (plain("".join(path)), plain(path[-1]))]
        if fits:
            return min(fits, key=len)
    return None


def _cache_convention(found: dict[Role, FieldPath]) -> dict[Role, FieldPath]:
    """Anthropic logs cached tokens beside the input tokens, everybody else inside them.

    A `cache_read_input_tokens` is beside only if the input column is called `input_tokens`.
    """
    if Role.CACHE_READ not in found or plain(found[Role.INPUT][-1]) == plain(Role.INPUT):
        return found
    inside = {role: path for role, path in found.items() if role not in BESIDE}
    return {Role.CACHED: found[Role.CACHE_READ], **inside}


def _chosen_fields(
    name: str, fields: tuple[FieldPath, ...], chosen: Mapping[str, str]
) -> dict[Role, FieldPath]:
    """The reader's own choice of columns, each checked to exist."""
    known = {"": NONE} | {".".join(path): path for path in fields}
    for role, field in chosen.items():
        if role not in set(Role) or field not in known:
            raise AuditError(
                f"{name} cannot take {field!r} for {role!r}; roles are "
                f"{', '.join(Role)} and columns are {listed(fields)}"
            )
    return {Role(role): known[field] for role, field in chosen.items()}


def listed(fields: tuple[FieldPath, ...] | tuple[str, ...]) -> str:
    """Field names for a sentence, the first dozen."""
    names = [path if isinstance(path, str) else ".".join(path) for path in fields]
    more = len(names) - SHOWN_NAMES
    shown = ", ".join(repr(name) for name in names[:SHOWN_NAMES])
    return shown + (f" and {more} more" if more > 0 else "")
