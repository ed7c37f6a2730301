"""All files of a log as one table of rows on one clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import ibis
import ibis.expr.types as ir

from planner.demand.logs.clock import Clock, find_clock, timed_rows
from planner.demand.logs.columns import listed
from planner.demand.logs.durations import with_durations
from planner.demand.logs.engine import Engine
from planner.demand.logs.files import LogFiles
from planner.demand.logs.layouts import Layout, layouts
from planner.demand.logs.limits import Limits
from planner.demand.logs.prefix_cache import BLOCK_TOKENS, with_prefix_hits
from planner.demand.logs.rows import typed_rows, with_absent
from planner.demand.logs.synonyms import Role
from planner.errors import AuditError

CACHE_ROLES = {Role.CACHED, Role.CACHE_READ}


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows of a log with their faults, the lines no reader could split, and what to tell.

    rows: at_us, input_tokens, output_tokens, cached_tokens [int64], ttft_us, latency_us [int64],
    model, label [text or null], fault [int8 or null, index into FAULTS].
    """

    rows: ir.Table
    unreadable: int
    clock: Clock
    times: str
    layouts: tuple[Layout, ...]
    caveats: tuple[str, ...]

    @property
    def unread(self) -> tuple[str, ...]:
        """Columns that play no role, but for text."""
        return tuple(dict.fromkeys(n for layout in self.layouts for n in layout.roles.unused))

    def has(self, role: Role) -> bool:
        """Does any file hold a column for this role?"""
        return any(role in layout.roles.fields for layout in self.layouts)


ROW_COLUMNS = (
    "at_us",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "ttft_us",
    "latency_us",
    "model",
    "label",
    "fault",
)


def gather(
    engine: Engine,
    log: LogFiles,
    columns: Mapping[str, str] | None,
    time_unit: str | None,
    time_zone: str | None,
    limits: Limits,
) -> Gathered:
    """Read every layout of a log once, find its clock, and lay the rows together.

    Raises: AuditError for files that count time differently.
    """
    found = layouts(log.files, engine.header, columns, limits)
    tables, clocks, unreadable = [], [], 0
    for index, layout in enumerate(found):
        raw = engine.roles(layout, index)
        stored = engine.stored(f"typed_{index}", typed_rows(raw, limits))
        typed = with_absent(stored)
        unreadable += engine.unreadable(layout, index)
        clock = find_clock(typed, layout.roles, time_unit, time_zone, limits)
        timed = with_durations(timed_rows(typed, clock, limits), layout.roles, limits)
        clocks.append(clock)
        tables.append(_with_hits(engine, timed, layout, index).select(*ROW_COLUMNS))
    rows = reduce(lambda left, right: left.union(right), tables)
    clock = _one_clock(found, clocks)
    times = " ".join(dict.fromkeys(one.sentence for one in clocks))
    return Gathered(rows, unreadable, clock, times, found, _caveats(log, found, clocks))


def _with_hits(engine: Engine, rows: ir.Table, layout: Layout, index: int) -> ir.Table:
    """Rows with derived prefix hits, for a log that names blocks but not cached tokens."""
    if not _derives_hits(layout):
        return rows
    hits = with_prefix_hits(rows.mutate(row=ibis.row_number()))
    return engine.stored(f"hits_{index}", hits.select(*ROW_COLUMNS))


def _derives_hits(layout: Layout) -> bool:
    """Blocks named, in a format that keeps lists, and no logged cached tokens?"""
    fields = set(layout.roles.fields)
    return Role.BLOCKS in fields and layout.format != "csv" and not fields & CACHE_ROLES


def _one_clock(found: tuple[Layout, ...], clocks: list[Clock]) -> Clock:
    """The clock that all files share: all dated, all counting from a start, or all without."""
    for layout, clock in zip(found, clocks, strict=True):
        if (clock.absolute, clock.kind == "none") != (
            clocks[0].absolute,
            clocks[0].kind == "none",
        ):
            raise AuditError(
                f"{found[0].name} and {layout.name} count time differently "
                f"({clocks[0].kind} and {clock.kind}); audit them one by one"
            )
    return clocks[0]


def _caveats(log: LogFiles, found: tuple[Layout, ...], clocks: list[Clock]) -> tuple[str, ...]:
    """What the reader must know of how the files were read, each thing once."""
    said = [*(clock.sentence for clock in clocks), *log.notes]
    if clocks[0].kind == "elapsed" and len(log.files) > 1:
        said.append(f"The {len(log.files)} files count from a start each and were overlaid.")
    if log.skipped:
        said.append(f"Not read in the folder: {listed(log.skipped)}.")
    for layout in found:
        if layout.roles.text:
            said.append(f"Text content, never read: {listed(layout.roles.text)}.")
        if layout.roles.unused:
            said.append(f"Columns not used: {listed(layout.roles.unused)}.")
        if {Role.CACHE_READ, Role.CACHE_WRITE} & set(layout.roles.fields):
            said.append("Cached tokens were logged beside the input tokens and added to them.")
        if _derives_hits(layout):
            said.append(
                f"cached_tokens is derived from {layout.roles.name(Role.BLOCKS)}: blocks of "
                f"{BLOCK_TOKENS} tokens seen before, as an endless cache would hit; an upper bound."
            )
    return tuple(dict.fromkeys(said))
