"""Tables to figures: pure functions, colours only from the theme, every bar labelled directly.

The first colour of the theme marks what matters, the second the rest; further ones are categories.
"""

import math
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from pages.ui.drawing import (
    BAR_WIDTH,
    EDGE,
    GAIN,
    HEADROOM,
    LIMIT,
    LOSS,
    SLOTS,
    TOTAL,
    Show,
    calm,
    legend,
    rows,
    slot,
    width_px,
    wrapped,
)

GAP_PX = 8


def waterfall(
    labels: Sequence[str], sizes: Sequence[float], kinds: Sequence[str], show: Show
) -> go.Figure:
    """Steps between totals from top to bottom; kinds: total, gain, loss or rest."""
    starts, level = [], 0.0
    for size, kind in zip(sizes, kinds, strict=True):
        starts.append(0.0 if kind == TOTAL else level)
        level = size if kind == TOTAL else level + size
    names = [wrapped(label) for label in labels]
    words = [show(x, signed=k != TOTAL) for x, k in zip(sizes, kinds, strict=True)]
    figure = go.Figure()
    for above, below, end in zip(names, names[1:], _ends(starts, sizes), strict=False):
        figure.add_scatter(
            x=[end, end],
            y=[above, below],
            mode="lines",
            hoverinfo="skip",
            line={"width": 1, "color": slot(1)},
        )
    figure.add_bar(
        orientation="h",
        y=names,
        x=[abs(size) for size in sizes],
        base=[min(start, start + size) for start, size in zip(starts, sizes, strict=True)],
        text=words,
        textposition="outside",
        cliponaxis=False,
        width=BAR_WIDTH,
        marker={"color": [slot(SLOTS[kind]) for kind in kinds]},
        hoverinfo="y+text",
    )
    ends = _ends(starts, sizes)
    reach = (min(0.0, *starts, *ends), max(0.0, *starts, *ends))
    rows(figure, len(labels), reach, headroom=1)
    return figure.update_layout(margin_r=max(map(width_px, words)) + GAP_PX)


def bars(
    labels: Sequence[str],
    sizes: Sequence[float],
    show: Show,
    *,
    marked: Sequence[bool],
    hatched: Sequence[bool],
    line: float | None = None,
) -> go.Figure:
    """Horizontal bars; those that matter in the first colour of the theme, a limit as a line."""
    figure = go.Figure()
    figure.add_bar(
        orientation="h",
        y=[wrapped(label) for label in labels],
        x=sizes,
        text=[show(x) for x in sizes],
        textposition=[
            "outside" if line is None or drawn or size > line else "inside"
            for drawn, size in zip(hatched, sizes, strict=True)
        ],
        insidetextanchor="start",
        cliponaxis=False,
        width=BAR_WIDTH,
        marker={
            "color": [slot(0 if mark else 1) for mark in marked],
            "pattern": {"shape": ["/" if drawn else "" for drawn in hatched]},
        },
        hoverinfo="y+text",
    )
    if line is not None:
        figure.add_vline(x=line, line=LIMIT | {"color": slot(2)}, layer="below")
    return rows(figure, len(sizes), (min(0.0, *sizes), max(0.0, *sizes, line or 0.0)))


def signed(labels: Sequence[str], sizes: Sequence[float], show: Show) -> go.Figure:
    """Bars to the right for what is gained and to the left for what is paid."""
    kinds = [GAIN if size >= 0 else LOSS for size in sizes]
    figure = go.Figure()
    figure.add_bar(
        orientation="h",
        y=[wrapped(label) for label in labels],
        x=sizes,
        text=[show(size, signed=True) for size in sizes],
        textposition="outside",
        cliponaxis=False,
        width=BAR_WIDTH,
        marker={"color": [slot(SLOTS[kind]) for kind in kinds]},
        hoverinfo="y+text",
    )
    figure.add_vline(x=0, line={"width": 1, "color": slot(1)})
    reach = max(abs(size) for size in sizes)
    return rows(figure, len(sizes), (-reach, reach), headroom=1.4)


