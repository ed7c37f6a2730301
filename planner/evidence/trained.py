"""A fit of time and of power together, and what it says of rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from planner.evidence.bench import Outcome
from planner.evidence.fitting import Fit, fitted
from planner.evidence.measured import Measured
from planner.evidence.runs import outcomes
from planner.evidence.watts import chip_watts
from planner.facts.catalog import Catalog

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

ANSWERS = ("tpot", "ttft", "rate", "power", "energy")


@dataclass(frozen=True, slots=True)
class Trained:
    """The fit of step times; shift of each power number's logarithm, and its spread."""

    time: Fit
    power: Mapping[str, tuple[float, float]]


def trained(
    held: Measured,
    places: Places,
    catalog: Catalog,
    warm: Fit | None = None,
    *,
    close: bool = False,
) -> Trained:
    """Fit the rows at some places. warm, close: as `fitted` takes them."""
    time = fitted(held.rows.at(places), held.numbers, warm=warm, close=close)
    return Trained(time, _power(held, places, time, catalog))


def answers(held: Measured, places: Places, by: Trained, catalog: Catalog) -> dict[str, Floats]:
    """What a fit says of the rows at some places, by quantity."""
    rows = held.rows.at(places)
    found = outcomes(rows.points, by.time.efficiency(rows))
    numbers = {name: held.power[name].start * np.exp(by.power[name][0]) for name in held.power}
    watts = chip_watts(rows.points, found, held.table["accelerator"].iloc[places], numbers, catalog)
    rate = found.output_tokens_per_s_per_accelerator
    return dict(zip(ANSWERS, (found.tpot_s, found.ttft_s, rate, watts, watts / rate), strict=True))


def _power(
    held: Measured, places: Places, time: Fit, catalog: Catalog
) -> dict[str, tuple[float, float]]:
    """The power numbers that explain the draw of rows best, at the busyness that time predicts."""
    drawn = places[~np.isnan(held.power_w[places]) & held.fit_power[places]]
    rows = held.rows.at(drawn)
    found: Outcome = outcomes(rows.points, time.efficiency(rows))
    chips, measured = held.table["accelerator"].iloc[drawn], held.power_w[drawn]
    starts = np.array([number.start for number in held.power.values()])

    def residuals(shifts: Floats) -> Floats:
        numbers = dict(zip(held.power, starts * np.exp(shifts), strict=True))
        ours = chip_watts(rows.points, found, chips, numbers, catalog)
        return np.asarray(np.log(ours / measured) / held.power_scale)

    fit = least_squares(residuals, np.zeros(len(starts)), loss="soft_l1")
    bent = np.asarray(fit.jac)
    spread = np.sqrt(np.diag(np.linalg.inv(bent.T @ bent)))
    return dict(zip(held.power, zip(fit.x, spread, strict=True), strict=True))
