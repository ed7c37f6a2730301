"""Brief: what do I sign?"""

import streamlit as st

from pages.ui import answers, export, ladder, page, state
from pages.ui.widgets import facts, plain, table

scenario = state.scenario()
plan, document = answers.plan_of(scenario), answers.document_of(scenario)


def preview() -> None:
    verdict = document["verdict"]
    with st.container(border=True):
        st.caption(plain(f"{scenario.name} · procurement brief · DRAFT"))
        st.markdown(f"### {plain(verdict['sentence'])}", anchors=False)
        st.markdown("**The article's three numbers**")
        facts(page.three_numbers(plan, document), alt="The article's three numbers")
        st.markdown("**Options at equal demand and service levels**")
        table(ladder.brief(document), alt="Options of the brief")
        st.markdown("**What it rests on**")
        for line in page.rests_on(document):
            st.markdown(f"- {plain(line)}")


left, right = st.columns((5, 2), gap="large")
with left:
    st.subheader("What will be signed", anchor=False)
    preview()
with right:
    st.subheader("Take it with you", anchor=False)
    export.menu(scenario)
    export.approval(scenario)
