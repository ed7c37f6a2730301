"""A table of a PostgreSQL server as a log: only the columns that play a role leave the server."""

from collections.abc import Mapping
from pathlib import Path

from planner.demand.logs.columns import FieldPath, Roles, find_roles, listed
from planner.demand.logs.files import LogFile, LogFiles
from planner.demand.logs.limits import Limits
from planner.demand.logs.synonyms import Role
from planner.errors import AuditError

try:
    import psycopg
    from psycopg import sql
except ImportError as error:
    raise AuditError(
        'PostgreSQL is not reachable from here; pip install "switchyard[postgres]"'
    ) from error

COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = coalesce(%(schema)s, current_schema()) AND table_name = %(table)s
    ORDER BY ordinal_position
"""


def table_as_log(
    address: str, table: str, folder: str, columns: Mapping[str, str] | None, limits: Limits
) -> LogFiles:
    """Copy the columns of a table that play a role into `folder`, in one read-only transaction.

    address: postgresql://USER@HOST/DATABASE, the rest as libpq has it (PGPASSWORD, service files).
    table: TABLE or SCHEMA.TABLE.
    Raises: AuditError when the server refuses, or the table has no usable columns.
    """
    schema, _, name = table.rpartition(".")
    try:
        with psycopg.connect(address, options="-c timezone=UTC") as connection:
            connection.read_only = True
            found = connection.execute(COLUMNS, {"schema": schema or None, "table": name})
            fields: tuple[FieldPath, ...] = tuple((row[0],) for row in found)
            if not fields:
                raise AuditError(f"{table} is no table that this user of the database may read")
            roles = _readable(find_roles(table, fields, columns))
            path = Path(folder) / "table.csv"
            _copied(connection, (schema, name), roles, path, limits)
    except (psycopg.Error, ValueError) as error:
        said = str(error).strip().splitlines()[0]
        raise AuditError(f"{table} cannot be read from PostgreSQL: {said}") from error
    file = LogFile(str(path.resolve()), "csv", False, path.stat().st_size, table)
    return LogFiles(table, (file,), (), _notes(roles))


def _readable(roles: Roles) -> Roles:
    """The roles that a column of numbers or names can play; lists of blocks stay where they are."""
    kept: dict[Role, FieldPath] = {
        role: path for role, path in roles.fields.items() if role != Role.BLOCKS
    }
    return Roles(kept, roles.text, roles.unused)


def _copied(
    connection: "psycopg.Connection[tuple[str]]",
    table: tuple[str, str],
    roles: Roles,
    path: Path,
    limits: Limits,
) -> None:
    """Write the columns as CSV, piece by piece. Raises: AuditError beyond the limit of bytes."""
    names = sql.SQL(", ").join(
        sql.Identifier(path[0]) for path in dict.fromkeys(roles.fields.values())
    )
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT csv, HEADER)").format(
        names, sql.Identifier(*(part for part in table if part))
    )
    written = 0
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(query) as pieces:
        for piece in pieces:
            written += file.write(piece)
            if written > limits.max_bytes:
                raise AuditError(
                    f"{table[1]} holds more than {limits.max_bytes} bytes; give a shorter view"
                )


def _notes(roles: Roles) -> tuple[str, ...]:
    """What was left on the server."""
    said = []
    if roles.text:
        said.append(f"Text content, never read: {listed(roles.text)}.")
    if roles.unused:
        said.append(f"Columns not used: {listed(roles.unused)}.")
    return tuple(said)
