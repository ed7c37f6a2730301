"""The fit: numbers with effects of groups, pulled towards nothing where few rows speak for them.

Partial pooling as a maximum a posteriori estimate: every effect is one unknown, expected to be
zero within the spread that `fit.toml` gives its list, so that a group with few rows stays near the
groups above it. Source: Gelman and Hill, Data Analysis Using Regression and Multilevel/Hierarchical
Models, ch. 12.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import least_squares

from planner.evidence import conventions
from planner.evidence.deployments import Deployments
from planner.evidence.runs import outcomes
from planner.facts.catalog import Catalog
from planner.physics.efficiency import NAMES, Efficiency, efficiency

Floats = NDArray[np.float64]
Groups = tuple[Mapping[str, str], ...]
Key = tuple[str, str, str]
"""(number, level, group); level and group are "" for the value that holds for everybody."""

SPREADS = ("wide", "middle", "narrow")
DIFFERENCE = 1e-4
PRECISION = 1e-3
CLOSE = 1e-7
N_STEPS = 80
QUANTITIES = ("tpot", "ttft", "rate")


@dataclass(frozen=True, slots=True)
class Number:
    """One number to fit: its law, its start, how far from it the whole may lie, spread by level.

    own: 0 keeps the whole at its start, where effects alone are to be found.
    """

    law: str
    unit: str
    start: float
    own: float
    levels: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Rows:
    """Points to fit, the groups of their configurations, and what was measured of each.

    measured: by quantity; nan where nothing was. scale: of a residual, by quantity and row.
    """

    points: Deployments
    groups: Groups
    which: NDArray[np.int64]
    measured: Mapping[str, Floats]
    scale: Mapping[str, Floats]

    def at(self, places: NDArray[np.int64]) -> "Rows":
        """Some of the rows."""
        return Rows(
            self.points.at(places),
            self.groups,
            self.which[places],
            {name: values[places] for name, values in self.measured.items()},
            {name: values[places] for name, values in self.scale.items()},
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """Fitted unknowns in the order of keys; spread: of each, from the curvature at the optimum."""

    numbers: Mapping[str, Number]
    keys: tuple[Key, ...]
    shifts: Floats
    spread: Floats

    def efficiency(self, rows: Rows) -> Efficiency:
        """What serving reaches at each point."""
        known = dict(zip(self.keys, self.shifts, strict=True))
        return efficiency(lambda name: _column(name, self.numbers[name], rows, known))


def numbers_to_fit(catalog: Catalog) -> dict[str, Number]:
    """Laws, starts and spreads of `fit.toml`."""
    design: Any = catalog.tables["fit"]
    spread = {name: design["spread"][name].value for name in SPREADS}

    def one(table: Any) -> Number:
        levels = {level: spread[name] for name in SPREADS for level in table.get(name, [])}
        own = table["own"] if "own" in table else design["spread"]["own"]
        start = table["start"]
        return Number(table["law"], start.unit, start.value, own.value, levels)

    return {name: one(design["numbers"][name]) for name in NAMES}


def power_to_fit(catalog: Catalog) -> dict[str, Number]:
    """Starts of the power numbers of `fit.toml`, which are the same for everybody."""
    design: Any = catalog.tables["fit"]["power"]
    return {
        name: Number(table["law"], table["start"].unit, table["start"].value, np.inf, {})
        for name, table in design.items()
    }


def fitted(
    rows: Rows,
    numbers: Mapping[str, Number],
    warm: Fit | None = None,
    *,
    before: Mapping[Key, float] = MappingProxyType({}),
    close: bool = False,
) -> Fit:
    """The unknowns that explain the rows best.

    warm: a fit of much the same rows to start from; the optimum does not depend on it. close: until
    the digits that are written down no longer move. before: what unknowns are expected to be, 0
    where nothing is known of them.
    """
    keys = _keys(rows, numbers)
    prior = np.array(
        [numbers[name].levels.get(level, numbers[name].own) for name, level, _ in keys]
    )
    problem = _Problem(rows, numbers, keys)
    expected = np.array([before.get(key, 0.0) for key in keys])
    known = dict(zip(warm.keys, warm.shifts, strict=True)) if warm else before
    start = np.array([known.get(key, 0.0) for key in keys])
    within = CLOSE if close else PRECISION

    def residuals(x: Floats) -> Floats:
        return np.concatenate([problem.residuals(x), (x - expected) / prior])

    def slopes(x: Floats) -> Any:
        return sparse.vstack([problem.jacobian(x), sparse.diags_array(1 / prior)]).tocsr()

    loss: Any = _robust_before(len(expected))
    limits: Any = {"xtol": within, "ftol": within, "gtol": within, "max_nfev": N_STEPS}
    found = least_squares(residuals, start, slopes, loss=loss, tr_solver="lsmr", **limits)
    weighed: Any = found.jac
    bent = np.asarray(weighed.toarray())
    spread = np.sqrt(np.diag(np.linalg.inv(bent.T @ bent)))
    return Fit(numbers, keys, found.x, spread)


def _robust_before(n_expected: int) -> Callable[[Floats], Floats]:
    """The loss: soft L1 for what was measured, squares for the last n, what is expected beforehand.

    Takes squares of residuals; returns the loss and its first two derivatives (3, n).
    """

    def loss(squares: Floats) -> Floats:
        root = np.sqrt(1 + squares)
        soft = np.array([2 * (root - 1), 1 / root, -1 / (2 * root * root * root)])
        soft[:, -n_expected:] = [squares[-n_expected:], np.ones(n_expected), np.zeros(n_expected)]
        return soft

    return loss


def predicted(points: Deployments, reached: Efficiency) -> dict[str, Floats]:
    """The quantities that residuals compare."""
    found = outcomes(points, reached)
    return {
        "tpot": found.tpot_s,
        "ttft": found.ttft_s,
        "rate": found.output_tokens_per_s_per_accelerator,
    }


class _Problem:
    """Residuals of the rows and their slopes, as `least_squares` asks for them."""

    def __init__(self, rows: Rows, numbers: Mapping[str, Number], keys: Sequence[Key]) -> None:
        self._rows, self._numbers = rows, numbers
        self._columns = {name: _incidence(rows, name, keys) for name in numbers}
        split = (rows.points.load == conventions.SPLIT).any()
        self._moving = [n for n in numbers if split or n not in ("handoff_s", "matching_frac")]

    def residuals(self, shifts: Floats) -> Floats:
        """Logarithms of predicted over measured [1], over their scale; 0 where nothing was."""
        return self._compared(self._raw(shifts))

    def jacobian(self, shifts: Floats) -> Any:
        """Slopes by differences: a number moves all its unknowns' rows alike."""
        raw = self._raw(shifts)
        base = self._compared(raw)
        blocks = []
        for name in self._moving:
            moved = self._compared(raw | {name: raw[name] + DIFFERENCE})
            slope = (moved - base) / DIFFERENCE
            tall = sparse.vstack([self._columns[name]] * len(QUANTITIES))
            blocks.append(sparse.diags_array(slope) @ tall)
        return sum(blocks[1:], start=blocks[0])

    def _raw(self, shifts: Floats) -> dict[str, Floats]:
        return {
            name: straight(number.law, number.start) + self._columns[name] @ shifts
            for name, number in self._numbers.items()
        }

    def _compared(self, raw: Mapping[str, Floats]) -> Floats:
        reached = efficiency(lambda name: _bent(self._numbers[name].law, raw[name]))
        found = predicted(self._rows.points, reached)
        return np.concatenate([self._residual(name, found[name]) for name in QUANTITIES])

    def _residual(self, name: str, found: Floats) -> Floats:
        measured, scale = self._rows.measured[name], self._rows.scale[name]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(np.log(found / measured) / scale, posinf=0.0, neginf=0.0)


