"""Measured against predicted: the public benchmarks, and one board metered step by step."""

import streamlit as st

from pages.ui import answers, proofs, scatter
from pages.ui.widgets import chart, figures, plain, table
from planner import accuracy


def show() -> None:
    """The whole view."""
    held = answers.measured()
    figures(proofs.headlines(held["agreement"], held["points"]))
    left, right = st.columns(2)
    what = left.selectbox(
        "Quantity", list(proofs.QUANTITIES), format_func=proofs.QUANTITIES.get, key="proof-what"
    )
    by = right.segmented_control(
        "By", list(proofs.BY), default="chip", required=True, format_func=proofs.BY.get,
        key="proof-by",
    )  # fmt: skip
    points = held["points"][held["points"]["quantity"] == what]
    row = held["agreement"].set_index("quantity").loc[what]
    one, other = st.columns((1, 1), gap="large")
    with one:
        st.subheader("Predicted against measured", anchor=False)
        n = proofs.every(points)
        drawn_rows = f"1 row in {n}" if n > 1 else "every row"
        st.caption(f"Pairs that the fit never saw, {drawn_rows}. Band: the stated 80% range.")
        drawn, names = proofs.grouped(points, by)
        figure = scatter.parity(
            drawn[::n], proofs.SHOWS[what], (row["low_frac"], row["high_frac"]), names
        )
        chart(figure, points, "parity", alt=f"{row['words']}: predicted against measured")
    with other:
        _board()
    st.subheader("How far off predictions are", anchor=False)
    st.caption(
        "Median errors. New row: others of its model and chip were seen. New pair: none were."
    )
    table(proofs.agreement(held["agreement"]), alt="Errors by quantity")
    table(proofs.errors(accuracy(points, by), by), alt=f"Errors by {by}")


def _board() -> None:
    steps = answers.board()
    st.subheader("One board, metered by us", anchor=False)
    st.caption("Single steps on one H100, never fitted to. Band: a tenth either way.")
    drawn, names = proofs.board_points(steps)
    figure = scatter.parity(drawn, proofs.SHOWS["tpot"], proofs.TENTH, names)
    chart(figure, steps, "board", alt="Steps on one H100")
    st.caption(plain(proofs.board_says(steps)))
