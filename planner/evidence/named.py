"""Calibrations kept under a name: the shipped one, and those of users beside it."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

from planner.errors import PredictError
from planner.evidence.calibrate import calibration, study
from planner.evidence.calibration_file import as_toml, without_date
from planner.evidence.fitting import straight
from planner.evidence.kept import FILE, as_csv
from planner.facts.calibration import FILE as CALIBRATION
from planner.facts.calibration import Calibration, calibration_from
from planner.facts.catalog import Catalog, catalog_folder

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
TOLERANCE = 0.02
"""How far a fit on another machine may end from the shipped one, on the scale of a number's law."""


def keep(held: Calibration, name: str, folder: Path) -> Path:
    """Write a calibration under a name into a folder. Returns: its file.

    Raises:
        PredictError: the name would not make a file name.
    """
    path = path_of(name, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_toml(held), encoding="utf-8")
    return path


def with_named(catalog: Catalog, name: str, folder: Path) -> Catalog:
    """The catalog with a kept calibration in place of the shipped one.

    Raises:
        PredictError: there is none of that name.
        CatalogError: the file was damaged.
    """
    path = path_of(name, folder)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        held = ", ".join(sorted(each.stem for each in folder.glob("*.toml"))) or "none"
        raise PredictError(f"There is no calibration {name!r}; kept are: {held}.") from None
    except (OSError, ValueError) as error:
        raise PredictError(f"Calibration {name!r} cannot be read: {error}.") from error
    return replace(catalog, calibration=calibration_from(table, catalog.sources))


def path_of(name: str, folder: Path) -> Path:
    """The file of a name. Raises: PredictError where the name would not make one."""
    if not NAME.fullmatch(name):
        raise PredictError(f"{name!r} cannot name a calibration; use letters, digits, - and _.")
    return folder / f"{name}.toml"


def rebuild(catalog: Catalog, date: str, folder: Path | None = None) -> Calibration:
    """Fit the shipped points again and write the calibration and its predictions.

    A fit that ends where the last one did keeps its date, so that the file stays byte for byte.
    """
    root = folder or catalog_folder()
    held = study(catalog)
    found = calibration(held, catalog, date)
    path = root / CALIBRATION
    new, old = as_toml(found), path.read_text(encoding="utf-8") if path.exists() else ""
    if without_date(new) != without_date(old):
        path.write_text(new, encoding="utf-8")
    (root / "measured" / FILE).write_text(as_csv(held), encoding="utf-8")
    return found


def check(catalog: Catalog) -> None:
    """Fit the shipped points again and compare with the shipped calibration.

    Raises:
        PredictError: a number lies elsewhere than the fit, and which.
    """
    shipped, found = catalog.calibration, calibration(study(catalog), catalog, "")
    if shipped is None:
        raise PredictError("The catalog holds no calibration.toml; `calibrate` makes one.")
    wrong = differing(shipped, found)
    if wrong:
        raise PredictError(f"calibration.toml is not the fit of measured/: {wrong} differs.")


def differing(a: Calibration, b: Calibration) -> str:
    """The first number or effect that lies apart in two calibrations, or ""."""
    for name in sorted({*a.numbers, *b.numbers}):
        if name not in a.numbers or name not in b.numbers:
            return name
        one, other = _flat(a, name), _flat(b, name)
        for key in sorted({*one, *other}):
            if abs(one.get(key, 0.0) - other.get(key, 0.0)) > TOLERANCE:
                return f"{name}, {' '.join(key) or 'value'},"
    return ""


def _flat(held: Calibration, name: str) -> dict[tuple[str, str], float]:
    """Effects of a number, and its whole relative to itself, by level and group."""
    number = held.numbers[name]
    effects = {
        (level, group): effect.value
        for level, groups in number.effects.items()
        for group, effect in groups.items()
    }
    return {("", ""): straight(number.law, number.whole.value), **effects}
