"""A reader's own benchmark against the model: upload, errors, and a calibration kept by name."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

import planner
from pages.ui import proofs, scatter, state
from pages.ui.widgets import chart, empty, figures, plain, table
from planner import Judged, SwitchyardError, text

HELD, SAID, SHIPPED = "bench-held", "bench-said", "As shipped"
MOST_MB = 8
COLUMNS = (
    "model", "accelerator", "n_accelerators", "tp", "engine", "weight_precision", "input_tokens",
    "output_tokens", "concurrency", "ttft_s", "tpot_s", "output_tokens_per_s_per_accelerator",
)  # fmt: skip


def show() -> None:
    """The whole view."""
    st.subheader("Hold the model against your own measurements", anchor=False)
    st.caption("Your rows are read apart, never written to disk, and gone when you leave.")
    file, kept = _asked_file(), planner.kept_names()
    used = st.selectbox(
        "Calibration",
        [SHIPPED, *kept],
        key="bench-used",
        format_func=plain,
        help="The shipped one, or one that was moved towards your own rows.",
    )
    if file is None:
        empty(
            "No benchmark yet",
            "Upload a CSV to see how far the model lies from your own machines.",
            "upload_file",
        )
        _kept(kept)
        return
    named = "" if used == SHIPPED else used
    judged = _judged((file.file_id, named), lambda: planner.judge(
        file.getbuffer(), file.name, calibration=named
    ))  # fmt: skip
    if judged is not None:
        _shown(judged)
        _recalibrate(file)
    _kept(kept)


def _asked_file() -> Any:
    """The CSV that a reader hands over, or None, with the columns that it may hold."""
    file = st.file_uploader(
        "A CSV of benchmark runs",
        ["csv"],
        key="bench-file",
        max_upload_size=MOST_MB,
        help="One run a row. Seconds, tokens and counts.",
    )
    with st.expander("Which columns are read", type="compact"):
        st.markdown(plain(", ".join(COLUMNS)))
        st.caption("The first eight say what ran, the last three what was measured.")
    return file


def _judged(key: object, read: Callable[[], Judged]) -> Judged | None:
    """The judgement under a key, made once; what refuses it is said."""
    held_key, held = state.once(HELD, lambda: (None, None))
    if held_key != key:
        try:
            with st.spinner("Reading your rows, apart from everything else"):
                held = read()
        except SwitchyardError as error:
            held = error
        state.keep(HELD, (key, held))
    if isinstance(held, SwitchyardError):
        st.error(plain(held), icon=":material/error:")
        st.caption("Correct the file and upload it again.")
        return None
    return held


def _shown(judged: Judged) -> None:
    rows = judged.rows
    for sentence in judged.problems:
        st.warning(plain(sentence), icon=":material/front_hand:")
    if rows.empty:
        empty("Nothing to compare", "Give ttft_s, tpot_s or a rate in some row.", "rule")
        return
    figures(summary(judged))
    quantities = [name for name in proofs.QUANTITIES if (rows["quantity"] == name).any()]
    chosen = st.segmented_control(
        "Quantity",
        quantities,
        default=quantities[0],
        required=True,
        format_func=proofs.QUANTITIES.get,
        key="bench-quantity",
    )
    mine = rows[rows["quantity"] == chosen]
    held, groups = proofs.grouped(mine, "chip", "predicted")
    ends = (mine["low"] / mine["predicted"]).median(), (mine["high"] / mine["predicted"]).median()
    figure = scatter.parity(held, proofs.SHOWS[chosen], ends, groups)
    chart(figure, mine, "bench", alt="Your measurements against the predictions")
    table(by_quantity(rows), alt="Errors against your rows")


def summary(judged: Judged) -> list[tuple[str, ...]]:
    """Four figures of a judgement."""
    rows = judged.rows
    error = (rows["predicted"] / rows["measured"] - 1).abs()
    inside = rows["measured"].between(rows["low"], rows["high"]).mean()
    return [
        ("Rows read", text.number(judged.n_rows, place=0), "Rows of your file."),
        (
            "Without an answer",
            text.number(judged.n_refused, place=0),
            "Rows whose configuration the model refuses; reasons above.",
        ),
        ("Median error", text.percent(error.median()), "Of all your measured numbers."),
        (
            "Inside the 80% range",
            text.percent(inside, place=-2),
            "Share of your numbers inside the stated range; 80% is honest.",
        ),
    ]


def by_quantity(rows: pd.DataFrame) -> pd.DataFrame:
    """Errors by quantity, as words."""
    found = []
    for quantity, part in rows.groupby("quantity", sort=False):
        error = part["predicted"] / part["measured"] - 1
        inside = part["measured"].between(part["low"], part["high"]).mean()
        found.append(
            {
                "What": proofs.QUANTITIES[str(quantity)],
                "Numbers": text.number(len(part), place=0),
                "Leaning": text.percent(error.median(), signed=True),
                "Median error": text.percent(error.abs().median()),
                "Inside 80% range": text.percent(inside, place=-2),
            }
        )
    return pd.DataFrame(found)


def _recalibrate(file: Any) -> None:
    """Move the calibration towards the rows, and keep it under a name."""
    with st.form("bench-keep", border=True):
        st.markdown("**Move the model towards these rows**")
        st.caption("Only speeds of your chips and engines move; the shipped fit stays as it is.")
        name = st.text_input(
            "Name",
            key="bench-name",
            max_chars=64,
            help="Letters, digits, - and _; choose it under Calibration afterwards.",
        )
        said = state.once(SAID, str)
        if said:
            st.success(plain(said), icon=":material/check:")
        if st.form_submit_button("Recalibrate and keep", icon=":material/tune:"):
            _keep(file, name.strip())


def _keep(file: Any, name: str) -> None:
    if not name:
        st.warning("Name: is empty; say what the calibration is called.")
        return
    try:
        with st.spinner("Moving the calibration towards your rows"):
            judged = planner.judge(file.getbuffer(), file.name, keep_as=name)
    except SwitchyardError as error:
        st.error(plain(error), icon=":material/error:")
        return
    rows = judged.rows
    error = text.percent((rows["predicted"] / rows["measured"] - 1).abs().median())
    state.keep(SAID, f"Kept as {name}. Median error on these rows, now seen: {error}.")
    st.rerun()


def _kept(names: list[str]) -> None:
    """Every kept calibration, with a button that deletes it."""
    for name in names:
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            st.markdown(f"**{plain(name)}** · a kept calibration", width="stretch")
            st.button(
                "Delete", key=f"forget-{name}", on_click=planner.forget_kept, args=(name,),
                type="tertiary",
            )  # fmt: skip
