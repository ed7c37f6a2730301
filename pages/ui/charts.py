"""Tables to figures: pure functions, colours only from the theme, every bar labelled directly.

The first colour of the theme marks what matters, the second the rest; further ones are categories.
"""

import math
from collections.abc import Callable, Sequence

import pandas as pd
import plotly.graph_objects as go

Show = Callable[..., str]
ROW_PX, EDGE_PX = 38, 46
BAR_WIDTH = 0.62
WRAP = 20
HEADROOM = 1.3


def waterfall(labels: Sequence[str], sizes: Sequence[float], totals: Sequence[bool], show: Show) -> go.Figure:
    """Steps between totals from top to bottom; a total shows its own size."""
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            y=[_wrapped(label) for label in labels],
            x=sizes,
            measure=["absolute" if total else "relative" for total in totals],
            text=[show(x, signed=not total) for x, total in zip(sizes, totals, strict=True)],
            textposition="outside",
            cliponaxis=False,
            width=BAR_WIDTH,
            connector={"mode": "between", "line": {"width": 1}},
            hoverinfo="y+text",
        )
    )
    return _rows(figure, len(labels), _reach(sizes, totals))


def bars(
    labels: Sequence[str],
    sizes: Sequence[float],
    show: Show,
    *,
    marked: Sequence[bool],
    hatched: Sequence[bool] = (),
) -> go.Figure:
    """Horizontal bars; those that matter in the first colour of the theme."""
    figure = go.Figure()
    hatch = list(hatched) or [False] * len(sizes)
    for wanted in (True, False):
        rows = [i for i, mark in enumerate(marked) if mark == wanted]
        figure.add_bar(
            orientation="h",
            y=[_wrapped(labels[i]) for i in rows],
            x=[sizes[i] for i in rows],
            text=[show(sizes[i]) for i in rows],
            textposition="outside",
            cliponaxis=False,
            width=BAR_WIDTH,
            marker={"pattern": {"shape": ["/" if hatch[i] else "" for i in rows]}},
            hoverinfo="y+text",
        )
    order = [_wrapped(label) for label in labels]
    figure.update_yaxes(categoryorder="array", categoryarray=order)
    return _rows(figure, len(sizes), (min(0.0, *sizes), max(0.0, *sizes)))


def ranges(table: pd.DataFrame, show: Show, *, marked: str) -> go.Figure:
    """P10 to P90 as a line and P50 as a dot, a row each; zero drawn."""
    figure = go.Figure()
    for wanted in (True, False):
        rows = table[(table["id"] == marked) == wanted]
        figure.add_scatter(
            y=[_wrapped(name) for name in rows["option"]],
            x=rows["p50"],
            mode="markers+text",
            marker={"size": 13},
            error_x={
                "array": rows["p90"] - rows["p50"],
                "arrayminus": rows["p50"] - rows["p10"],
                "thickness": 5,
                "width": 0,
            },
            text=[show(x) for x in rows["p50"]],
            textposition="top center",
            cliponaxis=False,
            hovertext=[f"{show(a)} to {show(b)}" for a, b in zip(rows["p10"], rows["p90"], strict=True)],
            hoverinfo="y+text",
        )
    order = [_wrapped(name) for name in table["option"]]
    figure.update_yaxes(categoryorder="array", categoryarray=order)
    figure.add_vline(x=0, line_width=1, line_dash="dot")
    low, high = float(table["p10"].min()), float(table["p90"].max())
    return _rows(figure, len(table) + 1, (min(low, 0), max(high, 0)))


def stacked(table: pd.DataFrame, parts: Sequence[str], show: Show) -> go.Figure:
    """One bar an option, one colour a part, the total at its end."""
    figure = go.Figure()
    labels = [_wrapped(name) for name in table["option"]]
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
    _rows(figure, len(table), (0, float(table["total"].max())))
    return _legend(figure)


def shares(table: pd.DataFrame, parts: Sequence[str], show: Show) -> go.Figure:
    """Bars of one hundred percent, each part labelled inside."""
    figure = go.Figure()
    for part in parts:
        figure.add_bar(
            name=part,
            orientation="h",
            y=[_wrapped(name) for name in table["row"]],
            x=table[part],
            width=BAR_WIDTH,
            text=[show(x) for x in table[part]],
            textposition="inside",
            insidetextanchor="middle",
            hoverinfo="name+text",
        )
    figure.update_layout(barmode="stack")
    _rows(figure, len(table), (0, 1), headroom=1)
    return _legend(figure)


