"""Brief: what do I sign?"""

import streamlit as st

from pages.ui import answers, export, ladder, page, state
from pages.ui.widgets import facts, plain, table

scenario = state.scenario()
plan, document = answers.plan_of(scenario), answers.document_of(scenario)


def preview(paper: str) -> None:
    if answers.can_print():
        with st.container(border=True):
            st.image(
                answers.picture_of(scenario, paper),
                caption="The page as it prints, but for the moment it is made",
                width="stretch",
                alt="The brief as it prints; the same in words follows below",
            )
    with st.expander(
        "The same in words", icon=":material/notes:", expanded=not answers.can_print()
    ):
        in_words()


def in_words() -> None:
    st.markdown(f"### {plain(document['verdict']['sentence'])}", anchors=False)
    st.markdown("**The article's three numbers**")
    facts(page.three_numbers(plan, document), alt="The article's three numbers")
    st.markdown("**Options at equal demand and service levels**")
    table(ladder.brief(document), alt="Options of the brief")
    st.markdown("**What it rests on**")
    for line in page.rests_on(document):
        st.markdown(f"- {plain(line)}")


left, right = st.columns((5, 2), gap="large")
with right:
    st.subheader("Take it with you", anchor=False)
    paper = export.menu(scenario)
    export.approval(scenario)
with left:
    st.subheader("What will be signed", anchor=False)
    preview(paper)