def _keys(rows: Rows, numbers: Mapping[str, Number]) -> tuple[Key, ...]:
    """Every unknown that some row belongs to, in a fixed order."""
    present = [rows.groups[place] for place in np.unique(rows.which)]
    found: list[Key] = []
    for name, number in numbers.items():
        if number.own:
            found.append((name, "", ""))
        for level in number.levels:
            held = sorted({groups[level] for groups in present if groups[level]})
            found += [(name, level, group) for group in held]
    return tuple(found)


def _incidence(rows: Rows, name: str, keys: Sequence[Key]) -> Any:
    """Which unknowns of a number each row adds up: (rows, unknowns) of ones."""
    places = {key: n for n, key in enumerate(keys)}
    levels = {level for number, level, _ in keys if number == name}
    held = [
        [places[key] for level in levels if (key := (name, level, groups.get(level, ""))) in places]
        for groups in rows.groups
    ]
    ends = np.cumsum([0, *map(len, held)])
    ones = np.ones(ends[-1])
    flat = np.array([place for each in held for place in each], dtype=int)
    distinct = sparse.csr_array((ones, flat, ends), shape=(len(held), len(keys)))
    return distinct[rows.which]


def _column(name: str, number: Number, rows: Rows, known: Mapping[Key, float]) -> Floats:
    """A number at each point, its groups' effects added; unknown groups have none."""
    sums = [
        known.get((name, "", ""), 0.0)
        + sum(known.get((name, level, groups[level]), 0.0) for level in number.levels)
        for groups in rows.groups
    ]
    return _bent(number.law, straight(number.law, number.start) + np.array(sums))[rows.which]


def straight(law: str, value: float) -> float:
    """A value on the scale of its law: logit of a share, else logarithm. [1]"""
    return float(np.log(value / (1 - value) if law == "share" else value))


def _bent(law: str, raw: Floats) -> Floats:
    """Back from the scale of a law: between 0 and 1, or above 0."""
    return 1 / (1 + np.exp(-raw)) if law == "share" else np.exp(raw)
