"""The common look of charts: the theme's colours, rows with direct labels, no toolbar, no zoom."""

import math
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio

Show = Callable[..., str]
Axis = Mapping[str, Any]
TOTAL, GAIN, LOSS, REST = "total", "gain", "loss", "rest"
SLOTS = {TOTAL: 0, REST: 1, LOSS: 2, GAIN: 3}
ROW_PX, EDGE_PX = 36, 40
TEXT_PX, LINE_PX = 14, 19
WIDEST_EM = 0.5
"""Width of a character of the theme's font, on average over a label of the product, at most."""
BAR_WIDTH = 0.62
WRAP = 20
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "star")
LIMIT = {"width": 2, "dash": "dash"}
HEADROOM = 1.3
EDGE = 0.6


def rehearse() -> None:
    """Draw a mark of each kind for nobody: plotly loads its parts when they are first used."""
    figure = go.Figure()
    shown = pd.Series([0.0, 1.0])
    figure.add_bar(x=shown, y=shown, text=["", ""], error_x={"array": shown}, hoverlabel={})
    figure.add_scatter(x=shown, y=shown, line={"dash": DASHES[0]}, marker={"symbol": SYMBOLS[0]})
    figure.add_heatmap(z=[shown, shown], colorbar={"title": ""})
    figure.add_hline(y=0, annotation_text="")
    figure.update_layout(xaxis={"title": ""}, legend={"title": ""}, margin={"t": 0}).to_json()


def slot(n: int) -> str:
    """The n-th colour of the theme's categories, in light and in dark."""
    return _colours(str(pio.templates.default))[n]


def ink() -> str | None:
    """The colour of text on a chart, where the template names one."""
    return _text_colour(str(pio.templates.default))


@cache
def _colours(template: str) -> tuple[str, ...]:
    """Read once a template: looking a colour up takes a millisecond."""
    return tuple(map(str, pio.templates[template].layout.colorway))


@cache
def _text_colour(template: str) -> str | None:
    tables = pio.templates[template].data.table
    return tables[0].cells.font.color if tables else None


def width_px(words: str) -> int:
    """Room that the longest line of a label takes beside a mark. [px]"""
    return round(max(map(len, words.split("<br>"))) * WIDEST_EM * TEXT_PX)


def rows(
    figure: go.Figure,
    n: int,
    reach: tuple[float, float],
    headroom: float = HEADROOM,
    row_px: int = ROW_PX,
) -> go.Figure:
    """The common look of charts of rows: no value axis, since every bar carries its label."""
    low, high = reach
    room = (high - low or 1) * (headroom - 1)
    values = {"visible": False, "range": [low - room if low < 0 else low, high + room]}
    names = {
        "autorange": "reversed",
        "automargin": True,
        "showgrid": False,
        "ticks": "",
        "tickfont": {"size": 14, "color": ink()},
    }
    return calm(figure, EDGE_PX + row_px * n, values, names)


def calm(
    figure: go.Figure, height: int, x: Axis = MappingProxyType({}), y: Axis = MappingProxyType({})
) -> go.Figure:
    """Neither toolbar nor zoom; all in one update, which takes a millisecond whatever is in it."""
    return figure.update_layout(
        height=height,
        showlegend=False,
        margin={"l": 0, "r": 8, "t": 8, "b": 8},
        font={"size": 14, "color": ink()},
        dragmode=False,
        xaxis={**x, "fixedrange": True},
        yaxis={**y, "fixedrange": True},
    )


def legend(figure: go.Figure, *, below: bool = False) -> go.Figure:
    place = {"y": 0, "yanchor": "top"} if below else {"y": 1, "yanchor": "bottom"}
    return figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "title": None, "traceorder": "normal"} | place,
        height=figure.layout.height + ROW_PX,
    )


def wrapped(label: str, lines: int = 2) -> str:
    """A long label on two lines or more, broken at spaces."""
    needed = min(math.ceil(len(label) / WRAP), lines)
    spaces = [i for i, c in enumerate(label) if c == " "]
    if needed <= 1 or not spaces:
        return label
    end = min((abs(i - len(label) / needed), i) for i in spaces)[1]
    return f"{label[:end]}<br>{wrapped(label[end + 1 :], needed - 1)}"
