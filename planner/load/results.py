"""What the queueing functions answer; infinite where unstable, never a plausible number."""

from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from planner.load.checks import Floats, Numbers

Flags: TypeAlias = NDArray[np.bool_]
Result = TypeVar("Result", "BurstyPool", "DecodePool", "PrefillPool", "Replica")


@dataclass(frozen=True, slots=True)
class DecodePool:
    """A pool that only decodes. Times [s].

    wait_*: wait for a place in a full batch. join_mean_s: the part of the running iteration
    that a request finding a free place sits out, not counted in `wait_mean_s`.
    """

    utilization: Numbers
    batch_mean: Numbers
    tpot_mean_s: Numbers
    tpot_quantile_s: Numbers
    wait_mean_s: Numbers
    wait_quantile_s: Numbers
    join_mean_s: Numbers
    stable: bool | Flags


@dataclass(frozen=True, slots=True)
class PrefillPool:
    """A pool that only prefills. Waits [s] exclude the request's own service."""

    utilization: Numbers
    wait_mean_s: Numbers
    wait_quantile_s: Numbers
    stable: bool | Flags


@dataclass(frozen=True, slots=True)
class BurstyPool:
    """A prefill pool over a whole log. Times [s]; TTFT is the wait and the request's own service.

    peak_utilization: load of the minute with most work, above 1 where it leaves a backlog.
    """

    utilization: Numbers
    peak_utilization: Numbers
    wait_mean_s: Numbers
    wait_median_s: Numbers
    wait_quantile_s: Numbers
    ttft_mean_s: Numbers
    ttft_median_s: Numbers
    ttft_quantile_s: Numbers
    stable: bool | Flags


@dataclass(frozen=True, slots=True)
class Replica:
    """One replica doing both phases; batch_mean counts requests in decode. Times [s]."""

    utilization: Numbers
    batch_mean: Numbers
    ttft_mean_s: Numbers
    ttft_quantile_s: Numbers
    tpot_mean_s: Numbers
    tpot_quantile_s: Numbers
    itl_quantile_s: Numbers
    stable: bool | Flags


def answer(kind: type[Result], stable: Flags, utilization: Floats, **fields: Floats) -> Result:
    """A `kind` whose fields are infinite where not `stable`; plain numbers for scalar input."""
    blank = {name: np.where(stable, value, np.inf) for name, value in fields.items()}
    return kind(**plain(stable=stable, utilization=utilization, **blank))


def plain(**columns: Floats | Flags) -> dict[str, Any]:
    """Columns of one shape, each its own array; numbers where that shape is that of a number."""
    shape = np.broadcast_shapes(*(column.shape for column in columns.values()))
    wide = {name: np.broadcast_to(column, shape) for name, column in columns.items()}
    return {name: column.copy() if shape else column.item() for name, column in wide.items()}
