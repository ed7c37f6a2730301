"""When requests arrived: the unit and origin of a log's times, found and said."""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from planner.demand.logs.columns import Roles
from planner.demand.logs.limits import Limits
from planner.demand.logs.rows import FAULTS, MICROSECONDS
from planner.demand.logs.synonyms import MILLISECOND_PAIR, Role, named_unit, plain
from planner.demand.logs.zones import utc_us, zone_called
from planner.errors import AuditError
from planner.facts.units import SECOND_PER

UNIT_WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
__all__ = ["MICROSECONDS", "SECOND_PER", "Clock", "find_clock", "timed_rows"]
SHOWN_ZONES = 4
OUT_OF_RANGE = ibis.literal(len(FAULTS) - 1, type="int8")


@dataclass(frozen=True, slots=True)
class Clock:
    """How the times of a log are written.

    kind: "date" (written out), "epoch" (counted since 1970), "elapsed" (since the start of the
    log) or "none". unit: s, ms, us, ns; empty for dates. why: how the unit was found, or which
    zones the dates name. zone: in which dates without one are read; empty for UTC.
    """

    kind: str
    unit: str
    why: str
    zone: str = ""

    @property
    def absolute(self) -> bool:
        """Does the log say at which date and hour requests arrived?"""
        return self.kind in ("date", "epoch")

    @property
    def sentence(self) -> str:
        """What the reader should know about the times."""
        if self.kind == "none":
            return "The log has no times, so arrivals and hours are null."
        if self.kind == "date":
            zone = f"{self.zone} (as chosen) where they name no zone" if self.zone else "UTC"
            return f"Times are dates, read as {zone}; {self.why}."
        since = "1970, UTC" if self.kind == "epoch" else "the start of the log"
        return f"Times are {UNIT_WORDS[self.unit]} since {since} ({self.why})."


def find_clock(
    rows: ir.Table, roles: Roles, unit: str | None, zone: str | None, limits: Limits
) -> Clock:
    """The clock that most rows of a layout agree on.

    unit: s, ms, us or ns where the reader knows better than the log says. zone: of dates that
    name none, by its name in the IANA database; None is UTC.
    Raises: AuditError for a unit or zone that is none.
    """
    if zone is not None:
        zone_called(zone)
    if unit is not None and unit not in SECOND_PER:
        raise AuditError(f"Time unit {unit!r} is not known; allowed are {', '.join(SECOND_PER)}")
    if Role.TIME not in roles.fields:
        return Clock("none", "", "")
    counts = _votes(rows.filter(rows.fault.isnull()), limits)
    if counts["date"] >= sum(n for kind, n in counts.items() if kind != "date"):
        return Clock("date", "", _zones(rows), zone or "")
    named = unit or named_unit(roles.fields[Role.TIME][-1])
    if named:
        why = "as chosen" if unit else f"as column {roles.name(Role.TIME)} says"
        return Clock(_kind_of(rows, named, limits), named, why)
    epoch = max(SECOND_PER, key=lambda u: counts[u])
    if counts[epoch] > counts["elapsed"]:
        return Clock("epoch", epoch, "by their size")
    fields = {plain(path[-1]) for path in roles.fields.values()}
    if fields.issuperset(MILLISECOND_PAIR):
        return Clock("elapsed", "ms", "as in the Mooncake traces, whose columns these are")
    return Clock("elapsed", "s", "assumed: the column names no unit")


def _zones(rows: ir.Table) -> str:
    """The zones that the dates of a log name, the commonest first, for a sentence."""
    dated = rows.filter(rows.clock_us.notnull())
    counted = dated.group_by("zone").aggregate(n=dated.count())
    order = [counted.n.desc(), counted.zone.asc()]
    found = counted.order_by(order).limit(SHOWN_ZONES).to_pyarrow().to_pylist()
    if [row["zone"] for row in found] == [None]:
        return "they name no zone of their own"
    named = [f"{row['zone'] or 'no zone'} in {row['n']} rows" for row in found]
    return "they name " + ", ".join(named)


def _votes(rows: ir.Table, limits: Limits) -> dict[str, int]:
    """Rows whose time reads as a date, as an epoch in each unit, or as time elapsed."""
    size = rows.clock
    ranges = {
        unit: size.between(limits.earliest_epoch_s / s, limits.latest_epoch_s / s)
        for unit, s in SECOND_PER.items()
    }
    kinds = {**ranges, "elapsed": size < limits.earliest_epoch_s, "date": rows.clock_us.notnull()}
    counted = rows.aggregate(**{kind: test.sum() for kind, test in kinds.items()})
    (votes,) = counted.to_pyarrow().to_pylist()
    return {kind: int(n or 0) for kind, n in votes.items()}


def _kind_of(rows: ir.Table, unit: str, limits: Limits) -> str:
    """Are times in a known unit counted since 1970 or since the start of the log?"""
    median_s = rows.filter(rows.fault.isnull()).clock.approx_median() * SECOND_PER[unit]
    at_s = median_s.to_pyarrow().as_py()
    return "epoch" if at_s is not None and at_s >= limits.earliest_epoch_s else "elapsed"


def timed_rows(rows: ir.Table, clock: Clock, limits: Limits) -> ir.Table:
    """Rows with `at_us` [int64, microseconds on the log's own clock]; strays become faults."""
    if clock.kind == "none":
        return rows.mutate(at_us=ibis.null("int64"))
    if clock.kind == "date":
        return _with_range_fault(rows.mutate(at_us=_in_utc(rows, clock.zone)))
    at_s = rows.clock * SECOND_PER[clock.unit]
    first_s = limits.earliest_epoch_s if clock.kind == "epoch" else 0
    sound = at_s.between(first_s, limits.latest_epoch_s)
    at_us = ibis.ifelse(sound, at_s * MICROSECONDS, ibis.null("float64")).round().cast("int64")
    return _with_range_fault(rows.mutate(at_us=at_us))


def _in_utc(rows: ir.Table, zone: str) -> ir.Value:
    """Written dates as UTC [us since 1970]: `clock_us` is right unless they name no zone."""
    if not zone:
        return rows.clock_us
    bare = rows.filter(rows.clock_us.notnull() & rows.zone.isnull())
    ends = bare.aggregate(first=bare.clock_us.min(), last=bare.clock_us.max())
    (end,) = ends.to_pyarrow().to_pylist()
    if end["first"] is None:
        return rows.clock_us
    shifted = utc_us(rows.clock_us, zone_called(zone), end["first"], end["last"])
    return ibis.ifelse(rows.zone.isnull(), shifted, rows.clock_us)


def _with_range_fault(rows: ir.Table) -> ir.Table:
    """Mark the sound rows whose time does not fit the log's clock."""
    stray = rows.fault.isnull() & rows.at_us.isnull()
    return rows.mutate(fault=ibis.ifelse(stray, OUT_OF_RANGE, rows.fault))
