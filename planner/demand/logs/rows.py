"""Rows of a log as numbers, each with the first fault found in it; no row leaves uncounted."""

from datetime import UTC, datetime

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from planner.demand.logs.limits import Limits
from planner.demand.logs.synonyms import Role

MICROSECONDS = 1_000_000
"""Microseconds in a second: the audit keeps times as whole microseconds."""

FAULTS = (
    "line without any known field",
    "input tokens missing",
    "input tokens not a whole number",
    "input tokens negative",
    "input tokens implausibly many",
    "output tokens missing",
    "output tokens not a whole number",
    "output tokens negative",
    "output tokens implausibly many",
    "neither input nor output tokens",
    "cached tokens not a whole number",
    "more cached than input tokens",
    "timestamp missing",
    "timestamp not readable",
    "timestamp out of range or in another unit",
)
"""What can be wrong with a row, in the order in which it is looked for."""

LONG_LABEL = "(withheld: too long for a name)"


ABSENT = {
    "clock": "float64",
    "clock_us": "int64",
    "zone": "string",
    "cached_tokens": "int64",
    "ttft": "float64",
    "latency": "float64",
    "model": "string",
    "label": "string",
    "hash_ids": "array<string>",
}
"""Columns that a log may lack and their types; those it lacks are never stored."""


def typed_rows(raw: ir.Table, limits: Limits) -> ir.Table:
    """Numbers, labels and the first fault of every row of a role table.

    Columns: input_tokens, output_tokens, cached_tokens [int64, null where faulty or absent],
    clock [float64, the time as a number], clock_us [int64, UTC microseconds of a written date],
    zone [text or null, as the date names it],
    ttft, latency [float64, in the log's own unit], model, label [text or null],
    hash_ids [array or null], fault [int8, index into FAULTS, null for a sound row].
    What the log lacks is left out.
    """
    read, write = (_number(raw, role).fill_null(0) for role in (Role.CACHE_READ, Role.CACHE_WRITE))
    numbers = raw.mutate(
        n_input=_number(raw, Role.INPUT) + read + write,
        n_output=_number(raw, Role.OUTPUT),
        n_cached=ibis.coalesce(_number(raw, Role.CACHED), _number(raw, Role.CACHE_READ)),
        clock=_number(raw, Role.TIME),
        clock_us=_date_us(raw, Role.TIME, limits),
    )
    ttft, latency = _durations(raw, limits)
    optional = {
        "clock": numbers.clock,
        "clock_us": numbers.clock_us,
        "zone": _zone(raw),
        "cached_tokens": _whole(numbers.n_cached, limits),
        "ttft": ttft,
        "latency": latency,
        "model": _label(raw, Role.MODEL, limits),
        "label": _label(raw, Role.CLASS, limits),
        "hash_ids": _column(raw, Role.BLOCKS, "array<string>"),
    }
    return numbers.select(
        input_tokens=_whole(numbers.n_input, limits),
        output_tokens=_whole(numbers.n_output, limits),
        fault=ibis.cases(*_faults(numbers, limits), else_=ibis.null("int8")).cast("int8"),
        **{name: column for name, column in optional.items() if name in _present(raw)},
    )


def with_absent(stored: ir.Table) -> ir.Table:
    """Stored rows with nulls for the columns that the log lacks."""
    lacking = {name: ibis.null(kind) for name, kind in ABSENT.items() if name not in stored.columns}
    return stored.mutate(**lacking)


def _present(raw: ir.Table) -> set[str]:
    """Which of the optional columns a role table can fill."""
    filled_by = {
        "clock": (Role.TIME,),
        "clock_us": (Role.TIME,),
        "zone": (Role.TIME,),
        "cached_tokens": (Role.CACHED, Role.CACHE_READ),
        "ttft": (Role.TTFT, Role.FIRST_AT),
        "latency": (Role.LATENCY, Role.END_AT),
        "model": (Role.MODEL,),
        "label": (Role.CLASS,),
        "hash_ids": (Role.BLOCKS,),
    }
    return {name for name, roles in filled_by.items() if set(roles) & set(raw.columns)}


def _column(raw: ir.Table, role: Role, kind: str) -> ir.Value:
    """The column of a role as a type, or nulls where the log has none."""
    return raw[role].try_cast(kind) if role in raw.columns else ibis.null(kind)


def _number(raw: ir.Table, role: Role) -> ir.FloatingValue:
    """A column as finite float64 numbers; null where absent, blank, or no number."""
    if role not in raw.columns or raw[role].type().is_temporal():
        return ibis.null("float64")
    number = raw[role].try_cast("float64")
    return ibis.ifelse(number.isnan() | number.isinf(), ibis.null("float64"), number)


