"""How long requests are: distributions from histograms, small however large the log."""

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from planner.demand.logs.groups import Key, groups
from planner.demand.logs.results import PERCENTILES, Lengths

LENGTH_BITS = 8
"""Leading bits that tell two lengths apart in a coarse histogram: bins 0.4% to 0.8% wide."""


def lengths(
    rows: ir.Table, column: str, by: tuple[str, ...] = (), *, coarse: bool = False
) -> dict[Key, Lengths]:
    """Moments and percentiles of a token count [tokens], for each group of rows.

    The database counts each length once, so only its distinct values are held; `coarse` puts
    neighbours together, so that a log of any size fits: mean and maximum stay exact, percentiles
    lie within the width of a bin.
    """
    length = rows[column]
    bins = rows.mutate(length=_coarse(length) if coarse else length)
    keys = [*by, "length"]
    counted = bins.group_by(keys).aggregate(
        n=bins.count(), total=bins[column].sum(), longest=bins[column].max()
    )
    return {
        key: distribution(part["total"] / part["n"], part["n"], int(part["longest"].max()))
        for key, part in groups(counted.order_by(keys), by).items()
    }


def _coarse(length: ir.IntegerValue) -> ir.IntegerValue:
    """A length with all but its leading bits cleared."""
    bits = ibis.greatest(length, 1).log2().floor().cast("int64") + 1
    width = 2 ** ibis.greatest(bits - LENGTH_BITS, 0)
    return length - length % width.cast("int64")


def distribution(values: NDArray[np.float64], counts: NDArray[np.int64], longest: int) -> Lengths:
    """Moments and percentiles of a histogram.

    values: mean length in each bin, in rising order [k]. counts: requests of each [k].
    Percentiles interpolate between neighbours as numpy's default does.
    """
    mean = float(np.average(values, weights=counts))
    variance = float(np.average((values - mean) ** 2, weights=counts))
    scv = variance / mean**2 if mean > 0 else None
    quantiles = {name: _quantile(values, counts, q) for name, q in PERCENTILES.items()}
    return Lengths(mean=mean, scv=scv, max=longest, **quantiles)


def _quantile(values: NDArray[np.float64], counts: NDArray[np.int64], q: float) -> float:
    """Linear interpolation at rank q (n - 1) of the sorted sample behind a histogram."""
    ends = np.cumsum(counts)
    rank = q * (ends[-1] - 1)
    below = int(np.floor(rank))
    pair = values[np.searchsorted(ends, [below, below + 1], side="right").clip(max=len(values) - 1)]
    return float(pair[0] + (rank - below) * (pair[1] - pair[0]))
