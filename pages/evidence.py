"""Evidence: why believe it?"""

import streamlit as st

from pages.ui import answers, bench, glossary, measures, proofs, state
from pages.ui.widgets import csv, download, facts, figures, gathered, plain
from planner import EXCLUDED, STUDIES

scenario = state.scenario()
plan, document = answers.plan_of(scenario), answers.document_of(scenario)
VIEWS = ("Measurements", "Published results", "Your benchmark", "Assumptions", "Sources, limits")


def published() -> None:
    found = gathered("Computing published results", range(len(STUDIES)), answers.study)
    rows = [row for study in found for row in study]
    figures(proofs.reproduced(rows))
    st.subheader("Published results, computed again", anchor=False)
    held = proofs.published(rows)
    st.dataframe(held, hide_index=True, alt="Published results beside ours")
    download(csv(held), "published.csv", "text/csv")


def assumptions() -> None:
    figures(proofs.kinds(document, plan.catalog))
    st.subheader("Every number this plan rests on, what moves it most first", anchor=False)
    held = proofs.register(document, plan)
    st.dataframe(held, hide_index=True, alt="Every assumption of this plan")
    download(csv(held), "assumptions.csv", "text/csv")


def sources() -> None:
    st.subheader("What is not planned", anchor=False)
    st.markdown("\n".join(f"- {plain(line)}" for line in (EXCLUDED, *proofs.LIMITS)))
    held = proofs.sources(plan.catalog)
    st.subheader("Sources", anchor=False)
    st.dataframe(held, hide_index=True, alt="Every source of the catalog")
    download(csv(held), "sources.csv", "text/csv")
    st.subheader("Words", anchor=False)
    facts(glossary.WORDS.items(), alt="Glossary of the page")


view = st.segmented_control("Evidence", VIEWS, default=VIEWS[0], required=True, key="proof-view")
shown = (measures.show, published, bench.show, assumptions, sources)
shown[VIEWS.index(view)]()
