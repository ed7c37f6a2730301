"""Fit the model to measured points and judge it on what the fit has not seen.

`python -m planner calibrate` rebuilds `calibration.toml` from `measured/`; a user's own points move
the shipped numbers towards them.
"""

import itertools
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from planner.errors import PredictError
from planner.evidence.crossval import left_out
from planner.evidence.fitting import Fit, Key, Number, fitted, straight
from planner.evidence.measured import LEFT_OUT, Measured, architectures, shipped
from planner.evidence.trained import ANSWERS, Trained, answers, trained
from planner.facts.calibration import SCOPES, Band, Calibrated, Calibration, Effect, shifted
from planner.facts.catalog import Catalog
from planner.facts.quantities import Quantity

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CENTRAL_80 = (0.1, 0.9)
"""Ends of the central 80 % of a law."""

TO_NINETY = 1.2816
"""Standard deviations from the middle to the 90th percentile of a normal law."""

SMALLEST = 5e-4
"""Effects below this change nothing that is printed, and are not kept."""

SOURCE = "measured-serving"


@dataclass(frozen=True, slots=True)
class Study:
    """A fit, what it says of every row, and what fits that had not seen a row say of it.

    seen: by quantity. left: by scope (rows, pairs, chips), then by quantity.
    """

    measured: Measured
    fit: Trained
    seen: Mapping[str, Floats]
    left: Mapping[str, Mapping[str, Floats]]

    @property
    def compared(self) -> Mapping[str, Floats]:
        """What was measured, by quantity; nan where nothing was, or where it is wrong."""
        held = self.measured
        wrong = held.fault == LEFT_OUT
        known = {**held.rows.measured, "power": held.power_w, "energy": held.energy_j}
        return {name: np.where(wrong, np.nan, values) for name, values in known.items()}


def study(catalog: Catalog) -> Study:
    """Fit the shipped points, and cross-validate the fit."""
    held = shipped(catalog)
    everything = np.arange(len(held.table))
    fit = trained(held, np.flatnonzero(held.fit), catalog, close=True)
    number = catalog.number
    n_folds = {
        "rows": int(number("fit.validation.row_folds").value),
        "pairs": int(number("fit.validation.pair_folds").value),
        "chips": 0,
    }
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        left = {
            scope: left_out(held, fit.time, scope, n_folds[scope], catalog, pool)
            for scope in SCOPES
        }
    return Study(held, fit, answers(held, everything, fit, catalog), left)


def calibration(held: Study, catalog: Catalog, date: str) -> Calibration:
    """The numbers of a study, with their errors and bands."""
    fit = held.fit.time
    numbers = {name: _number(held, name, fit) for name in fit.numbers}
    power = {name: _power_number(held, name) for name in held.measured.power}
    smoothing = catalog.number("fit.validation.band_rows").value
    return Calibration(
        date=date,
        numbers={**numbers, **power},
        pairs=_pairs(held.measured, catalog),
        bands={name: _bands(held, name, smoothing) for name in ANSWERS},
        errors={name: {scope: _error(held, name, scope) for scope in SCOPES} for name in ANSWERS},
    )


def _number(held: Study, name: str, fit: Fit) -> Calibrated:
    """One number: its whole, and the effects that change anything."""
    law, start, unit = fit.numbers[name].law, fit.numbers[name].start, fit.numbers[name].unit
    known = {key: (x, s) for key, x, s in zip(fit.keys, fit.shifts, fit.spread, strict=True)}
    effects: dict[str, dict[str, Effect]] = {}
    for (number, level, group), (shift, spread) in known.items():
        if number == name and level and abs(shift) >= SMALLEST:
            effects.setdefault(level, {})[group] = _effect(
                held.measured, level, group, shift, spread
            )
    shift, spread = known.get((name, "", ""), (0.0, 0.0))
    low, value, high = (shifted(law, start, shift + t * spread) for t in (-TO_NINETY, 0, TO_NINETY))
    whole = Quantity(value, low, high, unit, "measured", SOURCE)
    return Calibrated(law, whole, int(held.measured.fit.sum()), effects)


def _effect(held: Measured, level: str, group: str, shift: float, spread: float) -> Effect:
    rows = held.rows
    mine = np.array([groups.get(level) == group for groups in rows.groups])[rows.which]
    wide = TO_NINETY * spread
    return Effect(shift, shift - wide, shift + wide, int((mine & held.fit).sum()))


def _power_number(held: Study, name: str) -> Calibrated:
    number, (shift, spread) = held.measured.power[name], held.fit.power[name]
    low, value, high = (
        shifted(number.law, number.start, shift + t * spread) for t in (-TO_NINETY, 0, TO_NINETY)
    )
    whole = Quantity(value, low, high, number.unit, "measured", SOURCE)
    drawn = ~np.isnan(held.measured.power_w) & held.measured.fit_power
    return Calibrated(number.law, whole, int(drawn.sum()), {})


def _pairs(held: Measured, catalog: Catalog) -> frozenset[str]:
    """Every model of a measured architecture with the chip it was measured on."""
    alike = architectures(catalog)
    found = set(held.pair[held.fit])
    return frozenset(
        f"{model} {pair.split(' ')[1]}"
        for pair in found
        for model, arch in alike.items()
        if pair.split(" ")[0] == arch
    )


def errors(held: Study, name: str, scope: str) -> Floats:
    """Predicted over measured, less 1, of each row; nan where there is nothing to compare. [frac]

    scope: seen, or what a row's fit had not seen.
    """
    ours = held.seen if scope == "seen" else held.left[scope]
    return np.asarray(ours[name] / held.compared[name] - 1)


