"""What a fleet is really asked: tokens, lengths and arrivals of a request log."""

import os
from collections.abc import Mapping

from planner.demand.logs.files import log_files
from planner.demand.logs.limits import DEFAULT_LIMITS, Limits
from planner.demand.logs.results import (
    TIME_SHARE_UNKNOWN,
    Arrivals,
    Audit,
    ClassMoments,
    Lengths,
    Series,
    Share,
)

__all__ = [
    "DEFAULT_LIMITS",
    "TIME_SHARE_UNKNOWN",
    "Arrivals",
    "Audit",
    "ClassMoments",
    "Lengths",
    "Limits",
    "Series",
    "Share",
    "audit",
]


def audit(
    source: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    time_unit: str | None = None,
    backend: str = "duckdb",
    limits: Limits = DEFAULT_LIMITS,
) -> Audit:
    """Audit a request log: a CSV, JSON-lines or Parquet file, a folder, or a glob of them.

    columns: role -> column, for names that the table of synonyms does not know.
    time_unit: s, ms, us or ns, for numbers whose unit the log does not say.
    backend: duckdb, or the address of a Spark master (spark://HOST:PORT).
    Only counts and lengths are read; columns that hold text are not. A log is data from outside:
    what comes back is plain records, so that a child process can do the reading.
    Raises: AuditError, one sentence naming the file, the column, and what is allowed.
    """
    log = log_files(source, limits)
    # Ibis takes most of a second to import: paid when a log is read, not by every page.
    from planner.demand.logs.measure import measured  # noqa: PLC0415

    return measured(log, columns, time_unit, limits, backend)