def ranges(table: pd.DataFrame, show: Show, *, marked: str) -> go.Figure:
    """P10 to P90 as a line and P50 as a dot, a row each; zero drawn."""
    figure = go.Figure()
    for row in table.itertuples():
        colour = slot(0 if row.id == marked else 1)
        name = wrapped(row.option)
        figure.add_scatter(
            x=[row.p10, row.p90],
            y=[name, name],
            mode="lines",
            line={"width": 6, "color": colour},
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=[row.p50],
            y=[name],
            mode="markers+text",
            marker={"size": 14, "color": colour},
            text=[show(row.p50)],
            textposition="top center",
            cliponaxis=False,
            hovertext=[f"{show(row.p10)} to {show(row.p90)}"],
            hoverinfo="y+text",
        )
    figure.add_vline(x=0, line={"width": 1, "dash": "dot", "color": slot(1)})
    low, high = float(table["p10"].min()), float(table["p90"].max())
    return rows(figure, len(table) + 1, (min(low, 0), max(high, 0)))


def stacked(table: pd.DataFrame, parts: Sequence[str], show: Show) -> go.Figure:
    """One bar an option, one colour a part, the total at its end."""
    figure = go.Figure()
    labels = [wrapped(name) for name in table["option"]]
    for part in parts:
        figure.add_bar(
            name=part,
            orientation="h",
            y=labels,
            x=table[part],
            width=BAR_WIDTH,
            customdata=[show(x) for x in table[part]],
            hovertemplate="%{y}, " + part + ": %{customdata}<extra></extra>",
        )
    figure.add_scatter(
        y=labels,
        x=table["total"],
        mode="text",
        text=[f" {show(x)}" for x in table["total"]],
        textposition="middle right",
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )
    figure.update_layout(barmode="stack")
    rows(figure, len(table), (0, float(table["total"].max())))
    return legend(figure)


def shares(table: pd.DataFrame, parts: Sequence[str], show: Show) -> go.Figure:
    """Bars of one hundred percent, each part labelled inside."""
    figure = go.Figure()
    for part in parts:
        figure.add_bar(
            name=part,
            orientation="h",
            y=[wrapped(name) for name in table["row"]],
            x=table[part],
            width=BAR_WIDTH,
            text=[show(x) for x in table[part]],
            textposition="inside",
            insidetextanchor="middle",
            hoverinfo="name+text",
        )
    figure.update_layout(barmode="stack")
    rows(figure, len(table), (0, 1), headroom=1)
    return legend(figure)


def journey(table: pd.DataFrame, show: Show, *, line: float, line_label: str) -> go.Figure:
    """From now to later along a log axis, a row each, against one line that matters."""
    figure = go.Figure()
    for column, symbol, where in (
        ("now", "circle", "bottom center"),
        ("later", "diamond", "top center"),
    ):
        figure.add_scatter(
            name=table.attrs[column],
            y=table["row"],
            x=table[column],
            mode="markers+text",
            marker={"size": 14, "symbol": symbol},
            text=[show(x) for x in table[column]],
            textposition=where,
            cliponaxis=False,
            hoverinfo="y+text+name",
        )
    figure.add_vline(x=line, line=LIMIT | {"color": slot(2)}, layer="below")
    figure.add_annotation(
        x=math.log10(line), y=1, yref="paper", yanchor="bottom", text=line_label, showarrow=False
    )
    rows(figure, len(table) + 1, (0, 1))
    figure.update_yaxes(autorange=None, range=[len(table) - 1 + EDGE, -EDGE])
    smallest = min(float(table[["now", "later"]].min().min()), line)
    largest = max(float(table[["now", "later"]].max().max()), line)
    figure.update_xaxes(type="log", range=[math.log10(smallest / 2), math.log10(largest * 2)])
    figure.update_layout(margin_t=30)
    return legend(figure, below=True)


def over_time(table: pd.DataFrame, x: str, y: str, *, peak_label: str) -> go.Figure:
    """A line with its highest point named."""
    figure = go.Figure(
        go.Scatter(x=table[x], y=table[y], mode="lines", fill="tozeroy", hoverinfo="x+y")
    )
    top = table.loc[table[y].idxmax()]
    figure.add_annotation(x=top[x], y=top[y], text=peak_label, showarrow=True, arrowhead=0, ay=-28)
    figure.update_yaxes(range=[0, float(top[y]) * HEADROOM], title=None)
    figure.update_xaxes(title=x)
    return calm(figure, 260)


def _ends(starts: Sequence[float], sizes: Sequence[float]) -> list[float]:
    return [start + size for start, size in zip(starts, sizes, strict=True)]
