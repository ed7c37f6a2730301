"""Parity plots of the validation report: predicted over measured, the pair never seen."""

import io
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from planner.evidence.kept import Compared

STYLE = Path(__file__).with_suffix(".mplstyle")
SHOWN = {
    "tpot": "Time per output token [s]",
    "ttft": "Time to first token [s]",
    "rate": "Output tokens/s per chip",
    "energy": "J per output token",
}
SCOPE = "pairs"
TWICE = 2.0


def parity_png(held: Compared, families: NDArray[np.object_]) -> bytes:
    """One panel a quantity, coloured by chip family; both axes logarithmic.

    families: of the chip of each row (n,).
    """
    with mpl.rc_context(fname=STYLE):
        figure = Figure()
        panels = figure.subplots(2, len(SHOWN) // 2).flat
        for axes, (quantity, title) in zip(panels, SHOWN.items(), strict=True):
            _panel(axes, held, quantity, families)
            axes.set_title(title)
        figure.axes[0].legend()
        figure.supxlabel("measured")
        figure.supylabel("predicted, the pair of model and chip never seen")
        file = io.BytesIO()
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _panel(axes: Axes, held: Compared, quantity: str, families: NDArray[np.object_]) -> None:
    measured, predicted = held.known[quantity], held.predicted[SCOPE][quantity]
    usable = held.counted & np.isfinite(measured) & np.isfinite(predicted)
    for family, mine in _by_family(families, usable):
        axes.plot(measured[mine], predicted[mine], label=family)
    ends = np.array([measured[usable].min(), measured[usable].max()])
    for factor, line in ((1, "-"), (1 / TWICE, ":"), (TWICE, ":")):
        axes.plot(ends, ends * factor, color="black", linestyle=line, marker="")
    axes.set(xscale="log", yscale="log")


def _by_family(
    families: NDArray[np.object_], usable: NDArray[np.bool_]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Every family, so that it keeps its colour in every panel."""
    for family in sorted(set(families)):
        yield str(family), usable & (families == family)