def grouped(table: pd.DataFrame, parts: Sequence[str], show: Show, most: float) -> go.Figure:
    """Bars side by side, a group a row; all on one scale from zero to `most`."""
    figure = go.Figure()
    for part in parts:
        figure.add_bar(
            name=part,
            orientation="h",
            y=[_wrapped(name) for name in table["row"]],
            x=table[part],
            text=[show(x) for x in table[part]],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="name+text",
        )
    figure.update_layout(barmode="group", bargap=0.25)
    _rows(figure, 2 * len(table), (0, most))
    return _legend(figure)


def journey(table: pd.DataFrame, show: Show, *, line: float, line_label: str) -> go.Figure:
    """From now to later along a log axis, a row each, against one line that matters."""
    figure = go.Figure()
    for column, symbol, where in (("now", "circle", "bottom center"), ("later", "diamond", "top center")):
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
    figure.add_vline(x=line, line_width=2, line_dash="dash")
    figure.add_annotation(x=math.log10(line), y=1, yref="paper", yanchor="bottom",
                          text=line_label, showarrow=False)  # fmt: skip
    _rows(figure, len(table) + 1, (0, 1))
    smallest = min(float(table[["now", "later"]].min().min()), line)
    largest = max(float(table[["now", "later"]].max().max()), line)
    figure.update_xaxes(type="log", range=[math.log10(smallest / 2), math.log10(largest * 2)])
    figure.update_layout(margin_t=30)
    return _legend(figure, below=True)


def over_time(table: pd.DataFrame, x: str, y: str, *, peak_label: str) -> go.Figure:
    """A line with its highest point named."""
    figure = go.Figure(go.Scatter(x=table[x], y=table[y], mode="lines", fill="tozeroy", hoverinfo="x+y"))
    top = table.loc[table[y].idxmax()]
    figure.add_annotation(x=top[x], y=top[y], text=peak_label, showarrow=True, arrowhead=0, ay=-28)
    figure.update_yaxes(range=[0, float(top[y]) * HEADROOM], title=None)
    figure.update_xaxes(title=x)
    return _plain(figure, 260)


def cumulative(table: pd.DataFrame, show: Show) -> go.Figure:
    """Cash by quarter as bars and its running sum as a line, on one axis."""
    figure = go.Figure()
    figure.add_scatter(name="Running sum", x=table["years"], y=table["sum"], mode="lines", line_width=3)
    figure.add_bar(name="Each quarter", x=table["years"], y=table["usd"])
    figure.add_hline(y=0, line_width=1)
    last = table.iloc[-1]
    figure.add_annotation(x=last["years"], y=last["sum"], text=show(last["sum"]), showarrow=False,
                          xanchor="right", yshift=16)  # fmt: skip
    figure.update_xaxes(title="Years from the decision")
    figure.update_yaxes(tickprefix="$", tickformat="~s")
    return _legend(_plain(figure, 320))


def _reach(sizes: Sequence[float], totals: Sequence[bool]) -> tuple[float, float]:
    """The lowest and highest point that a waterfall touches."""
    level, seen = 0.0, [0.0]
    for size, total in zip(sizes, totals, strict=True):
        level = size if total else level + size
        seen.append(level)
    return min(seen), max(seen)


def _rows(figure: go.Figure, rows: int, reach: tuple[float, float], headroom: float = HEADROOM) -> go.Figure:
    """The common look of charts of rows: no value axis, since every bar carries its label."""
    low, high = reach
    left = low * headroom if low < 0 else low
    figure.update_xaxes(visible=False, range=[left, high * headroom or 1])
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, ticks="")
    return _plain(figure, EDGE_PX + ROW_PX * rows)


def _plain(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        showlegend=False,
        margin={"l": 0, "r": 8, "t": 8, "b": 8},
        font_size=14,
        dragmode=False,
    )
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return figure


def _legend(figure: go.Figure, *, below: bool = False) -> go.Figure:
    place = {"y": 0, "yanchor": "top"} if below else {"y": 1, "yanchor": "bottom"}
    return figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "title": None, "traceorder": "normal"} | place,
        height=figure.layout.height + ROW_PX,
    )


def _wrapped(label: str) -> str:
    """A long label on two lines, broken at a space."""
    if len(label) <= WRAP:
        return label
    middle = min((abs(i - len(label) / 2), i) for i, c in enumerate(label) if c == " ")[1]
    return f"{label[:middle]}<br>{label[middle + 1 :]}"


