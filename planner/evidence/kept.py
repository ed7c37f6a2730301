"""Predictions of every measured row, kept beside the measurements: with the row seen, and without.

`calibrate` writes `measured/predictions.csv`; reports and pages read it, so that nobody fits again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.errors import PredictError
from planner.evidence.calibrate import Study
from planner.evidence.measured import LEFT_OUT, NOT_FITTED, Measured, shipped
from planner.evidence.trained import ANSWERS
from planner.facts.calibration import SCOPES
from planner.facts.catalog import Catalog, catalog_folder

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FILE = "predictions.csv"
SEEN = "seen"
ALL_SCOPES = (SEEN, *SCOPES)


@dataclass(frozen=True, slots=True)
class Compared:
    """Measured rows and what was predicted of them.

    predicted: by scope (seen, rows, pairs, chips), then by quantity. known: measured, by quantity.
    """

    measured: Measured
    predicted: Mapping[str, Mapping[str, Floats]]
    known: Mapping[str, Floats]

    @property
    def counted(self) -> Flags:
        """Rows that errors are reported over: neither copies nor known faults."""
        faulty = np.isin(self.measured.fault, (LEFT_OUT, NOT_FITTED))
        return np.asarray(~self.measured.copy & ~faulty)

    def error(self, quantity: str, scope: str) -> Floats:
        """Predicted over measured, less 1; nan where nothing can be compared. [frac]"""
        return np.asarray(self.predicted[scope][quantity] / self.known[quantity] - 1)


def known(held: Measured) -> dict[str, Floats]:
    """What was measured of each row, by quantity."""
    return {**held.rows.measured, "power": held.power_w, "energy": held.energy_j}


def as_csv(held: Study) -> str:
    """The file of a study, four digits a number."""
    columns = {
        f"{scope}_{name}": values
        for scope, answers in {SEEN: held.seen, **held.left}.items()
        for name, values in answers.items()
    }
    table = pd.DataFrame({"id": held.measured.table["id"], **columns})
    return str(table.to_csv(index=False, float_format="%.4g", lineterminator="\n"))


def compared(catalog: Catalog, folder: Path | None = None) -> Compared:
    """The shipped measurements beside the kept predictions.

    Raises:
        PredictError: the kept predictions are of other rows than the measurements.
    """
    held = shipped(catalog)
    path = (folder or catalog_folder() / "measured") / FILE
    table = pd.read_csv(path)
    if list(table["id"]) != list(held.table["id"]):
        raise PredictError(f"{path.name} holds other rows than measured/; run `calibrate` again.")
    predicted = {
        scope: {name: table[f"{scope}_{name}"].to_numpy(float) for name in ANSWERS}
        for scope in ALL_SCOPES
    }
    return Compared(held, predicted, known(held))
