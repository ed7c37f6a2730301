"""Which column is which, asked of the reader where the names do not tell."""

import streamlit as st

from pages.ui import state
from pages.ui.widgets import plain
from planner import UnmappedError

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


def chosen(file_id: str) -> tuple[dict[str, str], str | None]:
    """The columns and the unit of time that the reader chose for a file; none at first."""
    held_id, columns, unit = state.once(CHOICE, lambda: ("", {}, None))
    return (columns, unit) if held_id == file_id else ({}, None)


def ask(unknown: UnmappedError, file_id: object) -> None:
    """A form with the columns of the log; what is known by name is filled in."""
    st.warning(plain(unknown), icon=":material/table_chart:")
    with st.form("columns"):
        st.caption("Which column is which? Only counts, times and names are read.")
        picked, places = {}, st.columns(4)
        for place, (role, label) in enumerate(ROLES.items()):
            options = [ABSENT, *unknown.columns]
            known = unknown.found.get(role, ABSENT)
            picked[role] = places[place % 4].selectbox(
                label,
                options,
                index=options.index(known) if known in options else 0,
                key=f"column-{role}",
                format_func=str,
            )
        unit = places[0].selectbox("Unit of time", list(UNITS), key="column-unit")
        if st.form_submit_button("Read it so", icon=":material/done:"):
            columns = {role: name for role, name in picked.items() if name != ABSENT}
            state.keep(CHOICE, (file_id, columns, UNITS[unit]))
            st.rerun()
