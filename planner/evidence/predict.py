"""Predictions for benchmark rows: latency, throughput, power and energy, with their 80 % range.

Reads only what a row says of its configuration, never what was measured.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.errors import PredictError
from planner.evidence.deployments import Described, described
from planner.evidence.points import Points
from planner.evidence.runs import outcomes
from planner.evidence.watts import chip_watts
from planner.facts.calibration import Calibration
from planner.facts.catalog import Catalog
from planner.physics.efficiency import Efficiency, efficiency

Floats = NDArray[np.float64]

RATE = "predicted_output_tokens_per_s_per_accelerator"
COLUMNS = (
    "predicted_ttft_s", "predicted_tpot_s", RATE, "predicted_power_w_per_accelerator",
    "predicted_energy_j_per_output_token", "predicted_tpot_low_s", "predicted_tpot_high_s",
    f"{RATE}_low", f"{RATE}_high",
)  # fmt: skip
REFUSED = "refused"
POWER = ("memory_j_per_byte", "compute_weight", "expert_order")


def predict(points: Points, catalog: Catalog) -> pd.DataFrame:
    """The rows as they were given, with what is predicted of each, or why nothing is.

    Raises:
        PredictError: the catalog holds no calibration.
    """
    held = calibration_of(catalog)
    fine = points.problems == ""
    answer = pd.DataFrame(np.nan, index=points.given.index, columns=list(COLUMNS))
    answer[REFUSED] = points.problems
    if fine.any():
        answer.loc[fine, [*COLUMNS, REFUSED]] = _answer(points.table[fine], held, catalog)
    kept = points.given.drop(columns=[*COLUMNS, REFUSED], errors="ignore")
    return kept.join(answer)


def calibration_of(catalog: Catalog) -> Calibration:
    """The calibration of a catalog.

    Raises:
        PredictError: it holds none.
    """
    if catalog.calibration is None:
        raise PredictError("The catalog holds no calibration.toml; `calibrate` makes one.")
    return catalog.calibration


def reached(held: Described, calibration: Calibration) -> Efficiency:
    """What serving reaches at each point."""

    def column(name: str) -> Floats:
        number = calibration.numbers[name]
        return np.array([number.at(groups) for groups in held.groups])[held.which]

    return efficiency(column)


def _answer(table: pd.DataFrame, calibration: Calibration, catalog: Catalog) -> pd.DataFrame:
    held = described(table, catalog)
    found = outcomes(held.points, reached(held, calibration))
    numbers = {name: calibration.numbers[name].whole.value for name in POWER}
    watts = chip_watts(held.points, found, table["accelerator"], numbers, catalog)
    rate = found.output_tokens_per_s_per_accelerator
    low, high = _bands(table, held, calibration, "tpot")
    slow, fast = _bands(table, held, calibration, "rate")
    columns = (
        found.ttft_s, found.tpot_s, rate, watts, watts / rate,
        found.tpot_s * low, found.tpot_s * high, rate * slow, rate * fast,
    )  # fmt: skip
    answer = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)), index=table.index)
    refused = pd.Series(found.refused, index=table.index)
    return answer.mask(refused != "").assign(**{REFUSED: refused})


def _bands(
    table: pd.DataFrame, held: Described, calibration: Calibration, quantity: str
) -> tuple[Floats, Floats]:
    """Ends of the 80 % range over the prediction, wider the less the fit had seen of a row."""
    _, first = np.unique(held.which, return_index=True)
    asked = zip(table["model"].iloc[first], table["accelerator"].iloc[first], strict=True)
    bands = [
        calibration.band(quantity, calibration.scope(model, chip), groups["kind"])
        for (model, chip), groups in zip(asked, held.groups, strict=True)
    ]
    ends = np.array([(band.low_frac, band.high_frac) for band in bands])[held.which]
    return ends[:, 0], ends[:, 1]


def summary(answer: pd.DataFrame, shown: int) -> str:
    """How many rows were answered, and why the others were not, the first few by number."""
    refused = answer[answer[REFUSED] != ""][REFUSED]
    n = len(answer)
    said = f"{n - len(refused):,} of {n:,} rows answered."
    places = np.flatnonzero(answer[REFUSED] != "")[:shown]
    reasons = [f"Row {n + 2}: {answer[REFUSED].iloc[n]}" for n in places]
    more = len(refused) - len(reasons)
    return "\n".join(
        [said, *reasons, *([f"And {more:,} more; see the column refused."] if more else [])]
    )
