"""Hardware: what could I buy?"""

import streamlit as st

from pages.ui import answers, mine, roofs, scatter, shelf, state
from pages.ui.widgets import chart, csv, download, empty, numbers

scenario = state.scenario()
plan = answers.plan_of(scenario)


def the_shelf() -> None:
    st.subheader("Chips, and what they cost", anchor=False)
    view = st.segmented_control(
        "Show", shelf.VIEWS, default=shelf.REACHABLE, required=True, key="shelf-view"
    )
    held = shelf.table(shelf.chosen(view, plan), plan.catalog)
    formats = {
        name: st.column_config.NumberColumn(name, format=shown)
        for name, (_, _, shown) in shelf.COLUMNS.items()
    }
    st.dataframe(
        held, hide_index=True, column_config=formats, placeholder="–", alt="Catalog of chips"
    )
    download(csv(held), "chips.csv", "text/csv")


def the_roofs() -> None:
    st.subheader("What limits each chip, and each phase of your work", anchor=False)
    st.caption(
        "Left of a bend memory is the limit, right of it arithmetic. Marks: your work today."
    )
    lines, marks = roofs.roofs(plan), roofs.phases(plan)
    if lines.empty:
        empty("No chip to draw", "Choose candidate chips under Fleet, More assumptions.", "memory")
        return
    figure = scatter.roofline(lines, marks)
    chart(figure, lines, "roofs", alt="Roofs of chips with the phases of the workload")
    numbers(marks, "phases", "Table of the phases")


the_shelf()
mine.show(scenario, plan)
the_roofs()
