"""What the rows of a log add up to: the audit itself."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

import ibis.expr.types as ir
import numpy as np

from planner.demand.logs.arrivals import Minutes, dispersions
from planner.demand.logs.classes import class_moments, profiles
from planner.demand.logs.clock import MICROSECONDS
from planner.demand.logs.diurnal import diurnal
from planner.demand.logs.engine import Engine, opened
from planner.demand.logs.files import LogFiles
from planner.demand.logs.gather import Gathered, gather
from planner.demand.logs.limits import Limits
from planner.demand.logs.progress import COUNTING, GROUPING, OPENING, READING, Report, unheard
from planner.demand.logs.results import TIME_SHARE_UNKNOWN, Audit, Series
from planner.demand.logs.rows import FAULTS
from planner.demand.logs.shares import NO_NAME, hourly, share, shares, sums
from planner.demand.logs.synonyms import Role
from planner.errors import AuditError
from planner.facts.units import HOUR_S, MINUTE_S
from planner.text import number

UNREADABLE_LINE = "unreadable line"
COARSE = (
    "Above {} requests percentiles of lengths are approximate, within 0.8%, and the SCV of all "
    "gaps is taken from a sample of the minutes; means, totals and the peak minute are exact."
)
TIME_SHARE_MEASURED = (
    "prefill_time_frac is measured: time to first token over latency, summed over requests, "
    "waiting included; it is not the share of accelerator time."
)


def measured(
    prepare: Callable[[str], LogFiles],
    columns: Mapping[str, str] | None,
    time_unit: str | None,
    time_zone: str | None,
    limits: Limits,
    backend: str = "duckdb",
    report: Report = unheard,
) -> Audit:
    """Audit a log: have it laid out in a folder that goes with us, read it once, add up.

    prepare: the files of the log, those that must be copied or unfolded first in that folder.
    Raises: AuditError, one sentence.
    """
    with TemporaryDirectory(prefix="audit-") as folder, ExitStack() as opening:
        report(*OPENING)
        log = prepare(folder)
        engine = opening.enter_context(opened(backend, log, folder, limits))
        report(*READING)
        found = gather(engine, log, columns, time_unit, time_zone, limits)
        return _added_up(log, found, sound_requests(engine, log.name, found), limits, report)


@dataclass(frozen=True, slots=True)
class Requests:
    """The sound rows of a log with `since_us`, microseconds since its first arrival.

    starts_at: the date of the first arrival, None if the log does not say. span_s: from the first
    arrival to the last [s], None without times. dropped: the other rows, by reason.
    """

    rows: ir.Table
    n_rows: int
    starts_at: datetime | None
    span_s: float | None
    dropped: Mapping[str, int]


def _added_up(
    log: LogFiles, found: Gathered, sound: Requests, limits: Limits, report: Report
) -> Audit:
    """Everything an audit reports."""
    report(*COUNTING)
    rows, span_s, dropped = sound.rows, sound.span_s, sound.dropped
    coarse = sound.n_rows > limits.exact_rows
    stride = -(-sound.n_rows // limits.gap_rows) if coarse else 1
    whole = profiles(rows, span_s, coarse=coarse, stride=stride)[()]
    timed = replace(whole.arrivals, dispersion=dispersions(rows, whole.minutes, span_s))
    (sum_,) = sums(rows)
    total = replace(
        share(log.name, sum_),
        input_lengths=whole.input_lengths,
        output_lengths=whole.output_lengths,
    )
    report(*GROUPING)
    keys = tuple(key for key, role in LABELS.items() if found.has(role))
    listed = {key: shares(rows, key, limits.max_labels, coarse=coarse) for key in keys}
    by_hour = () if span_s is None else hourly(rows, sound.starts_at)
    return Audit.of(
        total,
        starts_at=sound.starts_at,
        dropped=dropped,
        files=len(log.files),
        columns=_columns(found),
        unread=found.unread,
        times=found.times,
        arrivals=timed,
        per_minute=_series(whole.minutes, limits),
        by_model=listed.get("model", ()),
        by_class=listed.get("label", ()),
        by_hour=by_hour,
        diurnal=diurnal(by_hour, sound.starts_at, span_s),
        classes=class_moments(rows, keys, (total, whole), limits.max_parts, coarse=coarse),
        caveats=(
            *found.caveats,
            *((COARSE.format(number(limits.exact_rows, place=0)),) if coarse else ()),
            *_caveats(found, rows, sum_, whole.arrivals.scv),
        ),
    )


LABELS = {"label": Role.CLASS, "model": Role.MODEL}
"""Columns of the gathered rows that tell requests apart, and the roles they come from."""


def _columns(found: Gathered) -> dict[str, str]:
    """Which column was read for which role, the names of several layouts side by side."""
    names: dict[str, dict[str, None]] = {}
    for layout in found.layouts:
        for role in layout.roles.fields:
            names.setdefault(role.value, {})[layout.roles.name(role)] = None
    return {role: ", ".join(several) for role, several in names.items()}


def _dropped(found: Gathered) -> dict[str, int]:
    """Rows that are not in the figures, by reason, the commonest first."""
    faulty = found.rows.filter(found.rows.fault.notnull())
    counted = faulty.group_by("fault").aggregate(n=faulty.count()).to_pyarrow().to_pylist()
    reasons = {FAULTS[row["fault"]]: int(row["n"]) for row in counted}
    if found.unreadable:
        reasons[UNREADABLE_LINE] = found.unreadable
    return dict(sorted(reasons.items(), key=lambda reason: (-reason[1], reason[0])))


def sound_requests(engine: Engine, name: str, found: Gathered) -> Requests:
    """The rows that count, from the first arrival on.

    Raises: AuditError when there is none, with the reasons.
    """
    dropped = _dropped(found)
    sound = found.rows.filter(found.rows.fault.isnull())
    ends = sound.aggregate(n=sound.count(), first=sound.at_us.min(), last=sound.at_us.max())
    (end,) = ends.to_pyarrow().to_pylist()
    if not end["n"]:
        why = (
            ", ".join(f"{n} with {reason}" for reason, n in dropped.items())
            or "no row below its header"
        )
        raise AuditError(f"{name} holds no usable request: {why}")
    timed = end["first"] is not None
    since = sound.mutate(
        since_us=sound.at_us - (end["first"] if timed else 0),
        label=sound.label.fill_null(NO_NAME),
        model=sound.model.fill_null(NO_NAME),
    )
    return Requests(
        # A view keeps the queries on top of it small: building them costs more than running them.
        rows=engine.view("requests", since),
        n_rows=int(end["n"]),
        starts_at=_date(end["first"]) if timed and found.clock.absolute else None,
        span_s=(end["last"] - end["first"]) / MICROSECONDS if timed else None,
        dropped=dropped,
    )


def _date(since_1970_us: int) -> datetime:
    """The date of a time in microseconds, to the microsecond."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=since_1970_us)


