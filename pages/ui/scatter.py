"""Points and roofs on logarithmic axes: predicted over measured, and what chips can reach."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui.drawing import DASHES, LIMIT, SYMBOLS, Show, calm, ink, legend, slot

HEIGHT = 430
REST = "other"
COLOURS = (1, 0, 2, 3, 4, 5)
TICKS = {"tickformat": "~s", "dtick": 1, "automargin": True}
ROOM, BAND = 1.3, "33"
LABEL_PX, MARK_PX, GAP_PX, LEAD_PX = 13, 13, 5, 18
FRAME_PX = 90
NAMES_PX = 122
MARKS = (
    ("reading", "Reading prompts", "diamond", 2),
    ("writing", "Writing answers", "circle", 0),
)
"""Word, label, symbol and colour of each phase."""
BESIDE_PX, BELOW_PX = 7, 15
"""From a mark to its label, to the right and downwards."""
NEAR = 2.0
"""Powers of ten that the longest label of a phase spans on a phone."""


def roofline(roofs: pd.DataFrame, phases: pd.DataFrame) -> go.Figure:
    """A roof a chip, named at its right end, and the phases of the workload under them.

    roofs: chip, flop_per_byte, tflop. phases: phase, chip, flop_per_byte, tflop.
    """
    figure = go.Figure()
    _roofs(figure, roofs)
    low = min(roofs["tflop"].min(), phases["tflop"].min() if len(phases) else math.inf)
    high = roofs["tflop"].max()
    reach = (math.log10(low / ROOM), math.log10(high * ROOM))
    _phases(figure, phases, reach, _named(figure, roofs, reach))
    across = [
        math.log10(end) for end in (roofs["flop_per_byte"].min(), roofs["flop_per_byte"].max())
    ]
    figure.update_xaxes(
        type="log", title="Operations per byte read from memory", range=across, **TICKS
    )
    figure.update_yaxes(type="log", title="TFLOP/s a chip", range=reach, **TICKS)
    return legend(_framed(figure).update_layout(margin_r=NAMES_PX))


def _roofs(figure: go.Figure, roofs: pd.DataFrame) -> None:
    for n, (name, part) in enumerate(roofs.groupby("chip", sort=False)):
        figure.add_scatter(
            name=str(name),
            x=part["flop_per_byte"],
            y=part["tflop"],
            mode="lines",
            line={"width": 2, "dash": DASHES[n % len(DASHES)], "color": slot(n)},
            hovertemplate=f"{name}: %{{y:.3~s}} TFLOP/s<extra></extra>",
            showlegend=False,
        )


def _phases(
    figure: go.Figure,
    phases: pd.DataFrame,
    reach: tuple[float, float],
    names: Sequence[tuple[float, float]],
) -> None:
    """Where the phases of the workload stand, by what they do, each named below its mark.

    names: right end and height from the top [px] of the names of roofs, which stay free.
    """
    for word, label, symbol, n in MARKS:
        part = phases[phases["phase"].str.endswith(word)]
        figure.add_scatter(
            name=label,
            x=part["flop_per_byte"],
            y=part["tflop"],
            mode="markers",
            marker={"size": MARK_PX, "symbol": symbol, "color": slot(n)},
            text=part["phase"].str.removesuffix(f", {word}"),
            cliponaxis=False,
            hovertemplate="%{text}: %{x:.3~s} operations a byte, %{y:.3~s} TFLOP/s<extra></extra>",
        )
    marks = list(zip(np.log10(phases["flop_per_byte"]), np.log10(phases["tflop"]), strict=True))
    depths = _depths(marks, reach, names)
    for name, (x, y), down in zip(phases["phase"], marks, depths, strict=True):
        figure.add_annotation(
            x=x,
            y=y,
            text=name.rpartition(", ")[0],
            ax=BESIDE_PX,
            ay=down,
            xanchor="left",
            font={"size": LABEL_PX, "color": ink()},
            arrowhead=0,
            arrowwidth=1,
            arrowcolor=slot(1),
        )


def _depths(
    marks: Sequence[tuple[float, float]],
    reach: tuple[float, float],
    names: Sequence[tuple[float, float]],
) -> list[float]:
    """How far below its mark each label stands, free of marks and labels to its right. [px]

    From right to left, since a label reaches to the right of its mark: at any width of the chart
    no two of them meet, nor does a line to a label cross another label.
    """
    px = (HEIGHT - FRAME_PX) / (reach[1] - reach[0])
    depths = [0.0] * len(marks)
    line = LABEL_PX + GAP_PX
    taken = [(end, at - line, at + line) for end, at in names]
    for n in sorted(range(len(marks)), key=lambda n: marks[n], reverse=True):
        x, here = marks[n][0], (reach[1] - marks[n][1]) * px
        at = here + BELOW_PX
        for right, top, bottom in sorted(taken, key=lambda held: held[1]):
            if right - x < NEAR and top < at < bottom:
                at = bottom
        taken.append((x, here - BELOW_PX, at + line))
        depths[n] = at - here
    return depths


def _named(
    figure: go.Figure, roofs: pd.DataFrame, reach: tuple[float, float]
) -> list[tuple[float, float]]:
    """Every roof named at its right end, names moved apart where roofs lie together.

    Returns where each name stands: its end, and its height from the top [px].
    """
    px = (HEIGHT - FRAME_PX) / (reach[1] - reach[0])
    ends = roofs.groupby("chip", sort=False).last()
    order = list(ends.index)
    at = -math.inf
    places = []
    for name, end in ends.sort_values("tflop", ascending=False, kind="stable").iterrows():
        wanted = (reach[1] - math.log10(end["tflop"])) * px
        at = max(wanted, at + LABEL_PX + GAP_PX)
        places.append((math.log10(end["flop_per_byte"]), at))
        figure.add_annotation(
            x=math.log10(end["flop_per_byte"]),
            y=math.log10(end["tflop"]),
            text=str(name),
            ax=LEAD_PX,
            ay=at - wanted,
            xanchor="left",
            font={"size": LABEL_PX, "color": ink()},
            arrowhead=0,
            arrowwidth=1,
            arrowcolor=slot(order.index(name)),
        )
    return places


def parity(
    table: pd.DataFrame, show: Show, band: tuple[float, float], groups: Sequence[str]
) -> go.Figure:
    """Predicted over measured, with the line where both agree and the band that holds 80 %.

    table: group, id, measured, predicted. band: measured over predicted at its ends. show: a value
    in words.
    """
    figure = go.Figure()
    both = table[["measured", "predicted"]]
    low, high = float(both.min().min()) / ROOM, float(both.max().max()) * ROOM
    ends = [low, high]
    _band(figure, ends, band)
    _groups(figure, table, groups)
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line=LIMIT | {"color": ink()}, hoverinfo="skip", name="1 : 1",
        showlegend=False,
    )  # fmt: skip
    reach = [math.log10(low), math.log10(high)]
    powers = [10.0**n for n in range(math.ceil(reach[0]), math.floor(reach[1]) + 1)]
    words = {"tickvals": powers, "ticktext": [show(value) for value in powers], "automargin": True}
    figure.update_xaxes(type="log", title="Measured", range=reach, **words)
    figure.update_yaxes(type="log", title="Predicted", range=reach, **words)
    return legend(_framed(figure))


def _band(figure: go.Figure, ends: Sequence[float], band: tuple[float, float]) -> None:
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


def _groups(figure: go.Figure, table: pd.DataFrame, groups: Sequence[str]) -> None:
    """Points by group; what is left over lies beneath, in the colour of what matters less."""
    ordered = sorted(groups, key=lambda name: name != REST)
    for n, name in enumerate(ordered, REST not in groups):
        part = table[table["group"] == name]
        figure.add_scatter(
            name=name,
            x=part["measured"],
            y=part["predicted"],
            mode="markers",
            marker={
                "size": 6,
                "opacity": 0.65,
                "symbol": SYMBOLS[n % len(SYMBOLS)],
                "color": slot(COLOURS[n % len(COLOURS)]),
            },
            text=part["id"],
            hovertemplate="%{text}<br>measured %{x:.3~g}, predicted %{y:.3~g}<extra></extra>",
        )


def _framed(figure: go.Figure) -> go.Figure:
    calm(figure, HEIGHT)
    figure.update_layout(margin={"t": 20, "r": 12, "b": 8, "l": 0})
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(tickfont={"size": 14, "color": ink()})
    return figure
