"""The frame around every page: refusals in words, the four figures, and what they rest on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui import answers, explain, fields, glossary, kpis, life, state
from pages.ui.widgets import facts, four, plain, refusals
from pages.ui.widgets import table as show_table
from planner import MODEL_VERSION, Plan, SwitchyardError, load_catalog, profiles

Document = Mapping[str, Any]


@contextmanager
def in_words() -> Iterator[None]:
    """An answer that the engine refuses is a message, never a traceback."""
    try:
        yield
    except SwitchyardError as error:
        st.error(plain(error), icon=":material/error:")
        st.caption("There is no answer to this. Change the input that it names, or go back:")
        st.button("Back to the starting values", on_click=state.reset)
        fields.more("owned", "chips", "classes", "site", "demand")


QUESTIONS = {
    "Start": "Where do I stand?",
    "Workload": "What is this fleet really doing?",
    "Power": "How much more can we sell from the megawatts we have?",
    "Options": "What should the next cluster be?",
    "Fleet": "What do I do with what I own?",
    "Money": "Is it worth the capital?",
    "Risk": "What would make this wrong?",
    "Compare": "How do the plans differ?",
    "Brief": "What do I sign?",
    "Evidence": "Why believe it?",
    "Hardware": "What could I buy?",
}


def title(page: str) -> None:
    """The question that a page answers, and for whom."""
    scenario = state.scenario()
    held = state.opened()
    version = f" · saved version {held.saved.version}" if held else ""
    changed = " · changed since" if held and scenario != state.baseline() else ""
    st.html(Path(__file__).parent / "look.css")
    st.title(QUESTIONS.get(page, page), anchor=False)
    who = dict.fromkeys((scenario.name, profiles.caption(scenario.profile)[0]))
    line = plain(" · ".join(who) + version + changed)
    st.markdown(f"## :small[{line}]", anchors=False)


def strip() -> None:
    """What was refused, the four figures, and a failing master check."""
    refusals()
    life.notices()
    scenario, start = state.scenario(), state.baseline()
    plan, document = answers.plan_of(scenario), answers.document_of(scenario)
    tiles = kpis.strip(plan, document, answers.plan_of(start))
    for column, tile in zip(four(border=True), tiles, strict=True):
        with column:
            _tile(tile, plan, document, "saved" if state.opened() else "start")
    for failed in document["checks"]["failed"]:
        st.error(plain(f"Master check failed: {failed}"), icon=":material/report:")


def _tile(tile: kpis.Kpi, plan: Plan, document: Document, since: str) -> None:
    colours = {True: "green", False: "red", None: "gray"}
    st.caption(f"**{plain(tile.label)}**", help=plain(tile.about))
    st.metric(
        plain(tile.label),
        plain(tile.value),
        plain(f"{tile.change} vs {since}" if tile.change else f"same as {since}"),
        delta_color=colours[tile.better],
        delta_arrow="off",
        label_visibility="collapsed",
    )
    st.caption(f"{plain(tile.span)}  \n{plain(tile.note)}")
    shown = st.popover(
        "Explain",
        type="tertiary",
        icon=":material/function:",
        key=f"explain-{tile.id}",
        on_change="rerun",
    )
    if shown.open:
        with shown:
            _explained(tile, plan, document)


def _explained(tile: kpis.Kpi, plan: Plan, document: Document) -> None:
    held = explain.of(tile.id, plan, document)
    st.markdown(f"**{plain(tile.label)}: {plain(tile.value)}**  \n{plain(held.formula)}")
    facts(held.steps, alt=f"Steps to {tile.label}")
    if tile.span:
        st.caption(
            plain(f"{tile.span} over {answers.N_SAMPLES} samples of every input with a range.")
        )
    st.markdown("**The inputs with the widest ranges**")
    show_table(explain.assumptions(plan, document, held.behind), alt="Inputs and their sources")


def foot() -> None:
    """Master check and versions, under every page."""
    checked = answers.document_of(state.scenario())["checks"]["ok"]
    says = (
        "Master check passed: bridge, causes and served demand add up"
        if checked
        else "Master check FAILED"
    )
    catalog = load_catalog()
    glossary.show()
    st.divider()
    st.caption(
        plain(f"{says} · model {MODEL_VERSION} · catalog {catalog.date} ({catalog.version})")
    )
