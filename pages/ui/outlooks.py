"""Three outlooks on the options, one at a time: other ratios, fuller chips, faster service."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.ui import answers, curves, kpis, tables, trends
from pages.ui.widgets import chart, empty, plain
from planner import Plan, Scenario, text

Document = Mapping[str, Any]
RATIO, LOAD, SPEED = "Another ratio", "Fuller chips", "Faster service"


def one_of(scenario: Scenario, plan: Plan, document: Document) -> None:
    """The outlook that the reader picks."""
    st.subheader("What if?", anchor=False)
    view = st.segmented_control(
        "Outlook",
        [RATIO, LOAD, SPEED],
        default=RATIO,
        required=True,
        label_visibility="collapsed",
        key="outlook",
    )
    shown = {RATIO: _ratio, LOAD: _load, SPEED: _speed}[view]
    shown(scenario, plan, document)


def _ratio(scenario: Scenario, plan: Plan, document: Document) -> None:
    st.caption("Yearly cost at equal demand. Red: the cheapest option changes. Dots: the drift.")
    held = trends.by_ratio(scenario)
    if held.empty:
        empty("No option serves at any ratio", "Relax the service levels of a class.", "timer")
        return
    figure = curves.against_ratio(
        held,
        text.usd,
        now=document["headline"]["decode_to_prefill_token_ratio"],
        cloud=trends.cloud(plan, held, kpis.rival(plan)),
        turns=trends.turns(held),
    )
    chart(figure, held, "cost-ratio", alt="Yearly cost of each option against the ratio")


def _load(scenario: Scenario, plan: Plan, document: Document) -> None:
    names = [row["name"] for row in document["scenario"]["classes"]]
    picked = st.pills(
        "Class",
        names,
        default=names[0],
        required=True,
        format_func=lambda name: plain(name.replace("_", " ")),
        label_visibility="collapsed",
        key="-".join(("class", *names)),
    )
    st.caption("Slowest 1 of 100 requests over what is allowed, at the peak minute.")
    pair = tuple(dict.fromkeys(("as-built", kpis.rival(plan))))
    held = trends.by_load(answers.latencies_of(scenario, pair), picked)
    if held.empty:
        empty(
            "No pool serves this class", "Relax its service level under More assumptions.", "timer"
        )
        return
    figure = curves.against_load(held, planned="as planned", limit="allowed")
    chart(figure, held, "load", alt="Percentiles against how full the chips are run")


def _speed(scenario: Scenario, _plan: Plan, document: Document) -> None:
    st.caption("Every service level made stricter or looser together; each point planned anew.")
    able = [row["id"] for row in tables.records(document) if row["id"] != tables.PAPER]
    held = trends.by_strictness(scenario, able)
    if held.empty:
        empty("No option serves at any level", "Relax the service levels of a class.", "timer")
        return
    figure = curves.frontier(held, text.usd, show_x=text.seconds)
    chart(figure, held, "speed", alt="Cost per million useful tokens against the time allowed")
