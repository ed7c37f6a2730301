"""What the evidence room does for a user: predict a file, fit again, report."""

from os import PathLike
from pathlib import Path

import pandas as pd

from planner.evidence import kept, named, validation
from planner.evidence import predict as predictions
from planner.evidence.calibrate import recalibrated
from planner.evidence.measured import own
from planner.evidence.points import read_points
from planner.facts.catalog import Catalog, load_catalog
from planner.facts.folders import data_folder

SHOWN_ROWS = 5


def predict(
    points: str | PathLike[str], catalog: Catalog | None = None, *, calibration: str = ""
) -> pd.DataFrame:
    """Latency, throughput, power and energy of the rows of a CSV, with their 80 % range.

    calibration: the name of one that `recalibrate` kept; "": the shipped one.

    Raises:
        PredictError: the file cannot be read or lacks a needed column; rows are refused one by one,
            in the column `refused`.
    """
    held = catalog or load_catalog()
    if calibration:
        held = named.with_named(held, calibration, _folder())
    return predictions.predict(read_points(points, held), held)


def answered(answer: pd.DataFrame) -> str:
    """How many rows were answered, and why the first of the others were not."""
    return predictions.summary(answer, SHOWN_ROWS)


def recalibrate(points: str | PathLike[str], name: str = "") -> Path:
    """Move the shipped calibration towards a user's own points and keep it under a name.

    name: "" takes that of the file. Returns: where it is kept.

    Raises:
        PredictError: a row is refused or measures nothing.
    """
    catalog = load_catalog()
    found = recalibrated(own(points, catalog), catalog)
    return named.keep(found, name or Path(points).stem, _folder())


def calibrate(date: str) -> str:
    """Fit the shipped points, write calibration.toml and predictions.csv. Returns: the errors."""
    found = named.rebuild(load_catalog(), date)
    lines = (
        f"{quantity:8}" + "".join(f"  {scope} {error:.1%}" for scope, error in errors.items())
        for quantity, errors in found.errors.items()
    )
    return "\n".join(lines)


def check_calibration() -> None:
    """Fit the shipped points again. Raises: PredictError where calibration.toml is another fit."""
    named.check(load_catalog())


def validation_report() -> str:
    """The validation report in Markdown, from what `calibrate` kept."""
    catalog = load_catalog()
    return validation.report(kept.compared(catalog), catalog)


def parity_plot() -> bytes:
    """The validation report's figure as PNG."""
    from planner.evidence.parity import parity_png  # noqa: PLC0415 - Matplotlib only when drawn

    catalog = load_catalog()
    held = kept.compared(catalog)
    chips = held.measured.table["accelerator"]
    families = chips.map({name: chip.family for name, chip in catalog.accelerators.items()})
    return parity_png(held, families.to_numpy(object))


def _folder() -> Path:
    return data_folder() / "calibrations"
