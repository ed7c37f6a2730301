"""Ranges from tables to figures: how sure each headline is, and what moves the worth."""

import pandas as pd
import plotly.graph_objects as go

from pages.ui.drawing import LINE_PX, ROW_PX, Show, ink, legend, rows, slot, width_px, wrapped
from planner import text

GAP_PX = 14


def strips(table: pd.DataFrame) -> go.Figure:
    """P10 to P90 of figures in different units, each as a share of its own middle value.

    table: option, p10, p50, p90 (shares), words, which end at the right edge: centred on the dot
    the longest would leave the chart.
    """
    figure = go.Figure()
    for row in table.itertuples():
        name = wrapped(row.option)
        figure.add_scatter(
            x=[row.p10, row.p90],
            y=[name, name],
            mode="lines",
            line={"width": 6, "color": slot(1)},
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=[row.p50],
            y=[name],
            mode="markers",
            marker={"size": 12, "color": slot(0)},
            text=[row.words],
            hoverinfo="y+text",
        )
        figure.add_annotation(
            x=1,
            xref="x domain",
            y=name,
            text=row.words,
            showarrow=False,
            xanchor="right",
            yanchor="bottom",
            yshift=3,
        )
    low, high = float(table["p10"].min()), float(table["p90"].max())
    rows(figure, len(table) + 1, (low, high))
    return figure.update_xaxes(range=[low - (high - low) * 0.15, high + (high - low) * 0.15])


def tornado(table: pd.DataFrame, show: Show, *, base: float) -> go.Figure:
    """What each input alone moves: from its low to its high end, and where it turns the verdict.

    table: name, low_usd, high_usd, low, high, turn ("" where it turns nothing).
    """
    figure = go.Figure()
    names = [
        wrapped(row.name, 3) + (f"<br>◆ {row.turn}" if row.turn else "")
        for row in table.itertuples()
    ]
    spans = [_span(row, show) for row in table.itertuples()]
    for column, words, n in (("low_usd", "low", 1), ("high_usd", "high", 0)):
        figure.add_bar(
            name=f"Input at its {words} end",
            orientation="h",
            y=names,
            x=[usd - base for usd in table[column]],
            base=base,
            width=0.55,
            marker_color=slot(n),
            customdata=[
                [_end(row, column, show), at]
                for row, at in zip(table.itertuples(), table[words], strict=True)
            ],
            hovertemplate="%{y} at %{customdata[1]}: %{customdata[0]}<extra></extra>",
        )
    ends = table[["low_usd", "high_usd"]]
    figure.add_scatter(
        x=ends.max(axis=1),
        y=names,
        mode="text",
        text=[f"  {span}" for span in spans],
        textposition="middle right",
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )
    figure.add_vline(x=base, line={"width": 1, "color": ink()})
    figure.update_layout(barmode="overlay")
    low, high = min(base, float(ends.min().min())), max(base, float(ends.max().max()))
    lines = max(name.count("<br>") for name in names) + 1
    rows(figure, len(table), (low, high), headroom=1, row_px=max(ROW_PX, lines * LINE_PX))
    figure.update_xaxes(range=[low - (high - low) * 0.04, high + (high - low) * 0.04])
    figure.update_layout(margin_r=max(map(width_px, spans)) + GAP_PX)
    return legend(figure, below=True)


def _end(row: object, column: str, show: Show) -> str:
    """One end of a bar to the digit that the bar's own width justifies."""
    low, high = row.low_usd, row.high_usd  # type: ignore[attr-defined]
    return show(getattr(row, column), place=text.justified_place(low, high))


def _span(row: object, show: Show) -> str:
    low, high = sorted((row.low_usd, row.high_usd))  # type: ignore[attr-defined]
    return text.span(show, low, high)
