"""The list of a reader's own figures: in use or idle, what they change, and the form for more."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from pages.ui import answers, comparing, forms, own, tables
from pages.ui.widgets import plain, table
from planner import Plan, Saved, Scenario, SwitchyardError, text


def show(scenario: Scenario, plan: Plan) -> None:
    """The whole list."""
    st.subheader("Your own figures", anchor=False)
    held, idle = own.used(scenario), own.unused(scenario)
    if not held:
        st.caption("None in use: every figure is the catalog's. Add one below.")
    for each in held:
        _line(each, scenario, "In use everywhere", "Remove", own.lay_down)
    for each in idle:
        _line(each, scenario, "Not in use", "Use again", own.use_again)
    if held:
        _difference(scenario)
    forms.show(plan)


def _line(
    held: Saved, scenario: Scenario, says: str, label: str, act: Callable[[Saved], None]
) -> None:
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


def _difference(scenario: Scenario) -> None:
    try:
        shipped = _headlines(own.without(scenario))
    except SwitchyardError as error:
        st.caption(plain(f"No answer without them: {error}"))
        return
    mine = _headlines(scenario)
    rows = pd.DataFrame(
        [
            {
                "Figure": name,
                "With your figures": mine.get(name, text.MISSING),
                "Catalog alone": shipped.get(name, text.MISSING),
            }
            for name in dict.fromkeys([*mine, *shipped])
        ]
    )
    table(rows, alt="The answer with and without your own figures")


def _headlines(scenario: Scenario) -> dict[str, str]:
    """The verdict and the four headlines, as the tiles say them."""
    plan, document = answers.plan_of(scenario), answers.document_of(scenario)
    verdict = {"Verdict": tables.ACTIONS[document["verdict"]["action"]]}
    shown = comparing.tiles(plan, document)
    return verdict | {name: tile.value for name, tile in shown.items()}
