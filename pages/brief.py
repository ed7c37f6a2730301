"""Brief: what do I sign?"""

import streamlit as st

from pages.ui import answers, ladder, page, state, tables
from pages.ui.widgets import archive, download, empty, facts, plain, table

scenario = state.scenario()
plan, document = answers.plan_of(scenario), answers.document_of(scenario)


def downloads() -> None:
    st.subheader("Take it with you", anchor=False)
    paper = st.segmented_control(
        "Paper", ["A4", "Letter"], default="A4", required=True, key="paper"
    )
    if answers.can_print():
        download(
            lambda: answers.brief_of(scenario, paper.lower()),
            page.file(scenario, "pdf"),
            "application/pdf",
            "One-page brief, PDF",
            width="stretch",
        )
    else:
        empty(
            "No brief on this installation",
            "Install the printing parts, then reload.",
            "print_disabled",
        )
    download(
        lambda: page.json_of(plan),
        page.file(scenario, "json"),
        "application/json",
        "The whole plan, JSON",
        width="stretch",
    )
    download(
        lambda: archive(tables.every(plan, document)),
        page.file(scenario, "zip"),
        "application/zip",
        "All tables, CSV",
        width="stretch",
    )
    st.caption(
        "The PDF and the JSON also search where the verdict turns; that takes a few seconds."
    )


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
    downloads()
