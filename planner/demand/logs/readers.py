"""Files of one layout as one lazy table whose columns are named by role, in DuckDB."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from planner.demand.logs.backend import in_words, private_database
from planner.demand.logs.columns import FieldPath, Header, text_header
from planner.demand.logs.files import LogFile, LogFiles
from planner.demand.logs.layouts import Layout
from planner.demand.logs.limits import Limits
from planner.demand.logs.synonyms import Role
from planner.errors import AuditError


class DuckDBEngine:
    """The private database as an engine."""

    def __init__(self, backend: Backend, limits: Limits) -> None:
        self.backend = backend
        self.limits = limits

    def header(self, file: LogFile) -> Header:
        """The fields of one file, its size gates passed."""
        if file.format == "parquet":
            return parquet_header(self.backend, file, self.limits)
        return text_header(file, self.limits)

    def roles(self, layout: Layout, index: int) -> ir.Table:
        """The fields that play a role, named by it, as the files hold them."""
        return role_table(self.backend, layout, index)

    def unreadable(self, layout: Layout, index: int) -> int:
        """Lines that the CSV reader set aside."""
        return unreadable_lines(self.backend, layout, index)

    def stored(self, name: str, table: ir.Table) -> ir.Table:
        """The rows of an expression in the database's own file, compressed."""
        return self.backend.create_table(name, table)

    def view(self, name: str, table: ir.Table) -> ir.Table:
        """An expression under a name."""
        return self.backend.create_view(name, table)


@contextmanager
def duckdb_engine(
    _backend: str, log: LogFiles, folder: str, limits: Limits
) -> Iterator[DuckDBEngine]:
    """A private DuckDB on the files of a log.

    Raises: AuditError in the place of whatever its parsers throw.
    """
    paths = [file.path for file in log.files]
    with in_words(log.name, paths), private_database(paths, folder, limits) as backend:
        yield DuckDBEngine(backend, limits)


def parquet_header(backend: Backend, file: LogFile, limits: Limits) -> Header:
    """The fields of a Parquet file, once its footer has passed the size gates.

    Raises: AuditError when rows x columns are beyond the limits or too dense to be honest.
    """
    with in_words(file.name):
        rows, columns = _footer(backend, file)
        if columns > limits.max_columns:
            raise AuditError(
                f"{file.name} has {columns} columns; at most {limits.max_columns} are read"
            )
        dense = max(limits.checked_cells, limits.max_cells_per_byte * file.size_bytes)
        allowed = min(limits.max_cells, dense)
        if rows * columns > allowed:
            raise AuditError(
                f"{file.name} declares {rows} rows of {columns} columns in {file.size_bytes} "
                f"bytes; at most {allowed} values are read from a file of this size"
            )
        return Header(tuple(_leaves(backend.read_parquet(file.path).schema())))


def _footer(backend: Backend, file: LogFile) -> tuple[int, int]:
    """Rows and columns of a Parquet file as its row groups declare them, the larger where torn."""
    found = backend.con.execute(
        "SELECT coalesce(sum(n), 0), coalesce(max(k), 0) FROM (SELECT "
        "max(greatest(row_group_num_rows, num_values)) AS n, count(*) AS k "
        "FROM parquet_metadata($path) GROUP BY row_group_id)",
        {"path": file.path},
    ).fetchone()
    return (int(found[0]), int(found[1])) if found else (0, 0)


def _leaves(schema: Mapping[str, dt.DataType]) -> Iterator[FieldPath]:
    """Paths of the fields of a typed table, records inside records opened."""
    for name, kind in schema.items():
        if isinstance(kind, dt.Struct):
            yield from ((name, *rest) for rest in _leaves(kind))
        else:
            yield (name,)


def role_table(backend: Backend, layout: Layout, index: int) -> ir.Table:
    """The fields that play a role, named by it, as the files hold them; nothing else is read."""
    if layout.format == "csv":
        raw = _csv_table(backend, layout, index)
    elif layout.format == "parquet":
        raw = backend.read_parquet(layout.paths)
    else:
        raw = _json_table(backend, layout)
    return of_roles(raw, layout)


def of_roles(raw: ir.Table, layout: Layout) -> ir.Table:
    """The fields of a table that play a role; the columns of a CSV are named by their position."""
    fields = layout.roles.fields
    if layout.format == "csv":
        position = layout.header.fields.index
        return raw.select(**{role: raw[f"c{position(path)}"] for role, path in fields.items()})
    return raw.select(**{role: _field(raw, path) for role, path in fields.items()})


def _csv_table(backend: Backend, layout: Layout, index: int) -> ir.Table:
    """Every column as text under its position; lines that do not fit are set aside, counted."""
    return backend.read_csv(
        layout.paths,
        columns={f"c{i}": "VARCHAR" for i in range(len(layout.header.fields))},
        auto_detect=False,
        header=True,
        delim=layout.header.delimiter,
        quote='"',
        escape='"',
        compression="gzip" if layout.gzipped else "none",
        store_rejects=True,
        rejects_table=f"rejected_{index}",
        rejects_scan=f"rejected_scan_{index}",
    )


def _json_table(backend: Backend, layout: Layout) -> ir.Table:
    """Only the fields that play a role, as text; a line that is no object reads as blank."""
    tree = field_tree(layout)
    return backend.read_json(
        layout.paths,
        columns={name: _json_type(kind) for name, kind in tree.items()},
        format="array" if layout.format == "json" else "newline_delimited",
        compression="gzip" if layout.gzipped else "uncompressed",
        ignore_errors=True,
    )


def field_tree(layout: Layout) -> dict[str, object]:
    """The fields that play a role as nested records of text: {"usage": {"input": "VARCHAR"}}."""
    tree: dict[str, object] = {}
    for role, path in layout.roles.fields.items():
        branch = tree
        for name in path[:-1]:
            branch = branch.setdefault(name, {})  # type: ignore[assignment]
        branch[path[-1]] = "VARCHAR[]" if role == Role.BLOCKS else "VARCHAR"
    return tree


def _json_type(kind: object) -> str:
    """A nested record as the database spells it: {"a": "VARCHAR"} -> STRUCT("a" VARCHAR)."""
    if not isinstance(kind, dict):
        return str(kind)
    fields = (f"{_quoted(name)} {_json_type(inner)}" for name, inner in kind.items())
    return f"STRUCT({', '.join(fields)})"


def _quoted(name: str) -> str:
    """A name as SQL quotes it, quotation marks in it doubled."""
    return '"' + name.replace('"', '""') + '"'


def _field(table: ir.Table, path: FieldPath) -> ir.Value:
    """A column, or the field of a record inside it."""
    value: ir.Value = table[path[0]]
    for name in path[1:]:
        value = value[name]
    return value


def unreadable_lines(backend: Backend, layout: Layout, index: int) -> int:
    """Lines of the CSV files that the reader set aside; call it once the table has been read.

    Raises: AuditError for a quote that opens and swallows the lines after it.
    """
    if layout.format != "csv":
        return 0
    rejected = backend.table(f"rejected_{index}")
    several = rejected.csv_line.contains("\n")
    found = rejected.group_by("file_id", "line").aggregate(several=several.any())
    (said,) = (
        found.aggregate(n=found.count(), swallowed=found.line.min(where=found.several))
        .to_pyarrow()
        .to_pylist()
    )
    if said["swallowed"] is not None:
        raise AuditError(
            f"{layout.name} opens a quote on line {said['swallowed']} that does not close in "
            "place; close it, or double the quotes inside quoted text"
        )
    return int(said["n"])
