"""How long requests are: distributions from exact histograms, small however large the log."""

import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from planner.demand.logs.groups import Key, groups
from planner.demand.logs.results import Lengths

PERCENTILES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}


def lengths(rows: ir.Table, column: str, by: tuple[str, ...] = ()) -> dict[Key, Lengths]:
    """Exact moments and percentiles of a token count [tokens], for each group of rows.

    The database counts each length once, so only its distinct values are held.
    """
    keys = [*by, column]
    counted = rows.group_by(keys).aggregate(n=rows.count()).order_by(keys)
    return {
        key: distribution(part[column].to_numpy(), part["n"].to_numpy())
        for key, part in groups(counted, by).items()
    }


def distribution(values: NDArray[np.int64], counts: NDArray[np.int64]) -> Lengths:
    """Moments and percentiles of a histogram.

    values: distinct lengths in rising order [k]. counts: requests of each [k].
    Percentiles interpolate between neighbours as numpy's default does.
    """
    mean = float(np.average(values, weights=counts))
    variance = float(np.average((values - mean) ** 2, weights=counts))
    scv = variance / mean**2 if mean > 0 else None
    quantiles = {name: _quantile(values, counts, q) for name, q in PERCENTILES.items()}
    return Lengths(mean=mean, scv=scv, max=int(values[-1]), **quantiles)


def _quantile(values: NDArray[np.int64], counts: NDArray[np.int64], q: float) -> float:
    """Linear interpolation at rank q (n - 1) of the sorted sample behind a histogram."""
    ends = np.cumsum(counts)
    rank = q * (ends[-1] - 1)
    below = int(np.floor(rank))
    pair = values[np.searchsorted(ends, [below, below + 1], side="right").clip(max=len(values) - 1)]
    return float(pair[0] + (rank - below) * (pair[1] - pair[0]))
