"""What an audit needs of a database: the one door between the expressions and what runs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol

import ibis.expr.types as ir

from planner.demand.logs.columns import Header
from planner.demand.logs.files import LogFile, LogFiles
from planner.demand.logs.layouts import Layout
from planner.demand.logs.limits import Limits
from planner.errors import AuditError

ENGINES = {
    "duckdb": ("planner.demand.logs.readers", "duckdb_engine"),
    "postgresql": ("planner.demand.logs.readers", "duckdb_engine"),
    "spark": ("planner.demand.logs.spark", "spark_engine"),
}
ALLOWED = "allowed are duckdb, spark://HOST:PORT and postgresql://USER@HOST/DATABASE"


class Engine(Protocol):
    """A database with the rows of a log; every expression of an audit runs on any of them."""

    def header(self, file: LogFile) -> Header:
        """The fields of one file, its size gates passed."""

    def roles(self, layout: Layout, index: int) -> ir.Table:
        """The fields that play a role, named by it, as the files hold them."""

    def unreadable(self, layout: Layout, index: int) -> int:
        """Lines that no reader could split; asked once the table has been read."""

    def stored(self, name: str, table: ir.Table) -> ir.Table:
        """The rows of an expression, computed once and kept outside of memory."""

    def view(self, name: str, table: ir.Table) -> ir.Table:
        """An expression under a name, so that the queries on top of it stay small."""


@contextmanager
def opened(backend: str, log: LogFiles, folder: str, limits: Limits) -> Iterator[Engine]:
    """The engine that an address names, ready to read a log; gone when the block ends.

    Each engine is loaded only when asked for. Raises: AuditError for an address of neither kind.
    """
    kind = backend.partition("://")[0]
    if kind not in ENGINES:
        raise AuditError(f"Backend {kind!r} is not known; {ALLOWED}")
    module, name = ENGINES[kind]
    with getattr(import_module(module), name)(backend, log, folder, limits) as engine:
        yield engine
