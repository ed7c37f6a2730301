"""Workload: what is this fleet really doing?"""

import streamlit as st

from pages.ui import answers, charts, fields, findings, logs, state, traffic
from pages.ui.decisions import LINE_RATIO
from pages.ui.widgets import chart, empty, plain, share
from planner import text

scenario = state.scenario()
plan = answers.plan_of(scenario)


def ratio() -> None:
    st.subheader("How much writing for how much reading?", anchor=False)
    st.caption("Output over input, log scale. The article's line is 5 : 1, by tokens or by time.")
    held = traffic.ratios(answers.today_of(scenario), answers.later_of(scenario))
    figure = charts.journey(held, text.ratio, line=LINE_RATIO, line_label="5 : 1")
    chart(figure, held, "ratio", alt="Output to input now and in 18 months, by tokens and by time")


def phases() -> None:
    st.subheader("Where tokens and chip time go", anchor=False)
    st.caption("As built, sized for the planning month. Chip time is modelled, tokens are asked.")
    held = traffic.shares(plan)
    figure = charts.shares(held, (traffic.READ, traffic.WRITTEN), text.percent)
    chart(figure, held, "shares", alt="Shares of reading and writing in tokens and chip time")


def surge() -> None:
    st.subheader("The surge hour of long documents", anchor=False)
    held = traffic.surge(plan)
    if held is None:
        empty(
            "No class of long documents",
            "Open Axiom Cloud to see the surge of the article.",
            "description",
        )
        return
    st.caption("Share of peak arithmetic and of memory bandwidth in use, on the chips owned today.")
    for column, row in zip(st.columns(len(held), border=True), held.itertuples(), strict=True):
        column.markdown(f"**{row.when}**  \n{plain(row.what)}")
        column.progress(row.compute, plain(f"Compute {share(row.compute)}"))
        column.progress(row.memory, plain(f"Memory {share(row.memory)}"))


def request_log() -> None:
    st.subheader("A request log, audited", anchor=False)
    audit = logs.pick()
    if audit is not None:
        findings.show(audit)


left, right = st.columns((1, 1), gap="large")
with left:
    ratio()
    surge()
with right:
    phases()
request_log()
fields.more("classes", "demand")
