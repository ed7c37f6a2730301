"""Hardware: what could I buy?"""

import streamlit as st

from pages.ui import answers, forms, own, roofs, scatter, shelf, state
from pages.ui.widgets import chart, csv, download, empty, numbers, plain

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
    st.dataframe(held, hide_index=True, column_config=formats, alt="Catalog of chips")
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


def own_figures() -> None:
    st.subheader("Your own figures", anchor=False)
    mine, idle = own.used(scenario), own.unused(scenario)
    if not mine:
        st.caption("None in use: every figure is the catalog's. Add one below.")
    for held in mine:
        _line(held, "In use everywhere", "Remove", own.lay_down)
    for held in idle:
        _line(held, "Not in use", "Use again", own.use_again)
    forms.show(plan)


def _line(held: own.Saved, says: str, label: str, act: object) -> None:
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        name, about = plain(own.title(held, scenario)), plain(own.about(held))
        st.markdown(f"**{name}** · {says}  \n:small[{about}]", width="stretch")
        st.button(
            label,
            key=f"{label}-{held.document_id}",
            on_click=act,
            args=(held,),
            type="tertiary",
        )


the_shelf()
own_figures()
the_roofs()
