"""What pages are drawn with: literal text, tables with their CSV, and inputs drawn from fields."""

import re
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from pages.ui import state
from planner import csv, text

MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")
WORD_JOINER = "\u2060"
SPLIT = f"{text.MINUS}$"
"""Where a browser would break a line inside an amount."""
PATIENCE_S = 0.5
Item = TypeVar("Item")
Found = TypeVar("Found")
NO_TOOLBAR = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def plain(words: object) -> str:
    """Text that Markdown shows letter by letter, a minus on the line of its dollars."""
    return MARKUP.sub(r"\\\1", str(words).replace(SPLIT, WORD_JOINER.join(SPLIT)))


def chart(figure: Any, table: pd.DataFrame, name: str, *, alt: str) -> None:
    """A chart, with its numbers one click away."""
    st.plotly_chart(figure, key=f"chart-{name}", config=NO_TOOLBAR, alt=alt)
    numbers(table, name)


def numbers(table: pd.DataFrame, name: str, label: str = "Table and CSV") -> None:
    """A table behind a fold, drawn only when it is opened."""
    fold = st.expander(label, key=f"fold-{name}", type="compact", on_change="rerun")
    if fold.open:
        with fold:
            st.dataframe(table, hide_index=True, alt=f"Table of {name}")
            download(csv(table), f"{name}.csv", "text/csv")


def download(data: Any, file: str, mime: str, label: str = "", **look: Any) -> None:
    """A download that does not redraw the page; `data` may be made only when asked for."""
    st.download_button(
        label or "Download CSV",
        data,
        file,
        mime,
        key=f"get-{file}",
        on_click="ignore",
        icon=":material/download:",
        **look,
    )


def table(rows: pd.DataFrame, *, alt: str) -> None:
    """A small table of words, every cell literal."""
    shown = rows.map(plain).rename(columns=plain)
    st.table(shown, border="horizontal", hide_index=True, alt=alt)


def facts(rows: Iterable[tuple[str, str]], *, alt: str) -> None:
    """Names and values in two columns, without a header."""
    shown = pd.DataFrame([(plain(name), f"**{plain(value)}**") for name, value in rows])
    st.table(shown, border="horizontal", hide_index=True, hide_header=True, alt=alt)


def four(*, border: bool = False) -> list[Any]:
    """Four columns on a desk, two by two on a phone."""
    halves = st.columns(2)
    return [quarter for half in halves for quarter in half.columns(2, border=border, wrap=False)]


def figures(rows: Sequence[tuple[str, ...]]) -> None:
    """Four figures side by side: label, value, help, and a line below where there is one."""
    for column, (label, value, about, *notes) in zip(four(), rows, strict=True):
        column.caption(plain(label), help=plain(about))
        column.metric(plain(label), plain(value), label_visibility="collapsed")
        for note in notes:
            column.caption(plain(note))


def refusals() -> None:
    """What was refused, in words, until it is corrected or put away."""
    said = state.problems()
    if said:
        with st.container(border=True):
            for sentence in said:
                st.warning(plain(sentence), icon=":material/front_hand:")
            st.caption("The figures keep the last accepted values.")
            st.button("Show the accepted values", key="forget", on_click=state.forget_problems)


def gathered(words: str, items: Sequence[Item], compute: Callable[[Item], Found]) -> list[Found]:
    """An answer per item, with a bar once it takes half a second; a new input interrupts it."""
    place, began, found = st.empty(), monotonic(), []
    for n, item in enumerate(items):
        if monotonic() - began > PATIENCE_S:
            place.progress(n / len(items), plain(words))
        found.append(compute(item))
    place.empty()
    return found


def empty(title: str, next_step: str, icon: str) -> None:
    """A state without figures, with the next step."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"### :material/{icon}: {plain(title)}", text_alignment="center")
        st.markdown(plain(next_step), text_alignment="center")


def share(frac: float | None) -> str:
    """A share as percent, whole."""
    return text.percent(frac, place=-2)


def figure_words(value: Any) -> str:
    """A figure of any kind as words."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return text.number(value) if known else "nothing" if value is None else str(value)