def comparable(held: Study) -> Flags:
    """Rows that count: no copies, and no runs that ended before they settled."""
    return np.asarray(~held.measured.copy & (held.measured.fault != "not fitted"))


def _error(held: Study, name: str, scope: str) -> float:
    """Median absolute error."""
    found = np.abs(errors(held, name, scope)[comparable(held)])
    return float(np.nanmedian(found))


def _bands(held: Study, name: str, smoothing: float) -> dict[str, Band]:
    """Central 80 % of measured over predicted, by scope and kind of model.

    A kind with few rows leans on everybody's band: its ends are means weighed by its rows and
    `smoothing`, on the scale of logarithms. What is known less is not
    called more certain.
    """
    kinds = np.array([groups["kind"] for groups in held.measured.rows.groups])
    kind = kinds[held.measured.rows.which]
    found: dict[str, Band] = {}
    for scope in SCOPES:
        ratio = -np.log1p(errors(held, name, scope))
        usable = comparable(held) & np.isfinite(ratio)
        whole = _ends(ratio[usable])
        found[scope] = _band(whole, int(usable.sum()))
        for each in sorted(set(kinds)):
            own = ratio[usable & (kind == each)]
            if len(own):
                share = len(own) / (len(own) + smoothing)
                found[f"{scope} {each}"] = _band(share * _ends(own) + (1 - share) * whole, len(own))
    for kind_ in ("", *(f" {each}" for each in set(kinds))):
        for known, new in itertools.pairwise(SCOPES):
            if known + kind_ in found and new + kind_ in found:
                found[new + kind_] = _at_least(found[new + kind_], found[known + kind_])
    return found


def _at_least(band: Band, other: Band) -> Band:
    return replace(
        band,
        low_frac=min(band.low_frac, other.low_frac),
        high_frac=max(band.high_frac, other.high_frac),
    )


def _ends(logarithms: Floats) -> Floats:
    return np.quantile(logarithms, CENTRAL_80)


def _band(ends: Floats, n: int) -> Band:
    low, high = np.exp(ends)
    return Band(float(low), float(high), n)


def recalibrated(held: Measured, catalog: Catalog) -> Calibration:
    """The shipped calibration, moved by a user's points.

    The shipped numbers are what is expected beforehand, each effect within its spread. Only levels
    that name a chip or an engine move: a user's few points say little of what holds for everybody,
    a kind of model, a precision or a release. Bands and errors stay the shipped ones.

    Raises:
        PredictError: the catalog holds no calibration to start from, or nothing can be fitted.
    """
    before = catalog.calibration
    if before is None:
        raise PredictError("The catalog holds no calibration.toml to start from.")
    if not held.fit.any():
        raise PredictError("No row can be fitted; give ttft_s, tpot_s or a rate in some row.")
    start = shifts_of(before, held.numbers)
    rows = held.rows.at(np.flatnonzero(held.fit))
    fit = fitted(rows, _movable(held.numbers), before=start)
    moved = dict(zip(fit.keys, zip(fit.shifts, fit.spread, strict=True), strict=True))
    numbers = {
        name: _moved(name, number, held, moved) if name in held.numbers else number
        for name, number in before.numbers.items()
    }
    return replace(before, numbers=numbers, pairs=before.pairs | _pairs(held, catalog))


def _movable(numbers: Mapping[str, Number]) -> dict[str, Number]:
    """The numbers with all but the levels of chips and engines held where they are."""
    return {
        name: replace(
            number,
            own=number.own and STILL,
            levels={
                level: spread if {"chip", "engine"} & set(level.split("+")) else STILL
                for level, spread in number.levels.items()
            },
        )
        for name, number in numbers.items()
    }


STILL = 1e-3
"""Spread of an effect that is held where it is expected."""


def shifts_of(held: Calibration, numbers: Mapping[str, Number]) -> dict[Key, float]:
    """The unknowns that give a calibration's numbers."""
    found: dict[Key, float] = {}
    for name, number in numbers.items():
        known = held.numbers[name]
        found[name, "", ""] = straight(number.law, known.whole.value) - straight(
            number.law, number.start
        )
        for level, groups in known.effects.items():
            found |= {(name, level, group): effect.value for group, effect in groups.items()}
    return found


def _moved(
    name: str, number: Calibrated, held: Measured, moved: Mapping[Key, tuple[float, float]]
) -> Calibrated:
    """A number with the effects, and the whole, that a user's rows moved."""
    effects = {level: dict(groups) for level, groups in number.effects.items()}
    for (of, level, group), (shift, spread) in moved.items():
        if of == name and level and abs(shift) >= SMALLEST:
            effects.setdefault(level, {})[group] = _effect(held, level, group, shift, spread)
    shift, _ = moved.get((name, "", ""), (0.0, 0.0))
    value = shifted(number.law, held.numbers[name].start, shift)
    over = value / number.whole.value
    ends = (number.whole.low * over, number.whole.high * over)
    low, high = ends if number.law == "positive" else (min(ends[0], value), max(value, ends[1]))
    whole = replace(number.whole, value=value, low=low, high=min(high, _most(number.law)))
    return replace(number, whole=whole, effects=effects)


def _most(law: str) -> float:
    """The largest value that a law allows."""
    return float(np.nextafter(1.0, 0.0)) if law == "share" else float("inf")
