"""Compare: how do the plans differ?"""

import streamlit as st

from pages.ui import charts, comparing, keeping, state
from pages.ui.widgets import chart, empty, numbers, plain, table
from planner import Scenario, StoreError, SwitchyardError, text

MOST = 3
NOW = "As on screen"


def picked() -> list[tuple[str, Scenario]]:
    """The scenarios to compare: up to three saved ones, and the one on screen."""
    try:
        held = {row.document_id: row for row in keeping.newest()}
    except StoreError as error:
        st.warning(plain(error), icon=":material/cloud_off:")
        held = {}
    names = comparing.names(held)
    newest = list(held)[:MOST]
    chosen = st.pills(
        "Saved scenarios",
        list(held),
        selection_mode="multi",
        default=newest,
        format_func=lambda one: plain(names[one]),
        key="compared-" + "-".join(newest),
        help="Up to three; the newest first. Save one with the button on the left.",
    )
    found = [(NOW, state.scenario())]
    if len(chosen) > MOST:
        st.warning("Three at most; the ones picked last are left out.", icon=":material/filter_3:")
    for one in chosen[:MOST]:
        try:
            found.append((names[one], keeping.read(held[one])))
        except SwitchyardError as error:
            st.warning(plain(f"{names[one]}: {error}"), icon=":material/block:")
    return found


def side_by_side(held: list[tuple[str, Scenario]]) -> None:
    st.subheader("What each is worth", anchor=False)
    st.caption("Against carrying on as built. Line: 8 of 10 futures; dot: the middle one.")
    values = comparing.worths(held)
    chart(charts.ranges(values, text.usd, marked=NOW), values, "worths", alt="Worth of each plan")
    st.subheader("Figures", anchor=False)
    rows = comparing.figures(held)
    st.caption(plain(f"Rows that differ first; the last {comparing.same(rows)} read the same."))
    table(rows, alt="Figures of each scenario")
    numbers(rows, "figures")
    st.subheader("Inputs that differ", anchor=False)
    given = comparing.inputs(held)
    if given.empty:
        st.caption("None: every input is the same.")
    else:
        table(given, alt="Inputs in which the scenarios differ")
        numbers(given, "inputs")


compared = picked()
if len(compared) > 1:
    side_by_side(compared)
else:
    empty(
        "Nothing saved to compare with yet",
        "Save this scenario with Save on the left, change a slider, and come back.",
        "compare_arrows",
    )
