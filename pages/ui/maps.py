"""Maps and flows from tables: pure functions, colours only from the theme."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui.drawing import Show, calm, ink, slot, wrapped

CELL_PX = 52
FAINT = "59"
SLOTS_OF_ACTIONS = (1, 3, 0, 4)


def heat(table: pd.DataFrame, actions: Sequence[str]) -> go.Figure:
    """A cell per ratio and level of software: its verdict as colour, what is left as text.

    table: ratio (words), level (words), action (its place among actions), words.
    """
    cells = {"index": "level", "columns": "ratio", "sort": False, "aggfunc": "first"}
    grid = table.pivot_table(values="action", dropna=False, **cells)
    words = table.pivot_table(values="words", dropna=False, **cells)
    levels = [wrapped(level) for level in grid.index]
    figure = go.Figure()
    for place, n in enumerate(SLOTS_OF_ACTIONS):
        mine = grid == place
        figure.add_heatmap(
            name=actions[place],
            x=list(grid.columns),
            y=levels,
            z=np.where(mine, 1.0, None),
            text=words.where(mine, ""),
            texttemplate="%{text}",
            textfont={"color": ink()} if n == 1 else None,
            colorscale=[[0, slot(n)], [1, slot(n)]],
            showscale=False,
            xgap=3,
            ygap=3,
            hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
        )
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
    return calm(figure, CELL_PX * (len(grid) + 2))


def flow(table: pd.DataFrame, show: Show) -> go.Figure:
    """Work from pool to pool: source, target, value; nodes labelled, links as wide as the work."""
    names = list(dict.fromkeys([*table["source"], *table["target"]]))
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            node={
                "label": names,
                "pad": 24,
                "thickness": 18,
                "color": [slot(0) for _ in names],
                "hovertemplate": "%{label}<extra></extra>",
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
    return calm(figure, 90 + CELL_PX * max(len(table), 2))
