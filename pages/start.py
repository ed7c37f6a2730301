"""Start: where do I stand, and which decisions are still open?"""

import streamlit as st

from pages.ui import answers, beginnings, charts, decisions, fields, state, tables
from pages.ui.widgets import chart, plain, share
from planner import text

scenario = state.scenario()
plan, document = answers.plan_of(scenario), answers.document_of(scenario)
verdict = document["verdict"]


def verdict_box() -> None:
    sure = verdict["confidence_frac"]
    with st.container(border=True):
        st.badge(tables.ACTIONS[verdict["action"]], icon=":material/gavel:", color="blue")
        st.markdown(f"## {plain(verdict['sentence'])}", anchors=False)
        st.markdown(plain(decisions.context(document)))
        for problem in decisions.problems(document):
            st.warning(plain(problem), icon=":material/block:")
        if sure is not None:
            asked = scenario.operator.min_confidence
            st.progress(
                sure, plain(f"Confidence {share(sure)}; this operator asks for {share(asked)}")
            )


def worth() -> None:
    st.subheader("What is each choice worth?", anchor=False)
    st.caption("Against carrying on as built. Line: 8 of 10 futures; dot: the middle one.")
    values = tables.values(plan)
    figure = charts.ranges(values, text.usd, marked=verdict["option_id"])
    chart(figure, values, "values", alt="Range of present value of each option")


def three_decisions() -> None:
    st.subheader("Three decisions that cannot wait", anchor=False)
    for held in decisions.three(plan, document):
        with st.container(border=True):
            st.markdown(f"**{held.mark} {plain(held.title)}**")
            st.markdown(plain(held.finding))
            st.caption(plain(held.state))
            st.page_link(held.page, label=held.where, icon=":material/arrow_forward:")


def notes() -> None:
    said = decisions.notes(document)
    with st.expander("What would turn the verdict?", key="turns", on_change="rerun") as fold:
        if fold.open:
            decisions.turning_points(scenario)
    with st.expander(f"Notes on these figures ({len(said)})"):
        for note in said:
            st.markdown(f"- {plain(note)}")


verdict_box()
left, right = st.columns((1, 1), gap="large")
with left:
    worth()
    notes()
with right:
    three_decisions()
beginnings.choose()
fields.more("demand", "horizon")
