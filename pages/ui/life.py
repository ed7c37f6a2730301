"""The life of a scenario: undo, redo, reset, save, share, and what happened to it meanwhile."""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit, urlunsplit

import pandas as pd
import streamlit as st

from pages.ui import keeping, own, state
from pages.ui.keeping import Opened
from pages.ui.widgets import figure_words, numbers, plain
from planner import MODEL_VERSION, Scenario, StoreError, SwitchyardError, load_catalog

SAID = "said of saving"
SHARED = "shared link"


def buttons(scenario: Scenario) -> None:
    """Steps back and forth, and what is kept."""
    with st.container(horizontal=True, gap="xsmall"):
        _step("Undo", state.undo, "undo", "One step back, exactly.", able=state.can_undo())
        _step("Redo", state.redo, "redo", "The undone step again.", able=state.can_redo())
        _step("Reset", state.reset, "restart_alt", "Back to the starting values.", able=True)
    with st.container(horizontal=True, gap="xsmall"):
        with st.popover("Save", icon=":material/save:", help="Keep this as a named version."):
            _save(scenario)
        with st.popover("Share", icon=":material/link:", help="A link that opens this anywhere."):
            _share(scenario)
    said = state.once(SAID, str)
    if said:
        st.caption(plain(said))


def _step(label: str, act: Callable[[], None], icon: str, about: str, *, able: bool) -> None:
    st.button(
        label,
        on_click=act,
        icon=f":material/{icon}:",
        help=about,
        disabled=not able,
        type="tertiary",
    )


def _save(scenario: Scenario) -> None:
    held = state.opened()
    st.caption(plain(f"Kept under its name, {scenario.name}, with the figures it has now."))
    if held:
        st.button(
            plain(f"Save as version {held.saved.version + 1}"),
            on_click=_saved,
            args=(scenario, held),
            width="stretch",
        )
    st.button(
        "Save as a new scenario",
        on_click=_saved,
        args=(scenario, None),
        width="stretch",
    )
    st.caption("Saved scenarios wait on Start and on Compare.")


def _saved(scenario: Scenario, held: Opened | None) -> Opened | None:
    """Save, and say in words what came of it."""
    try:
        mine = keeping.save(scenario, held)
    except SwitchyardError as error:
        state.keep(SAID, str(error))
        return None
    state.saved(mine)
    state.keep(SAID, f"Saved: {mine.saved.name}, version {mine.saved.version}.")
    return mine


def _share(scenario: Scenario) -> None:
    made = state.once(SHARED, dict)
    link = made.get(scenario)
    if link is None:
        st.caption("Keeps this version and makes a link that nobody can guess.")
        st.button("Make a link", on_click=_linked, args=(scenario,))
        return
    st.caption("Opens these figures in any browser that reaches this installation:")
    st.code(address({state.ID: link}), language=None, wrap_lines=True)


def _linked(scenario: Scenario) -> None:
    held = state.opened()
    unchanged = held is not None and scenario == state.baseline()
    mine = held if unchanged else _saved(scenario, None)
    if mine is None:
        return
    try:
        state.keep(SHARED, {scenario: keeping.share(mine.saved)})
    except StoreError as error:
        state.keep(SAID, str(error))


def address(query: dict[str, str]) -> str:
    """The front page of this installation with a query."""
    here = urlsplit(st.context.url or "")
    return urlunsplit((here.scheme, here.netloc, "/", urlencode(query), ""))


def notices() -> None:
    """What a reader should know of how this scenario came here, each with the next step."""
    if state.away():
        st.warning(
            plain(f"Your work is not being kept: {state.away()} ")
            + "Figures, brief and downloads still work; saving resumes by itself.",
            icon=":material/cloud_off:",
        )
    if state.resumed():
        _resumed()
    own.mark()
    held = state.opened()
    if held and _aged(held):
        _moved(held)


def _resumed() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("You are going on from where you stopped last time.", width="content")
        st.button(
            "Start afresh",
            on_click=state.open_profile,
            args=(Scenario().profile,),
            type="tertiary",
            icon=":material/restart_alt:",
        )


def _aged(held: Opened) -> bool:
    now = MODEL_VERSION, load_catalog().version
    return (held.saved.model_version, held.saved.catalog_version) != now


def _moved(held: Opened) -> None:
    """A version that another release answered: its result then, now, and why."""
    found = keeping.reopened(held, held.saved.content_hash)
    if not found.reason:
        return
    with st.container(border=True):
        st.markdown("**Saved under an earlier release: some figures moved**")
        st.markdown(plain(found.reason))
        rows = pd.DataFrame(
            [
                {
                    "Figure": row.figure.replace("_", " ").replace(".", ", "),
                    "Then": figure_words(row.then),
                    "Now": figure_words(row.now),
                }
                for row in found.moved
            ]
        )
        if len(rows):
            numbers(rows, "moved", "Every figure that moved")
