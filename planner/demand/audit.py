"""What a fleet is really asked: tokens, lengths and arrivals of a request log."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from planner.demand.logs.files import LogFiles, head, log_files
from planner.demand.logs.limits import DEFAULT_LIMITS, LAST_DAYS, Limits
from planner.demand.logs.progress import Report, unheard
from planner.demand.logs.results import (
    TIME_SHARE_UNKNOWN,
    Arrivals,
    Audit,
    ClassMoments,
    Lengths,
    Series,
    Share,
)
from planner.demand.logs.unfolding import documents, unfolded
from planner.demand.metrics.adding_up import audit_of
from planner.demand.metrics.addresses import spoken
from planner.demand.metrics.prometheus import counts_at, snapshot
from planner.demand.metrics.usage import is_usage, usage_counts
from planner.errors import AuditError

__all__ = [
    "DEFAULT_LIMITS",
    "LAST_DAYS",
    "TIME_SHARE_UNKNOWN",
    "Arrivals",
    "Audit",
    "ClassMoments",
    "Lengths",
    "Limits",
    "Series",
    "Share",
    "audit",
    "unheard",
]


def audit(
    source: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    time_unit: str | None = None,
    time_zone: str | None = None,
    backend: str = "duckdb",
    days: float = LAST_DAYS,
    report: Report = unheard,
    limits: Limits = DEFAULT_LIMITS,
) -> Audit:
    """Audit what a fleet was asked, from its request log or from its engines' own counters.

    source: a CSV, JSON-lines or Parquet file, a folder, or a glob of them; an exposition of
    metrics; a Prometheus server (http://HOST:PORT) or an engine (http://HOST:PORT/metrics).
    columns: role -> column, for names that the table of synonyms does not know; "" for a role
    that no column plays whatever its name says.
    time_unit: s, ms, us or ns, for numbers whose unit the log does not say.
    time_zone: of dates that name none, such as Europe/Berlin; None is UTC.
    backend: duckdb, a Spark master (spark://HOST:PORT), or a PostgreSQL database
    (postgresql://USER@HOST/DATABASE), whose table `source` then is.
    days: how far back a Prometheus server is asked.
    report: is told each step and the share of the work done before it.
    Only counts and lengths are read; columns that hold text are not. A log is data from outside:
    what comes back is plain records, so that a child process can do the reading.
    Raises: AuditError, one sentence naming the file, the column, and what is allowed.
    """
    named = os.fspath(source)
    if named.lower().startswith(("http://", "https://")):
        return audit_of(spoken(named), counts_at(named, days, limits), limits)
    if backend.startswith("postgresql://"):
        from planner.demand.logs.warehouse import table_as_log  # noqa: PLC0415

        prepare = partial(table_as_log, backend, named, columns=columns, limits=limits)
    else:
        log = log_files(source, limits)
        if any(file.format == "metrics" for file in log.files):
            return _shown(log, limits)
        if log.files[0].format == "jsonl" and is_usage(next(documents(log.files[0], limits), {})):
            records = (record for file in log.files for record in documents(file, limits))
            return audit_of(log.name, usage_counts(records, log.name, limits), limits)
        prepare = partial(unfolded, log, limits=limits)
    # Ibis takes most of a second to import: paid when a log is read, not by every page.
    from planner.demand.logs.measure import measured  # noqa: PLC0415

    return measured(prepare, columns, time_unit, time_zone, limits, backend, report)


def _shown(log: LogFiles, limits: Limits) -> Audit:
    """The audit of one exposition."""
    file = log.files[0]
    if len(log.files) > 1:
        raise AuditError(f"{file.name} shows the metrics of one engine; audit it alone")
    if file.size_bytes > limits.max_exposition_bytes:
        raise AuditError(
            f"{file.name} holds {file.size_bytes} bytes; at most {limits.max_exposition_bytes} of "
            "metrics are read"
        )
    text = head(Path(file.path), file.gzipped, limits.max_exposition_bytes)
    return audit_of(file.name, snapshot(text.decode("utf-8", "replace"), file.name), limits)