def _whole(number: ir.FloatingValue, limits: Limits) -> ir.IntegerValue:
    """A number as int64 where it is a whole one within the limits, else null."""
    sound = _is_whole(number) & number.between(0, limits.max_tokens)
    return ibis.ifelse(sound, number.try_cast("int64"), ibis.null("int64"))


def _is_whole(number: ir.FloatingValue) -> ir.BooleanValue:
    """Does a float hold an integer? One beyond int64 does not; null stays null."""
    return number.try_cast("int64").cast("float64") == number


def _durations(raw: ir.Table, limits: Limits) -> tuple[ir.FloatingValue, ir.FloatingValue]:
    """Time to first token and latency as logged, else [s] between the dates that bound them.

    A first token that comes with the end tells nothing: the answer was not streamed.
    """
    start, first, end = (_date_us(raw, r, limits) for r in (Role.TIME, Role.FIRST_AT, Role.END_AT))
    streamed = ibis.ifelse(first < end, first, ibis.null("int64"))
    return (
        ibis.coalesce(_number(raw, Role.TTFT), (streamed - start) / MICROSECONDS),
        ibis.coalesce(_number(raw, Role.LATENCY), (end - start) / MICROSECONDS),
    )


def _date_us(raw: ir.Table, role: Role, limits: Limits) -> ir.IntegerValue:
    """UTC microseconds since 1970 of a written date within the limits, null for anything else."""
    if role not in raw.columns or raw[role].type().is_numeric():
        return ibis.null("int64")
    date = raw[role].try_cast("timestamp('UTC')")
    first, last = (
        ibis.literal(datetime.fromtimestamp(at_s, UTC))
        for at_s in (limits.earliest_epoch_s, limits.latest_epoch_s)
    )
    sound = ibis.ifelse(date.between(first, last), date, ibis.null(date.type()))
    return sound.cast("timestamp").delta(ibis.timestamp("1970-01-01"), unit="microsecond")


ZONE = r"[0-9]:[0-9]{2}[^Zz+-]*(Z|z|[+-][0-9]{2}:?[0-9]{0,2})$"
"""The zone at the end of a written time."""


def _zone(raw: ir.Table) -> ir.StringValue:
    """The zone that a time ends in, or UTC where its type is an instant; null where it has none."""
    kind = raw[Role.TIME].type() if Role.TIME in raw.columns else None
    if isinstance(kind, dt.Timestamp) and kind.timezone:
        return ibis.literal("UTC")
    if kind is None or not kind.is_string():
        return ibis.null("string")
    written: ir.StringValue = raw[Role.TIME].strip().re_extract(ZONE, 1).nullif("")
    return written


def _label(raw: ir.Table, role: Role, limits: Limits) -> ir.StringValue:
    """A model or class name; what is too long for a name is withheld, it may be content."""
    name = _column(raw, role, "string").strip().nullif("")
    return ibis.ifelse(name.length() > limits.max_label_chars, LONG_LABEL, name)


def _given(raw: ir.Table, role: Role) -> ir.BooleanValue:
    """Does a row hold anything for this role? Blank text is nothing."""
    if role not in raw.columns:
        return ibis.literal(False)
    column = raw[role]
    if column.type().is_string():
        return (column.strip() != "").fill_null(False)
    return column.notnull()


def _faults(numbers: ir.Table, limits: Limits) -> list[tuple[ir.BooleanValue, int]]:
    """(condition, index) in the order of FAULTS, as far as a single row can show it.

    A condition that is null (nothing to compare) is no fault.
    """
    given = {role: _given(numbers, role) for role in Role}
    n_input, n_output, n_cached = numbers.n_input, numbers.n_output, numbers.n_cached
    has_cached = given[Role.CACHED] | given[Role.CACHE_READ]
    conditions = [
        ~ibis.or_(*(given[role] for role in Role)),
        *_token_faults(given[Role.INPUT], n_input, limits),
        *_token_faults(given[Role.OUTPUT], n_output, limits),
        (n_input == 0) & (n_output == 0),
        has_cached & ~(_is_whole(n_cached) & (n_cached >= 0)).fill_null(False),
        n_cached > n_input,
    ]
    if Role.TIME in numbers.columns:
        unread = numbers.clock.isnull() & numbers.clock_us.isnull()
        conditions += [~given[Role.TIME], unread]
    return [(condition, index) for index, condition in enumerate(conditions)]


def _token_faults(
    given: ir.BooleanValue, number: ir.FloatingValue, limits: Limits
) -> list[ir.BooleanValue]:
    """Missing, not a whole number, negative, implausibly many."""
    return [
        ~given,
        ~_is_whole(number).fill_null(False) & ~(number > limits.max_tokens).fill_null(False),
        number < 0,
        number > limits.max_tokens,
    ]
