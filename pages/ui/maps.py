"""Maps and flows from tables: pure functions, colours only from the theme."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui.drawing import LINE_PX, Show, calm, ink, legend, slot, wrapped

CELL_PX = 52
SMALL_PX = 13
FAINT = "59"
SLOTS_OF_ACTIONS = (1, 3, 0, 4)
SIGNS = {"square": "■", "circle": "●", "triangle-up": "▲", "diamond": "◆"}
"""A mark for each action in turn, so that colour is not all that tells verdicts apart."""
NETWORK = "Network between pools"
EDGE_PX = 30


def heat(table: pd.DataFrame, actions: Sequence[str]) -> go.Figure:
    """A cell per ratio and level of software: its verdict as colour and sign, what is left as text.

    table: ratio (words), level (words), action (its place among actions), left (words).
    """
    cells = {"index": "level", "columns": "ratio", "sort": False, "aggfunc": "first"}
    grid = table.pivot_table(values="action", dropna=False, **cells)
    left = table.pivot_table(values="left", dropna=False, **cells)
    levels = [wrapped(level) for level in grid.index]
    figure = go.Figure()
    for place, (n, (symbol, sign)) in enumerate(zip(SLOTS_OF_ACTIONS, SIGNS.items(), strict=True)):
        mine = grid == place
        figure.add_heatmap(
            name=actions[place],
            x=list(grid.columns),
            y=levels,
            z=np.where(mine, 1.0, None),
            text=(f"{sign}<br>" + left).where(mine, ""),
            texttemplate="%{text}",
            textfont={"size": SMALL_PX} | ({"color": ink()} if n == 1 else {}),
            colorscale=[[0, slot(n)], [1, slot(n)]],
            showscale=False,
            xgap=3,
            ygap=3,
            hovertemplate=f"%{{y}}, %{{x}}: {actions[place]}, %{{text}}<extra></extra>",
        )
        if mine.any(axis=None):
            _entry(figure, table["ratio"].iloc[0], actions[place], symbol, n)
    figure.update_yaxes(
        autorange="reversed",
        automargin=True,
        showgrid=False,
        categoryarray=levels,
        tickfont={"size": 14, "color": ink()},
    )
    figure.update_xaxes(
        type="category",
        title="Output : input tokens",
        showgrid=False,
        categoryarray=list(grid.columns),
        tickfont={"size": 14, "color": ink()},
    )
    return legend(calm(figure, CELL_PX * (len(grid) + 2)))


def _entry(figure: go.Figure, at: str, name: str, symbol: str, n: int) -> None:
    """A verdict in the legend, which shows no maps."""
    figure.add_scatter(
        name=name,
        x=[at],
        y=[None],
        mode="markers",
        marker={"size": SMALL_PX, "symbol": symbol, "color": slot(n)},
    )


def flow(table: pd.DataFrame, show: Show) -> go.Figure:
    """Work from pool to pool: source, target, value; nodes labelled, links as wide as the work.

    A node "who: what" reads on lines of its own, short enough for three columns on a phone.
    """
    names = list(dict.fromkeys([*table["source"], *table["target"]]))
    labels = ["" if name == NETWORK else _lines(name) for name in names]
    pad = LINE_PX * max(label.count("<br>") + 1 for label in labels)
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            textfont={"size": SMALL_PX},
            node={
                "label": labels,
                "customdata": names,
                "pad": pad,
                "thickness": 18,
                "color": [slot(0) for _ in names],
                "hovertemplate": "%{customdata}<extra></extra>",
            },
            link={
                "source": [names.index(name) for name in table["source"]],
                "target": [names.index(name) for name in table["target"]],
                "value": list(table["value"]),
                "label": [show(value) for value in table["value"]],
                "color": [slot(1) + FAINT for _ in table["value"]],
                "hovertemplate": "%{label}<extra></extra>",
            },
        )
    )
    if NETWORK in names:
        figure.add_annotation(
            x=0.5, y=1, xref="paper", yref="paper", yanchor="bottom", text=NETWORK, showarrow=False
        )
    deepest = max(table["source"].nunique(), table["target"].nunique())
    calm(figure, 2 * EDGE_PX + (CELL_PX // 2 + pad) * deepest)
    return figure.update_layout(margin={"t": EDGE_PX, "b": EDGE_PX})


def _lines(name: str) -> str:
    who, _, what = name.partition(": ")
    return f"{who}<br>{wrapped(what)}" if what else who
