"""Predictions for benchmark rows: latency, throughput, power and energy, with their 80 % range.

Reads only what a row says of its configuration, never what was measured.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner import text
from planner.errors import PredictError
from planner.evidence.bench import Outcome
from planner.evidence.conventions import SPLIT
from planner.evidence.deployments import Described, described
from planner.evidence.points import Points
from planner.evidence.runs import outcomes
from planner.evidence.watts import chip_watts
from planner.facts.calibration import Calibration
from planner.facts.catalog import Catalog
from planner.facts.units import BYTES_PER_GB, BYTES_PER_GIB
from planner.fleet.watts import POWER_NUMBERS
from planner.physics.efficiency import Efficiency, efficiency

Floats = NDArray[np.float64]

RATE = "predicted_output_tokens_per_s_per_accelerator"
COLUMNS = (
    "predicted_ttft_s", "predicted_tpot_s", RATE, "predicted_power_w_per_accelerator",
    "predicted_energy_j_per_output_token", "predicted_tpot_low_s", "predicted_tpot_high_s",
    f"{RATE}_low", f"{RATE}_high", "predicted_ttft_low_s", "predicted_ttft_high_s",
    "predicted_power_low_w_per_accelerator", "predicted_power_high_w_per_accelerator",
    "predicted_energy_low_j_per_output_token", "predicted_energy_high_j_per_output_token",
)  # fmt: skip
REFUSED = "refused"


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
    numbers = {name: calibration.numbers[name].whole.value for name in POWER_NUMBERS}
    watts = chip_watts(held.points, found, table["accelerator"], numbers, catalog)
    rate = found.output_tokens_per_s_per_accelerator
    likely = {
        "tpot": found.tpot_s, "rate": rate, "ttft": found.ttft_s,
        "power": watts, "energy": watts / rate,
    }  # fmt: skip
    ends = [
        value * frac
        for quantity, value in likely.items()
        for frac in _bands(table, held, calibration, quantity)
    ]
    columns = (found.ttft_s, found.tpot_s, rate, watts, watts / rate, *ends)
    answer = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)), index=table.index)
    refused = pd.Series(_refused(found, held), index=table.index)
    return answer.mask(refused != "").assign(**{REFUSED: refused})


def _refused(found: Outcome, held: Described) -> NDArray[np.object_]:
    """Why a row has no answer: what its load lacks, weights beyond all memory, or an unknown rate.

    A data sheet's GB of memory may be GiB, so that much more is let through.
    """
    points = held.points
    memory_bytes = points.sheet.memory_bytes / BYTES_PER_GB * BYTES_PER_GIB
    rate = found.output_tokens_per_s_per_accelerator
    reasons = {
        TOO_LARGE: points.profile.weight_bytes > points.n_accelerators * memory_bytes,
        NO_POOLS: (points.load == SPLIT) & np.isnan(points.prefill.n_chips + points.decode.n_chips),
        NO_RATE: np.isnan(rate),
    }
    refused = found.refused
    for reason, holds in reasons.items():
        refused = np.where((refused == "") & holds, reason, refused)
    return refused


TOO_LARGE = "the weights do not fit all chips together; give more chips, or fewer bits a weight."
NO_POOLS = (
    "nothing says how the chips are shared between the pools; give prefill_tp, prefill_workers, "
    "decode_tp and decode_workers, or prefill_accelerators and decode_accelerators."
)
NO_RATE = "the chip publishes no rate of arithmetic that serves weights of this precision."


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
    said = f"{text.number(n - len(refused), place=0)} of {text.number(n, place=0)} rows answered."
    places = np.flatnonzero(answer[REFUSED] != "")[:shown]
    reasons = [f"Row {n + 2}: {answer[REFUSED].iloc[n]}" for n in places]
    more = len(refused) - len(reasons)
    return "\n".join(
        [
            said,
            *reasons,
            *([f"And {text.number(more, place=0)} more; see the column refused."] if more else []),
        ]
    )
