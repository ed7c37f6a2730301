"""The figures of the brief as vector graphics: rows of bars with their labels and values in words.

Text stays text, in the vendored font at its printed size; the same input gives the same bytes.
"""

import io
import itertools
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import wrap
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.text import Annotation

from planner.export.printable import FONTS, literal

STYLE = Path(__file__).parent / "figures.mplstyle"
GAIN, LOSS, TOTAL, GUIDE = "C0", "C1", "C2", "C3"
PRINT_DPI = 240
POINTS_PER_INCH = 72
MARGIN_INCHES = 0.15
LINE_CHARACTERS = 58
_drawing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a figure: spans of (from, to, tone) between a label and a value in words."""

    label: str
    value: str
    spans: tuple[tuple[float, float, str], ...]
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Rows of bars on one scale, with thin upright lines at the guides; one or two columns wide.

    title and note stand above and below where the chart is a file of its own.
    """

    bars: Sequence[Bar]
    guides: Sequence[float] = (0.0,)
    n_columns: int = 1
    title: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure: what it shows in words, and as SVG."""

    alt: str
    svg: str


def waterfall(parts: Sequence[float], start: float = 0.0) -> list[tuple[float, float]]:
    """Where each part begins and ends when they are laid end to end."""
    ends = [start]
    for part in parts:
        ends.append(ends[-1] + part)
    return list(itertools.pairwise(ends))


def drawn(chart: Chart) -> Drawing:
    """A chart as vector graphics, for a page that has a heading for it."""
    alt = "; ".join(literal(f"{bar.label}: {bar.value}") for bar in chart.bars)
    with _drawing, mpl.rc_context(style()):
        return Drawing(alt, saved(_figure(chart), "svg").decode())


def image(chart: Chart, kind: str) -> bytes:
    """A chart on white paper as a file of its own. kind: svg or png."""
    with alone(kind):
        figure = _figure(chart)
        (axes,) = figure.axes
        _text(axes, chart.title, 0, -1, strong=True)
        for n, line in enumerate(wrap(chart.note, LINE_CHARACTERS * chart.n_columns)):
            _text(axes, line, 0, len(chart.bars) + n, strong=False)
        return saved(figure, kind, pad=True)


@contextmanager
def alone(kind: str) -> Iterator[None]:
    """The look of a figure that is a file of its own; one is drawn at a time."""
    dpi = PRINT_DPI if kind == "png" else POINTS_PER_INCH
    own: dict[Any, Any] = {"savefig.facecolor": "white", "figure.dpi": dpi, "savefig.dpi": dpi}
    with _drawing, mpl.rc_context({**style(), **own}):
        yield


@cache
def style() -> mpl.RcParams:
    """The look of all figures; makes the vendored fonts known to Matplotlib."""
    for font in sorted(FONTS.glob("*.otf")):
        fontManager.addfont(font)
    return mpl.rc_params_from_file(STYLE, use_default_template=False)


def _figure(chart: Chart) -> Figure:
    bars, guides, columns = chart.bars, chart.guides, chart.n_columns
    figure = Figure()
    wide, row = figure.get_size_inches()
    gaps = mpl.rcParams["figure.subplot.wspace"] * (columns - 1)
    figure.set_size_inches(wide * (columns + gaps), row * len(bars))
    axes = figure.add_subplot()
    axes.set_axis_off()
    for y, bar in enumerate(bars):
        for start, end, tone in bar.spans:
            axes.barh(y, end - start, left=start, color=tone)
    _scale(axes, bars, guides)
    _label(figure, axes, bars)
    return figure


def _scale(axes: Axes, bars: Sequence[Bar], guides: Sequence[float]) -> None:
    """All bars and guides in view, the first row on top."""
    ends = [*guides, *(end for bar in bars for span in bar.spans for end in span[:2])]
    least, most = min(ends), max(ends)
    room = most - least or 1
    axes.set_xlim(least, least + room)
    axes.set_ylim(len(bars) - 1 / 2, -1 / 2)
    for guide in guides:
        axes.axvline(guide, color=GUIDE, zorder=0)


def _label(figure: Figure, axes: Axes, bars: Sequence[Bar]) -> None:
    """Labels flush left, values flush right, and the bars in the room between them."""
    labels = [_text(axes, bar.label, 0, y, bar.strong) for y, bar in enumerate(bars)]
    values = [_text(axes, bar.value, 1, y, bar.strong) for y, bar in enumerate(bars)]
    pad = mpl.rcParams["axes.labelpad"] * figure.dpi / POINTS_PER_INCH
    left, right = (
        (max(text.get_window_extent().width for text in side) + pad) / figure.bbox.width
        for side in (labels, values)
    )
    axes.set_position((left, 0, 1 - left - right, 1))


def _text(axes: Axes, words: str, side: int, y: int, strong: bool) -> Annotation:
    return axes.annotate(
        literal(words),
        (side, y),
        xycoords=("figure fraction", "data"),
        ha="right" if side else "left",
        va="center_baseline",
        fontweight="semibold" if strong else "normal",
    )


def saved(figure: Figure, kind: str, *, pad: bool = False) -> bytes:
    """The same figure gives the same bytes: no date, no name of the program."""
    out, undated = io.BytesIO(), {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
    frame: dict[str, Any] = {"bbox_inches": "tight", "pad_inches": MARGIN_INCHES} if pad else {}
    figure.savefig(out, format=kind, metadata=undated[kind], **frame)
    return out.getvalue()


def last_place(values: Sequence[float]) -> int:
    """Power of ten of the last digit worth showing, the same for all of some parts that add up."""
    largest = max((abs(value) for value in values), default=0.0)
    return math.floor(math.log10(largest)) - 2 if largest else 0
