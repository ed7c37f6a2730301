"""Evidence: why believe it?"""

import streamlit as st

from pages.ui import answers, bench, glossary, proofs, scatter, state
from pages.ui.widgets import chart, csv, download, facts, figures, gathered, plain, table
from planner import EXCLUDED, STUDIES, accuracy

scenario = state.scenario()
plan, document = answers.plan_of(scenario), answers.document_of(scenario)
VIEWS = ("Measurements", "Published results", "Your benchmark", "Assumptions", "Sources, limits")


def measurements() -> None:
    held = answers.measured()
    figures(proofs.headlines(held["agreement"], held["points"]))
    left, right = st.columns(2)
    what = left.segmented_control(
        "Quantity", list(proofs.QUANTITIES), default="tpot", required=True,
        format_func=proofs.QUANTITIES.get, key="proof-what",
    )  # fmt: skip
    by = right.segmented_control(
        "By", list(proofs.BY), default="chip", required=True, format_func=proofs.BY.get,
        key="proof-by",
    )  # fmt: skip
    points = held["points"][held["points"]["quantity"] == what]
    row = held["agreement"].set_index("quantity").loc[what]
    one, other = st.columns((1, 1), gap="large")
    with one:
        st.subheader("Predicted against measured", anchor=False)
        st.caption("The fit never saw the pair of model and chip. Band: the stated 80% range.")
        drawn, names = proofs.grouped(points, by)
        figure = scatter.parity(
            drawn, proofs.SHOWS[what], (row["low_frac"], row["high_frac"]), names
        )
        chart(figure, drawn, "parity", alt=f"{row['words']}: predicted against measured")
    with other:
        board()
    st.subheader("How far off predictions are", anchor=False)
    st.caption(
        "Median errors. New row: others of its model and chip were seen. New pair: none were."
    )
    table(proofs.agreement(held["agreement"]), alt="Errors by quantity")
    table(proofs.errors(accuracy(points, by), by), alt=f"Errors by {by}")


def board() -> None:
    steps = answers.board()
    st.subheader("One board, metered by us", anchor=False)
    st.caption("Single steps on one H100, never fitted to. Band: a tenth either way.")
    drawn, names = proofs.board_points(steps)
    figure = scatter.parity(drawn, proofs.SHOWS["tpot"], proofs.TENTH, names)
    chart(figure, steps, "board", alt="Steps on one H100")
    st.caption(plain(proofs.board_says(steps)))


def published() -> None:
    found = gathered("Computing published results", range(len(STUDIES)), answers.study)
    rows = [row for study in found for row in study]
    figures(proofs.reproduced(rows))
    st.subheader("Published results, computed again", anchor=False)
    held = proofs.published(rows)
    st.dataframe(held, hide_index=True, alt="Published results beside ours")
    download(csv(held), "published.csv", "text/csv")


def assumptions() -> None:
    figures(proofs.kinds(document))
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
shown = (measurements, published, bench.show, assumptions, sources)
shown[VIEWS.index(view)]()
