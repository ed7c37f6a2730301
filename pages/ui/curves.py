"""Lines from tables: pure functions, colours only from the theme."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui.drawing import DASHES, LIMIT, SYMBOLS, Show, calm, ink, legend, slot, wrapped
from planner import text

HEIGHT = 360
ROOM = 1.08
TICKS = 6
HOURS_BETWEEN_TICKS = 4
WIDE, THIN = 3, 1.5
FAINT = "59"
CLOUD = 25
FRAME_PX, LABEL_PX, LEAD_PX, NAMES_PX = 90, 19, 16, 118


def against_ratio(
    table: pd.DataFrame, show: Show, *, now: float, cloud: pd.DataFrame, turns: pd.DataFrame
) -> go.Figure:
    """A line per option over the ratio on a log axis; where the cheapest changes, and the drift.

    table: option, ratio, usd. cloud: ratio, usd: where 18 months may lead. turns: ratio, words.
    """
    figure = go.Figure()
    for n, (name, part) in enumerate(table.groupby("option", sort=False)):
        _line(figure, part["ratio"], part["usd"], str(name), n, show)
    figure.add_scatter(
        showlegend=False,
        x=cloud["ratio"],
        y=cloud["usd"],
        mode="markers",
        marker={"size": 9, "color": slot(5), "opacity": 0.45},
        hoverinfo="skip",
    )
    figure.add_vline(x=now, line={"width": 2, "color": slot(1)}, layer="below")
    _above(figure, now, "today")
    for row in turns.itertuples():
        figure.add_vline(x=row.ratio, line=LIMIT | {"color": slot(2)}, layer="below")
        _above(figure, row.ratio, row.words)
    most = float(table["usd"].max()) * ROOM
    figure.update_xaxes(type="log", title="Output : input tokens", **_ratio_ticks())
    figure.update_yaxes(**_dollars(0, most))
    return _named(_lined(figure), (0, most), log=True)


def _ratio_ticks() -> dict[str, list[object]]:
    marks = {0.01: "1 : 100", 0.1: "1 : 10", 1: "1 : 1", 10: "10 : 1"}
    return {"tickvals": list(marks), "ticktext": list(marks.values())}


def _above(figure: go.Figure, x: float, words: str) -> None:
    figure.add_annotation(
        x=math.log10(x), y=1, yref="paper", yanchor="bottom", text=words, showarrow=False
    )


def against_load(table: pd.DataFrame, *, planned: str, limit: str) -> go.Figure:
    """Share of the service level used as chips are run fuller; the plan and the limit as lines.

    table: line, fullness, used.
    """
    figure = go.Figure()
    for n, (name, part) in enumerate(table.groupby("line", sort=False)):
        _line(figure, part["fullness"], part["used"], str(name), n, None)
    figure.add_hline(y=1, line=LIMIT | {"color": slot(2)}, layer="below")
    figure.add_annotation(
        x=0, xref="paper", y=1, text=limit, showarrow=False, xanchor="left", yanchor="bottom"
    )
    figure.add_vline(x=1, line={"width": 2, "color": slot(1)}, layer="below")
    figure.add_annotation(x=1, y=1, yref="paper", yanchor="bottom", text=planned, showarrow=False)
    most = min(max(float(table["used"].max()) * 1.1, 1.2), 2.0)
    figure.update_yaxes(range=[0, most], tickformat=".0%")
    figure.update_xaxes(tickformat=".0%", title="How full the chips are run, of the plan")
    return _named(_lined(figure), (0, most))


def frontier(table: pd.DataFrame, show: Show, *, show_x: Show) -> go.Figure:
    """Cost against how fast the first token must come, a line per option.

    table: option, limit_s, usd.
    """
    figure = go.Figure()
    for n, (name, part) in enumerate(table.groupby("option", sort=False)):
        _line(figure, part["limit_s"], part["usd"], str(name), n, show, markers=True)
    marks = sorted(set(table["limit_s"]))
    figure.update_xaxes(
        type="log",
        title="Slowest 1 of 100 first tokens, fastest class",
        tickvals=marks,
        ticktext=[show_x(x) for x in marks],
    )
    most = float(table["usd"].max()) * ROOM
    figure.update_yaxes(**_dollars(0, most))
    return _named(_lined(figure), (0, most), log=True)


def over_hours(table: pd.DataFrame, show: Show, *, limits: Sequence[float]) -> go.Figure:
    """Draw over the hours around the busiest, a line per option, and what power is held for them.

    table: option, hours, draw_mw.
    """
    figure = go.Figure()
    for n, (name, part) in enumerate(table.groupby("option", sort=False)):
        _line(figure, part["hours"], part["draw_mw"], str(name), n, show)
    for mw in limits:
        figure.add_hline(y=mw, line=LIMIT | {"color": slot(2)}, layer="below")
        figure.add_annotation(
            x=0, y=mw, xref="paper", text=f"held: {show(mw)}", showarrow=False,
            xanchor="left", yanchor="bottom",
        )  # fmt: skip
    ends = [float(table["hours"].min()), float(table["hours"].max())]
    figure.update_xaxes(title="Hours from the busiest", dtick=HOURS_BETWEEN_TICKS, range=ends)
    most = max(*limits, float(table["draw_mw"].max())) * ROOM
    figure.update_yaxes(range=[0, most], ticksuffix=" MW")
    return _named(_lined(figure), (0, most))


def along_mix(table: pd.DataFrame, show: Show, *, picked: tuple[float, float, float]) -> go.Figure:
    """Worth over the share of power in split pools, with what the optimiser picks.

    table: share, npv_usd, at stated values. picked: its share, worth, and the median of its worth.
    """
    share, stated, median = picked
    figure = go.Figure()
    _line(figure, table["share"], table["npv_usd"], "Forced share", 0, show, markers=True)
    figure.add_scatter(
        name="What the model picks",
        x=[share],
        y=[stated],
        mode="markers+text",
        marker={"size": 16, "symbol": "star", "color": slot(3)},
        text=[f"{show(stated)} stated<br>{show(median)} median"],
        textposition="top right" if share < 1 / 2 else "top left",
        cliponaxis=False,
        hoverinfo="name+text",
    )
    figure.add_hline(y=0, line={"width": 1, "color": slot(1)})
    figure.update_xaxes(tickformat=".0%", title="Serving power in split pools", range=[-0.05, 1.05])
    low, high = min(0.0, float(table["npv_usd"].min())), max(stated, float(table["npv_usd"].max()))
    reach = (low - (high - low) * 0.05, high + (high - low) * 0.25)
    figure.update_yaxes(**_dollars(*reach))
    return legend(_lined(figure))


def cash_band(
    table: pd.DataFrame, show: Show, *, paid_back: tuple[float, float, float] | None
) -> go.Figure:
    """The running sum of cash with the band of 8 of 10 futures, and when it is paid back.

    table: years, usd, sum, p10, p90. paid_back: P10, P50, P90 of the draws [years], infinite where
    not within the horizon.
    """
    figure = go.Figure()
    figure.add_bar(name="Each quarter", x=table["years"], y=table["usd"], marker_color=slot(1))
    for name, shown in (("p10", False), ("p90", True)):
        figure.add_scatter(
            name="8 of 10 futures",
            x=table["years"],
            y=table[name],
            mode="lines",
            line={"width": 0.5, "color": slot(0)},
            fill="tonexty" if shown else None,
            fillcolor=slot(1) + FAINT,
            showlegend=shown,
            hoverinfo="skip",
        )
    _line(figure, table["years"], table["sum"], "Running sum", 0, show)
    figure.add_hline(y=0, line={"width": 1})
    last = table.iloc[-1]
    figure.add_annotation(
        x=last["years"], y=last["sum"], text=show(last["sum"]), showarrow=False, yshift=14
    )
    if paid_back is not None:
        _paid_back(figure, paid_back, float(last["years"]))
    figure.update_xaxes(title="Years from the decision")
    ends = table[["usd", "sum", "p10", "p90"]]
    low, high = min(0.0, float(ends.min().min())), max(0.0, float(ends.max().max()))
    figure.update_yaxes(**_dollars(low - (high - low) * 0.1, high + (high - low) * 0.1))
    return legend(_lined(figure)).update_layout(legend_y=1.1, margin_t=84)


def _dollars(low: float, high: float) -> dict[str, Any]:
    """A range of dollars with its ticks as the product writes money: minus, then dollar."""
    high = max(high, low + 1)
    about = (high - low) / TICKS
    power = math.floor(math.log10(about))
    step = min(nice * 10.0**power for nice in (1, 2, 5, 10) if nice * 10.0**power >= about)
    marks = [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    place = math.floor(math.log10(step))
    words = [text.usd(usd, place=place if usd else None) for usd in marks]
    return {"range": [low, high], "tickvals": marks, "ticktext": words}


def _paid_back(figure: go.Figure, years: tuple[float, float, float], horizon: float) -> None:
    """The quarter by which the middle future is paid back, in the band of 8 of 10 futures."""
    low, middle, high = years
    if low <= horizon:
        figure.add_vrect(
            x0=low, x1=min(high, horizon), fillcolor=slot(3), opacity=0.15, line_width=0,
            layer="below",
        )  # fmt: skip
    if middle <= horizon:
        figure.add_vline(x=middle, line=LIMIT | {"color": slot(3)}, layer="below")
        figure.add_annotation(
            x=middle, y=1, yref="paper", yanchor="bottom", text="paid back", showarrow=False
        )


def dots(low: float, middle: float, high: float, n: int = CLOUD) -> list[float]:
    """Evenly likely values of a triangular law: what a cloud is drawn of."""
    chance = (np.arange(n) + 0.5) / n
    left = (middle - low) / (high - low) if high > low else 0.5
    rising = low + np.sqrt(chance * (high - low) * (middle - low))
    falling = high - np.sqrt((1 - chance) * (high - low) * (high - middle))
    return [float(x) for x in np.where(chance < left, rising, falling)]


def _line(
    figure: go.Figure,
    x: pd.Series,
    y: pd.Series,
    name: str,
    n: int,
    show: Show | None,
    *,
    markers: bool = False,
) -> None:
    """A line with a dash and a mark of its own, so that colour is not all that tells it apart."""
    figure.add_scatter(
        name=name,
        x=x,
        y=y,
        mode="lines+markers" if markers else "lines",
        line={"width": WIDE if n == 0 else THIN + 0.5, "dash": DASHES[n % len(DASHES)]},
        marker={"symbol": SYMBOLS[n % len(SYMBOLS)], "size": 8},
        marker_color=slot(n),
        line_color=slot(n),
        customdata=[show(value) if show and value == value else "" for value in y],
        hovertemplate=name + ": %{customdata}<extra></extra>" if show else None,
    )


def _lined(figure: go.Figure) -> go.Figure:
    calm(figure, HEIGHT)
    figure.update_layout(margin={"t": 34, "r": 12, "b": 8, "l": 0})
    figure.update_xaxes(automargin=True, tickfont={"size": 14, "color": ink()})
    figure.update_yaxes(automargin=True, tickfont={"size": 14, "color": ink()})
    return figure


def _named(figure: go.Figure, reach: tuple[float, float], *, log: bool = False) -> go.Figure:
    """Every line named at its end, names moved apart where ends lie together.

    reach: lowest and highest value of the vertical axis.
    """
    lines = [trace for trace in figure.data if "lines" in (trace.mode or "") and trace.name]
    ends = sorted(((float(t.y[-1]), float(t.x[-1]), t) for t in lines), key=lambda end: -end[0])
    px = (HEIGHT - FRAME_PX) / (reach[1] - reach[0])
    wanted = [(reach[1] - y) * px for y, _, _ in ends]
    names = []
    for n, (y, x, trace) in enumerate(ends):
        wanted[n] = at = max(wanted[n], wanted[n - 1] + LABEL_PX if n else 0.0)
        names.append(
            {
                "x": math.log10(x) if log else x,
                "y": y,
                "text": wrapped(trace.name),
                "ax": LEAD_PX,
                "ay": at - (reach[1] - y) * px,
                "xanchor": "left",
                "align": "left",
                "font": {"size": 13, "color": ink()},
                "arrowhead": 0,
                "arrowwidth": 1,
                "arrowcolor": trace.line.color,
            }
        )
    figure.layout.annotations = [*figure.layout.annotations, *names]
    return figure.update_layout(margin_r=NAMES_PX)
