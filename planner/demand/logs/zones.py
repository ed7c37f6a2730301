"""The zone of times that name none, as the reader of a log chooses it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from planner.demand.logs.rows import MICROSECONDS
from planner.errors import AuditError

EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def zone_called(name: str) -> ZoneInfo:
    """A zone by its name in the IANA database. Raises: AuditError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise AuditError(
            f"Time zone {name!r} is not known; allowed are UTC and names such as Europe/Berlin"
        ) from error


def utc_us(local_us: ir.IntegerValue, zone: ZoneInfo, first_us: int, last_us: int) -> ir.Value:
    """UTC microseconds since 1970 of a wall clock's, which runs from `first_us` to `last_us`.

    Of an hour that the clock shows twice the first is meant.
    """
    steps = _offsets(zone, _wall(first_us), _wall(last_us))
    later = [(local_us >= since, local_us - offset) for since, offset in reversed(steps[1:])]
    first = local_us - steps[0][1]
    return ibis.cases(*later, else_=first) if later else first


def _wall(local_us: int) -> datetime:
    """What a wall clock shows."""
    return EPOCH + timedelta(microseconds=local_us)


def _offsets(zone: ZoneInfo, first: datetime, last: datetime) -> list[tuple[int, int]]:
    """From when on [wall clock, us since 1970] the zone is how far ahead of UTC [us]."""

    def ahead(wall: datetime) -> timedelta:
        return wall.replace(tzinfo=zone).utcoffset() or timedelta()

    found, day = [(first, ahead(first))], first
    while day < last:
        if ahead(day + DAY) != ahead(day):
            found.append((_change(ahead, day, day + DAY), ahead(day + DAY)))
        day += DAY
    return [(_us(at - EPOCH), _us(offset)) for at, offset in found]


def _change(ahead: Callable[[datetime], timedelta], before: datetime, after: datetime) -> datetime:
    """The second at which the zone changes between two times."""
    while after - before > SECOND:
        middle = before + (after - before) / 2
        before, after = (middle, after) if ahead(middle) == ahead(before) else (before, middle)
    return after.replace(microsecond=0)


def _us(span: timedelta) -> int:
    """A span in microseconds."""
    return round(span.total_seconds()) * MICROSECONDS
