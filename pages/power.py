"""Power: how much more can we sell from the megawatts we have?"""

import streamlit as st

from pages.ui import answers, charts, days, fields, megawatts, state, tables
from pages.ui.widgets import chart, facts, figures, numbers, table
from planner import text

scenario = state.scenario()
plan, document = answers.plan_of(scenario), answers.document_of(scenario)


def stranded() -> None:
    st.subheader("Where the megawatts go", anchor=False)
    st.caption("From provisioned to needed. Red can be recovered; grey is the price of service.")
    held = tables.stranded(document)
    figure = charts.waterfall(*megawatts.steps(held))
    chart(figure, held, "stranded", alt="Power from provisioned to needed by cause")


def per_token() -> None:
    st.subheader("Where the joules of a token go", anchor=False)
    st.caption(
        "Watts at the meter per useful token a second. A bit from memory costs "
        f"{text.number(megawatts.pj_per_bit(document))} pJ on measured boards, all the way; the "
        "article's 6 pJ is the memory device alone."
    )
    held = tables.watts_per_token(plan, document)
    figure = charts.stacked(held, held.columns[2:-1], text.number)
    chart(figure, held, "watts", alt="Watts per useful token of each option by what draws them")


def speed() -> None:
    st.subheader("Speed to power: recovered against new", anchor=False)
    facts(megawatts.speed(scenario, document), alt="Recovered against new megawatts")


def words() -> None:
    st.subheader("Four words for power", anchor=False)
    st.caption(
        "Megawatts at the meter: what is bought, allowed, drawn at the peak, drawn on average."
    )
    held = tables.power_words(plan)
    table(megawatts.words(held), alt="Nameplate, cap, peak and mean power by option")
    numbers(held, "power")


figures(megawatts.headlines(plan, document))
left, right = st.columns((1, 1), gap="large")
with left:
    stranded()
    speed()
with right:
    days.one_of(plan, document)
    per_token()
words()
fields.more("site", "owned")