def _series(minutes: Minutes | None, limits: Limits) -> Series:
    """Requests and tokens over time, empty bins filled in; wider bins for a very long log."""
    if minutes is None:
        return Series(MINUTE_S, (), (), (), ())
    n_minutes = int(minutes.minute[-1]) + 1
    hours = -(-n_minutes * MINUTE_S // (HOUR_S * limits.max_series_bins))
    width = 1 if n_minutes <= limits.max_series_bins else hours * HOUR_S // MINUTE_S
    bins = minutes.minute // width
    counts = [
        tuple(np.bincount(bins, weights=weights).astype(np.int64).tolist())
        for weights in (minutes.requests, minutes.input_tokens, minutes.output_tokens)
    ]
    starts = tuple(range(0, n_minutes, width))
    return Series(width * MINUTE_S, starts, *counts)


def _caveats(
    found: Gathered, rows: ir.Table, sum_: Mapping[str, object], scv: float | None
) -> list[str]:
    """What the reader must know of the figures, and the reason beside each null."""
    odd = rows.aggregate(
        silent=(rows.output_tokens == 0).sum(), unhit=rows.cached_tokens.isnull().sum()
    )
    (count,) = odd.to_pyarrow().to_pylist()
    known = {
        TIME_SHARE_UNKNOWN: not sum_["latency_us"],
        TIME_SHARE_MEASURED: bool(sum_["latency_us"]),
        "cached_tokens is null: the log does not say what a prefix cache served.": (
            sum_["cached_tokens"] is None
        ),
        f"{count['unhit']} requests without a cached count are taken as not cached.": (
            sum_["cached_tokens"] is not None and bool(count["unhit"])
        ),
        f"{count['silent']} requests without output are kept: their prompt was processed.": bool(
            count["silent"]
        ),
        "decode_to_prefill_token_ratio is null: no input token was logged.": (
            not sum_["input_tokens"]
        ),
        "by_model is empty: the log names no model.": not found.has(Role.MODEL),
        "by_class is empty: the log names no class.": not found.has(Role.CLASS),
        "The log is too short to tell how bursty arrivals are; such figures are null.": (
            found.clock.kind != "none" and scv is None
        ),
    }
    return [said for said, holds in known.items() if holds]
