"""The register of every assumption that a plan used, and the values drawn around them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.errors import CatalogError
from planner.facts.draws import Ties, independent, unit_draws
from planner.facts.quantities import Quantity

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Assumption:
    """One number that a plan rests on, as the register shows it."""

    parameter: str
    value: float
    unit: str
    low: float
    high: float
    kind: str
    source: str
    overridden: bool = False

    @classmethod
    def of(cls, parameter: str, quantity: Quantity) -> "Assumption":
        """The register's row for a catalog quantity."""
        q = quantity
        return cls(parameter, q.value, q.unit, q.low, q.high, q.kind, q.source)

    def overridden_by(self, value: float) -> "Assumption":
        """The same assumption with the user's value; its range keeps its relative width."""
        scale = value / self.value if self.value else 1.0
        ends = sorted((self.low * scale, self.high * scale)) if self.value else (value, value)
        low, high = ends
        return Assumption(
            self.parameter, value, self.unit, low, high, "assumption", "scenario", overridden=True
        )


class Ledger:
    """Looks assumptions up by name and remembers which were used.

    find: gives the Assumption of a name. draws: sampled values by name, shape (n,); a name
    without draws keeps its value. ties: which numbers are drawn together.
    """

    def __init__(
        self,
        find: Callable[[str], Assumption],
        draws: Mapping[str, Floats] | None = None,
        ties: Ties = independent,
    ) -> None:
        self._find, self._ties = find, ties
        self._draws = draws or {}
        self.used: dict[str, Assumption] = {}

    def holds(self, parameter: str) -> bool:
        """Whether there is such a number; asking does not count as using it."""
        try:
            self._find(parameter)
        except CatalogError:
            return False
        return True

    def find(self, parameter: str) -> Assumption:
        """The register's row under a name, remembered as used; CatalogError if there is none."""
        if parameter not in self.used:
            self.used[parameter] = self._find(parameter)
        return self.used[parameter]

    def __getitem__(self, parameter: str) -> Any:
        """The value, or its draws, under a name."""
        drawn = self._draws.get(parameter)
        return self.find(parameter).value if drawn is None else drawn

    def sampled(self, n: int, seed: int) -> "Ledger":
        """The same ledger with n draws of every number used so far that has a range."""
        uncertain = {row.parameter: row for row in self.used.values() if row.low < row.high}
        units = unit_draws(uncertain, n, seed, self._ties)
        return self.drawn({name: triangular(units[name], row) for name, row in uncertain.items()})

    def drawn(self, draws: Mapping[str, Floats]) -> "Ledger":
        """The same ledger with given values of some numbers, shape (n,), in place of its own."""
        return Ledger(self._find, draws, self._ties)

    def rows(self) -> list[dict[str, Any]]:
        """The register, sorted by name, as plain dicts."""
        return [_plain(self.used[name]) for name in sorted(self.used)]


def _plain(row: Assumption) -> dict[str, Any]:
    """Every field is a plain value, so nothing needs the deep copy of `asdict`."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


def triangular(unit: Floats, row: Assumption) -> Floats:
    """Quantiles of the triangular law on [low, high] with its mode at the value.

    Source: Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 2, ch. 26.
    """
    low, mode, high = row.low, row.value, row.high
    width, split = high - low, (mode - low) / (high - low)
    rising = low + np.sqrt(unit * width * (mode - low))
    falling = high - np.sqrt((1 - unit) * width * (high - mode))
    return np.where(unit < split, rising, falling)
