"""The same expressions on a Spark cluster, for logs that outgrow one machine.

Every worker must see the files of the log under the path that the driver sees.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import ibis
import ibis.expr.types as ir

from planner.demand.logs.columns import Header
from planner.demand.logs.files import LogFile, LogFiles
from planner.demand.logs.layouts import Layout
from planner.demand.logs.limits import Limits
from planner.demand.logs.readers import DuckDBEngine, duckdb_engine, field_tree, of_roles
from planner.demand.metrics.addresses import LOOPBACK
from planner.errors import AuditError

try:
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession
except ImportError as error:
    raise AuditError(
        'Spark is not installed here; pip install "switchyard[spark]" and Java 17 or newer'
    ) from error

BROKEN = "broken_line"
"""Where Spark puts a line that does not fit; named like no position of a column."""


class SparkEngine:
    """A Spark session as an engine; the headers of files are read here, their rows over there."""

    def __init__(self, session: SparkSession, local: DuckDBEngine) -> None:
        self.session = session
        self.local = local
        self.backend = ibis.pyspark.connect(session)

    def header(self, file: LogFile) -> Header:
        """The fields of one file, its size gates passed."""
        return self.local.header(file)

    def roles(self, layout: Layout, index: int) -> ir.Table:
        """The fields that play a role, named by it, as the files hold them."""
        raw = self._frame(layout)
        raw.createOrReplaceTempView(f"raw_{index}")
        table = self.backend.table(f"raw_{index}")
        if layout.format == "csv":
            table = table.filter(table[BROKEN].isnull())
        return of_roles(table, layout)

    def unreadable(self, layout: Layout, index: int) -> int:
        """Lines with another number of fields than the header."""
        if layout.format != "csv":
            return 0
        raw = self.session.table(f"raw_{index}")
        return int(raw.filter(raw[BROKEN].isNotNull()).count())

    def stored(self, name: str, table: ir.Table) -> ir.Table:
        """The rows of an expression, kept by the workers in memory and on their disks."""
        return self._named(name, self.session.sql(self.backend.compile(table)).persist())

    def view(self, name: str, table: ir.Table) -> ir.Table:
        """An expression under a name."""
        return self._named(name, self.session.sql(self.backend.compile(table)))

    def _named(self, name: str, frame: Any) -> ir.Table:
        frame.createOrReplaceTempView(name)
        return self.backend.table(name)

    def _frame(self, layout: Layout) -> Any:
        """The files of a layout, every column as text but in Parquet."""
        paths = [f"file://{path}" for path in layout.paths]
        if layout.format == "parquet":
            return self.session.read.parquet(*paths)
        if layout.format == "csv":
            columns = [f"c{i} STRING" for i in range(len(layout.header.fields))]
            reader = self.session.read.schema(", ".join([*columns, f"{BROKEN} STRING"]))
            return reader.csv(
                paths,
                header=True,
                sep=layout.header.delimiter,
                quote='"',
                escape='"',
                columnNameOfCorruptRecord=BROKEN,
            ).cache()
        reader = self.session.read.schema(_spark_type(field_tree(layout))[len("STRUCT<") : -1])
        return reader.json(paths, multiLine=layout.format == "json")


def _spark_type(kind: object) -> str:
    """A nested record as Spark spells it: {"a": "VARCHAR"} -> STRUCT<`a` STRING>."""
    if not isinstance(kind, dict):
        return "ARRAY<STRING>" if kind == "VARCHAR[]" else "STRING"
    fields = (f"`{name.replace('`', '``')}` {_spark_type(inner)}" for name, inner in kind.items())
    return f"STRUCT<{', '.join(fields)}>"


@contextmanager
def spark_engine(backend: str, log: LogFiles, folder: str, limits: Limits) -> Iterator[SparkEngine]:
    """A session on the cluster at `backend`, with a small DuckDB beside it for the headers.

    Raises: AuditError when the cluster does not answer or a job fails.
    """
    try:
        with _quiet(), duckdb_engine("duckdb", log, folder, limits) as local:
            session = _session(backend, folder)
            try:
                yield SparkEngine(session, local)
            finally:
                session.stop()
    except PySparkException as error:
        said = str(error).strip().splitlines()[0]
        raise AuditError(f"Spark at {backend} could not read {log.name}: {said}") from error
    except RuntimeError as error:
        raise AuditError(f"Spark at {backend} does not answer: {error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves that Spark still calls what this pandas means to drop one day."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _session(master: str, folder: str) -> SparkSession:
    """A session in UTC; on a master of this machine the driver stays on loopback too."""
    builder = (
        SparkSession.builder.appName("Switchyard audit")
        .master(master)
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.warehouse.dir", f"{folder}/warehouse")
        .config("spark.local.dir", folder)
        .config("spark.log.level", "ERROR")
    )
    if urlsplit(master).hostname in LOOPBACK:
        builder = builder.config("spark.driver.host", "127.0.0.1")
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
    return builder.getOrCreate()
