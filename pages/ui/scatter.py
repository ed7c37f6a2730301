"""Points and roofs on logarithmic axes: predicted over measured, and what chips can reach."""

import math
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from pages.ui.drawing import LIMIT, calm, ink, legend, slot

HEIGHT = 430
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "star")
TICKS = {"tickformat": "~s", "dtick": 1, "automargin": True}
ROOM, BAND = 1.3, "33"
LABEL_PX, MARK_PX = 13, 13
NAMES_PX = 150
LEAST_STEP = 0.075
"""Share of the height that two labels at the edge are kept apart."""


def roofline(roofs: pd.DataFrame, phases: pd.DataFrame) -> go.Figure:
    """A roof a chip, named at its right end, and the phases of the workload under them.

    roofs: chip, flop_per_byte, tflop. phases: phase, chip, flop_per_byte, tflop.
    """
    figure = go.Figure()
    for n, (name, part) in enumerate(roofs.groupby("chip", sort=False)):
        figure.add_scatter(
            name=str(name),
            x=part["flop_per_byte"],
            y=part["tflop"],
            mode="lines",
            line={"width": 2, "dash": DASHES[n % len(DASHES)], "color": slot(n)},
            hovertemplate=f"{name}: %{{y:.3~s}} TFLOP/s<extra></extra>",
        )
    for word, symbol, n in (("reading", "diamond", 2), ("writing", "circle", 0)):
        part = phases[phases["phase"].str.endswith(word)]
        figure.add_scatter(
            x=part["flop_per_byte"],
            y=part["tflop"],
            mode="markers+text",
            marker={"size": MARK_PX, "symbol": symbol, "color": slot(n)},
            text=part["phase"],
            textposition=_aside(part),
            textfont={"size": LABEL_PX, "color": ink()},
            cliponaxis=False,
            hovertemplate="%{text}: %{x:.3~s} operations a byte, %{y:.3~s} TFLOP/s<extra></extra>",
        )
    low = min(roofs["tflop"].min(), phases["tflop"].min() if len(phases) else math.inf)
    high = roofs["tflop"].max()
    reach = (math.log10(low / ROOM), math.log10(high * ROOM))
    figure.update_xaxes(type="log", title="Operations per byte read from memory", **TICKS)
    figure.update_yaxes(type="log", title="TFLOP/s a chip", range=reach, **TICKS)
    return _named(_framed(figure), roofs, reach)


def _aside(part: pd.DataFrame) -> list[str]:
    """Labels in turn above and below, so that near points do not share one place."""
    places = ("top center", "bottom center", "middle right", "middle left")
    order = part["flop_per_byte"].rank(method="first").astype(int)
    return [places[(n - 1) % len(places)] for n in order]


def _named(figure: go.Figure, roofs: pd.DataFrame, reach: tuple[float, float]) -> go.Figure:
    """Every roof named at its right end, names moved apart where roofs lie together."""
    ends = roofs.groupby("chip", sort=False)["tflop"].max().sort_values(ascending=False)
    last = math.inf
    span = reach[1] - reach[0]
    for name, tflop in ends.items():
        wanted = (math.log10(tflop) - reach[0]) / span
        last = min(wanted, last - LEAST_STEP)
        figure.add_annotation(
            x=1,
            xref="paper",
            y=last,
            yref="paper",
            text=f" {name}",
            showarrow=False,
            xanchor="left",
            font={"size": LABEL_PX, "color": ink()},
        )
    return figure.update_layout(margin_r=NAMES_PX)


def parity(
    table: pd.DataFrame, unit: str, band: tuple[float, float], groups: Sequence[str]
) -> go.Figure:
    """Predicted over measured, with the line where both agree and the band that holds 80 %.

    table: group, id, measured, predicted. band: measured over predicted at its ends.
    """
    figure = go.Figure()
    both = table[["measured", "predicted"]]
    low, high = float(both.min().min()) / ROOM, float(both.max().max()) * ROOM
    ends = [low, high]
    for n, share in enumerate(band):
        figure.add_scatter(
            x=[x * share for x in ends],
            y=ends,
            mode="lines",
            line={"width": 1, "color": slot(1)},
            fill="tonextx" if n else None,
            fillcolor=slot(1) + BAND,
            hoverinfo="skip",
            showlegend=False,
        )
    for n, name in enumerate(groups):
        part = table[table["group"] == name]
        figure.add_scattergl(
            name=name,
            x=part["measured"],
            y=part["predicted"],
            mode="markers",
            marker={
                "size": 6,
                "opacity": 0.65,
                "symbol": SYMBOLS[n % len(SYMBOLS)],
                "color": slot(n),
            },
            text=part["id"],
            hovertemplate="%{text}<br>measured %{x:.3~s}, predicted %{y:.3~s}<extra></extra>",
        )
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line=LIMIT | {"color": ink()}, hoverinfo="skip", name="1 : 1",
        showlegend=False,
    )  # fmt: skip
    reach = [math.log10(low), math.log10(high)]
    figure.update_xaxes(type="log", title=f"Measured [{unit}]", range=reach, **TICKS)
    figure.update_yaxes(type="log", title=f"Predicted [{unit}]", range=reach, **TICKS)
    return legend(_framed(figure))


def _framed(figure: go.Figure) -> go.Figure:
    calm(figure, HEIGHT)
    figure.update_layout(margin={"t": 20, "r": 12, "b": 8, "l": 0})
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(tickfont={"size": 14, "color": ink()})
    return figure
