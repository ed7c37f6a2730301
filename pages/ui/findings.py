"""What an audit found, drawn: figures, arrivals, lengths, 18 months, and the rest behind folds."""

import streamlit as st

from pages.ui import audits, charts, logs, traffic
from pages.ui.widgets import chart, empty, figures, numbers, plain, table
from planner import Audit, text


def show(audit: Audit) -> None:
    """Everything an audit reports."""
    figures(traffic.summary(audit))
    st.markdown(plain(audits.line(audit)))
    left, right = st.columns((1, 1), gap="large")
    with left:
        _arrivals(audit)
    with right:
        table(traffic.lengths(audit), alt="Length percentiles of prompts and answers")
        logs.adopt(audit)
    if audit.in_18_months:
        table(audits.outlook(audit), alt="Requests and ratio in 18 months")
    for held, name, label in (
        (audits.parts(audit), "parts", "By model, class and hour"),
        (audits.day(audit), "day", "An average day"),
        (audits.leaning(audit), "leaning", "What the ratio leans on"),
        (audits.read_as(audit), "columns", "How the log was read"),
    ):
        if len(held):
            numbers(held, name, label)


def _arrivals(audit: Audit) -> None:
    held = traffic.minutes(audit)
    if held.empty:
        empty("No times", "This source does not say when requests came.", "schedule")
        return
    unit = held.columns[0]
    peak = f"busiest {unit}: {text.number(held['requests'].max(), place=0)} requests"
    figure = charts.over_time(held, unit, "requests", peak_label=peak)
    chart(figure, held, "arrivals", alt=f"Requests per {unit} of the log")
