"""Which column is which and how times are meant: asked where names do not tell, or corrected."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import available_timezones

import streamlit as st

from pages.ui import state
from pages.ui.widgets import plain
from planner import Audit, UnmappedError

ROLES = {
    "input_tokens": "Input tokens",
    "output_tokens": "Output tokens",
    "time": "Time of the request",
    "cached_tokens": "Cached input tokens",
    "model": "Model",
    "class": "Class of request",
    "ttft": "Time to first token",
    "latency": "Time to last token",
}
UNITS = {
    "as the log says": None,
    "seconds": "s",
    "milliseconds": "ms",
    "microseconds": "us",
    "nanoseconds": "ns",
}
CHOICE = "log-columns"
ABSENT = "not in the log"
UTC = "UTC"


@dataclass(frozen=True)
class Choice:
    """What the reader said of a log: role -> column ("" for none), unit and zone of its times."""

    columns: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    zone: str | None = None


def chosen(log: str) -> Choice:
    """What the reader chose for a log; nothing at first."""
    held_log, choice = state.once(CHOICE, lambda: ("", Choice()))
    return choice if held_log == log else Choice()


def ask(unknown: UnmappedError, log: str) -> None:
    """A form with the columns of a log whose names do not tell all; what is known is filled in."""
    st.warning(plain(unknown), icon=":material/table_chart:")
    _form(log, unknown.columns, unknown.found)


def correct(audit: Audit, log: str) -> None:
    """The same form behind a fold, filled in as the log was read."""
    fold = st.expander(
        "Correct columns and times", key="fold-mapping", type="compact", on_change="rerun"
    )
    if fold.open:
        with fold:
            st.caption(plain(audit.times))
            _form(log, [*audit.columns.values(), *audit.unread], audit.columns)


def _form(log: str, columns: Iterable[str], known: Mapping[str, str]) -> None:
    before, names = chosen(log), [ABSENT, *dict.fromkeys(columns)]
    with st.form("columns", border=False):
        st.caption("Which column is which? Only counts, times and names are read.")
        picked = {}
        places = (place for _row in range(0, len(ROLES), 4) for place in st.columns(4))
        for place, (role, label) in zip(places, ROLES.items(), strict=True):
            now = known.get(role, ABSENT)
            picked[role] = place.selectbox(
                label,
                names,
                index=names.index(now) if now in names else 0,
                key=f"column-{role}-{log}",
                format_func=str,
            )
        unit, zone = _times(log, before)
        if st.form_submit_button("Read it so", icon=":material/done:"):
            state.keep(CHOICE, (log, Choice(_said(picked, known, before), unit, zone)))
            st.rerun()


def _times(log: str, before: Choice) -> tuple[str | None, str | None]:
    """The unit of times that are numbers, and the zone of dates that name none."""
    units, zones = list(UNITS), [UTC, *sorted(available_timezones() - {UTC})]
    left, right, *_ = st.columns(4)
    unit = left.selectbox(
        "Unit of time",
        units,
        index=list(UNITS.values()).index(before.unit),
        key=f"column-unit-{log}",
    )
    zone = right.selectbox(
        "Zone of dates without one",
        zones,
        index=zones.index(before.zone or UTC),
        key=f"column-zone-{log}",
    )
    return UNITS[unit], None if zone == UTC else zone


def _said(picked: Mapping[str, str], known: Mapping[str, str], before: Choice) -> dict[str, str]:
    """What the reader said; a role left as it was found stays for the names to tell."""
    changed = {
        role: name
        for role, name in picked.items()
        if role in before.columns or name != known.get(role, ABSENT)
    }
    return {role: "" if name == ABSENT else name for role, name in changed.items()}
