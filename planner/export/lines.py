"""Charts of lines as files of their own, in the look of the other figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from planner.export.figures import GUIDE, LINE_CHARACTERS, alone, saved
from planner.export.printable import literal

Show = Callable[[float], str]
STYLES = ("-", "--", ":", "-.")
TONES = ("C0", "C2", "C1", "C3")
LINE_POINTS = 1.6
ROWS_HIGH = 14
N_TICKS = 5
TITLE_PAD_POINTS = 16
FAINT = 0.4
HEADROOM = 1.1


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its name, which stands in the legend."""

    label: str
    xs: list[float]
    ys: list[float]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines on one pair of axes, zero in view. x_marks: places and words along the bottom.

    guides: level lines with their words. upright: a place on the bottom axis with its words.
    """

    lines: Sequence[Line]
    x_title: str
    show: Show
    x_marks: Sequence[tuple[float, str]]
    log: bool = False
    guides: Sequence[tuple[float, str]] = ()
    upright: tuple[float, str] | None = None
    title: str = ""
    note: str = ""


def image_of_lines(chart: Lines, kind: str) -> bytes:
    """The lines on white paper as a file. kind: svg or png."""
    with alone(kind):
        figure = Figure()
        wide, row = figure.get_size_inches()
        figure.set_size_inches(2 * wide, row * ROWS_HIGH)
        axes = figure.add_subplot()
        _frame(axes, chart)
        _lines(axes, chart)
        below = [literal(chart.x_title), *wrap(literal(chart.note), 2 * LINE_CHARACTERS)]
        axes.set_xlabel("\n".join(below))
        axes.set_title(
            literal(chart.title),
            loc="left",
            fontweight="semibold",
            fontsize="medium",
            pad=TITLE_PAD_POINTS,
        )
        return saved(figure, kind, pad=True)


def _frame(axes: Axes, chart: Lines) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    if chart.log:
        axes.set_xscale("log")
        axes.minorticks_off()
    places, words = zip(*chart.x_marks, strict=True)
    axes.set_xticks(places, [literal(word) for word in words])
    highest = max([*(max(line.ys) for line in chart.lines), *(y for y, _ in chart.guides)])
    lowest = min(0.0, *(min(line.ys) for line in chart.lines))
    axes.set_ylim(HEADROOM * lowest, HEADROOM * highest if highest > 0 else 0 if lowest else 1)
    axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(N_TICKS))
    axes.yaxis.set_major_formatter(lambda y, _: chart.show(y))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=GUIDE, alpha=FAINT)


def _lines(axes: Axes, chart: Lines) -> None:
    for n, line in enumerate(chart.lines):
        turn = n // len(TONES)
        look: dict[str, Any] = {
            "color": TONES[n % len(TONES)],
            "linestyle": STYLES[(n + turn) % len(STYLES)],
        }
        axes.plot(line.xs, line.ys, linewidth=LINE_POINTS, label=literal(line.label), **look)
    for y, words in chart.guides:
        axes.axhline(y, color=GUIDE)
        axes.annotate(literal(words), (0, y), xycoords=("axes fraction", "data"), va="bottom")
    if chart.upright is not None:
        x, words = chart.upright
        axes.axvline(x, color=GUIDE)
        axes.annotate(literal(words), (x, 1), xycoords=("data", "axes fraction"), ha="center")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 1 / 2))
