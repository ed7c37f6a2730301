"""A mixed-integer linear programme by the names of its columns and rows, solved by HiGHS."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, vstack

Floats = NDArray[np.float64]
LEAST_GAP = 5e-3
MOST_NODES = 200
"""Where the search ends, the same on any machine; the gap it leaves is told."""


@dataclass(frozen=True, slots=True)
class Solved:
    """The value of every column, the least cost, and how far it may lie above the best. [frac]

    left: what each row leaves of the most that its sum may be.
    """

    value: Mapping[Any, float]
    left: Mapping[str, float]
    cost: float
    gap_frac: float


class Programme:
    """min Σ cost·x over columns x ≥ 0, some whole, with limits on sums of them."""

    def __init__(self) -> None:
        self._place: dict[Any, int] = {}
        self._cost: list[float] = []
        self._high: list[float] = []
        self._whole: list[int] = []
        self._rows: list[tuple[str, dict[int, float], float, float]] = []

    def column(
        self, name: Any, cost: float = 0.0, high: float = np.inf, *, whole: bool = False
    ) -> None:
        """A variable from 0 to `high`."""
        self._place[name] = len(self._cost)
        self._cost.append(cost)
        self._high.append(high)
        self._whole.append(int(whole))

    def row(
        self,
        name: str,
        terms: Mapping[Any, float],
        *,
        least: float = -np.inf,
        most: float = np.inf,
    ) -> None:
        """Least ≤ Σ terms ≤ most."""
        self._rows.append((name, {self._place[k]: v for k, v in terms.items()}, least, most))

    def solved(self) -> Solved | None:
        """The best values; None where no values keep every limit."""
        cost = np.array(self._cost)
        scale = np.abs(cost).max(initial=1.0)
        found = milp(
            cost / scale,
            integrality=np.array(self._whole),
            bounds=Bounds(np.zeros(len(self._cost)), np.array(self._high)),
            constraints=LinearConstraint(self._matrix(), *self._limits()),
            options={"mip_rel_gap": LEAST_GAP, "node_limit": MOST_NODES},
        )
        if found.x is None:
            return None
        value = {name: float(found.x[index]) for name, index in self._place.items()}
        spare = self._limits()[1] - self._matrix() @ found.x
        left = {row[0]: float(each) for row, each in zip(self._rows, spare, strict=True)}
        return Solved(value, left, float(found.fun) * scale, float(found.mip_gap or 0.0))

    def worth(self, names: Iterable[str]) -> dict[str, float]:
        """What one more unit of each named limit would save, if all columns could be fractions.

        0 where a limit is not used up.
        """
        matrix, (least, most) = self._matrix(), self._limits()
        same = least == most
        above, below = np.isfinite(most) & ~same, np.isfinite(least) & ~same
        cost = np.array(self._cost)
        scale = np.abs(cost).max(initial=1.0)
        found = linprog(
            cost / scale,
            A_ub=vstack([matrix[above], -matrix[below]]),
            b_ub=np.concatenate([most[above], -least[below]]),
            A_eq=matrix[same],
            b_eq=most[same],
            bounds=[(0.0, high) for high in self._high],
        )
        if found.x is None:
            return dict.fromkeys(names, 0.0)
        order = [row[0] for row, kept in zip(self._rows, above, strict=True) if kept]
        gains = dict(zip(order, -found.ineqlin.marginals * scale, strict=False))
        return {name: max(float(gains.get(name, 0.0)), 0.0) for name in names}

    def _matrix(self) -> csr_array:
        at = [(r, c, v) for r, row in enumerate(self._rows) for c, v in row[1].items()]
        rows, columns, values = (np.array(part) for part in zip(*at, strict=True))
        shape = len(self._rows), len(self._cost)
        return csr_array((values.astype(float), (rows.astype(int), columns.astype(int))), shape)

    def _limits(self) -> tuple[Floats, Floats]:
        _, _, least, most = zip(*self._rows, strict=True)
        return np.array(least), np.array(most)
