"""Measured points, ready to be compared: the shipped ones or a user's, with their known faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import IO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.errors import PredictError
from planner.evidence import conventions
from planner.evidence.deployments import Described, described
from planner.evidence.fitting import Number, Rows, numbers_to_fit, power_to_fit
from planner.evidence.points import MEASURED, Points, checked, measured_problems, read_points
from planner.facts.catalog import Catalog, catalog_folder
from planner.facts.models import Model

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SERVING, ENERGY, FAULTS = "serving.csv", "energy.csv", "faults.csv"
LEFT_OUT, FIRST_LEFT_OUT, NOT_FITTED = "left out", "first token left out", "not fitted"
ASSUMED = "ASSUMED"
"""Stands in the notes of rows whose input length nobody published."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Points with what was measured.

    rows: for the fit and for comparison, in the order of table. pair: architecture and chip of each
    row. original: place of the row whose measurement it repeats, else its own. fault: treatment of
    a known fault, or "". fit: rows to fit. power_w, energy_j: board power of a chip, and energy of
    an output token, nan where nobody measured them; fit_power: rows to fit the former. numbers,
    power: what is to be fitted.
    """

    table: pd.DataFrame
    rows: Rows
    pair: NDArray[np.object_]
    original: NDArray[np.int64]
    fault: NDArray[np.object_]
    fit: Flags
    power_w: Floats
    energy_j: Floats
    fit_power: Flags
    power_scale: float
    numbers: Mapping[str, Number]
    power: Mapping[str, Number]

    @property
    def copy(self) -> Flags:
        """Rows that repeat the measurement of an earlier one."""
        return np.asarray(self.original != np.arange(len(self.original)))


def shipped(catalog: Catalog) -> Measured:
    """The points of `hardware_catalog/measured/`: serving runs, then energy runs."""
    folder = catalog_folder() / "measured"
    listed = pd.read_csv(folder / FAULTS, dtype=str)
    faults = dict(zip(listed["id"], listed["treatment"], strict=True))
    given = [read_points(folder / name, catalog).given for name in (SERVING, ENERGY)]
    points = checked(pd.concat(given, ignore_index=True).fillna(""), catalog)
    return measured(points, catalog, faults)


def own(path: str | PathLike[str] | IO[str], catalog: Catalog) -> Measured:
    """The points of a user's file.

    Raises:
        PredictError: a row is refused, or measures nothing; one sentence names it.
    """
    points = read_points(path, catalog)
    problems = (points.problems + " " + measured_problems(points)).str.strip()
    wrong = [f"Row {n + 2}: {text}" for n, text in enumerate(problems) if text]
    if wrong:
        raise PredictError(" ".join(wrong[:SHOWN_PROBLEMS]))
    if not points.table[[*MEASURED]].notna().any().any():
        raise PredictError(f"{path} measures nothing; fill one of {', '.join(MEASURED)}.")
    return measured(points, catalog, {})


SHOWN_PROBLEMS = 5


def measured(points: Points, catalog: Catalog, faults: Mapping[str, str]) -> Measured:
    """Rows without problems, described and judged."""
    table = points.table[points.problems == ""].reset_index(drop=True)
    held = described(table, catalog)
    treated = np.array([faults.get(name, "") for name in table["id"]], dtype=object)
    alike = architectures(catalog)
    arch = table["model"].map(alike)
    original = _originals(table, arch, catalog)
    copies = original != np.arange(len(table))
    rows = _rows(table, held, treated, catalog)
    usable = ~copies & ~np.isin(treated, (LEFT_OUT, NOT_FITTED))
    return Measured(
        table=table,
        rows=rows,
        pair=(arch + " " + table["accelerator"]).to_numpy(object),
        original=original,
        fault=treated,
        fit=usable,
        power_w=table["power_w_per_accelerator"].to_numpy(float),
        energy_j=_energy_j(table, rows),
        fit_power=usable & (rows.points.drafts == 0),
        power_scale=catalog.number("fit.scale.power").value,
        numbers=numbers_to_fit(catalog),
        power=power_to_fit(catalog),
    )


def _energy_j(table: pd.DataFrame, rows: Rows) -> Floats:
    """Energy of an output token: reported, else power over the rate."""
    reported = table["energy_j_per_output_token"].to_numpy(float)
    power = table["power_w_per_accelerator"].to_numpy(float)
    return np.where(np.isnan(reported), power / rows.measured["rate"], reported)


def architectures(catalog: Catalog) -> dict[str, str]:
    """The first model with the same dimensions, by model: R1 and V3 run alike."""
    first: dict[object, str] = {}
    return {
        name: first.setdefault(_shape(model), name)
        for name, model in sorted(catalog.models.items())
    }


def _shape(model: Model) -> object:
    return (
        model.n_layers, model.hidden, model.vocab, model.attention, model.dense_ffn,
        model.n_experts, model.n_experts_active, model.expert_ffn, model.checkpoints,
    ) if model.n_layers else model.id  # fmt: skip


def _rows(
    table: pd.DataFrame, held: Described, treated: NDArray[np.object_], catalog: Catalog
) -> Rows:
    points = held.points
    first = table["ttft_s"].mask(treated == FIRST_LEFT_OUT).to_numpy(float)
    scale = catalog.tables["fit"]["scale"]
    assumed = table["notes"].str.contains(ASSUMED).to_numpy(bool)
    plain = (points.load == conventions.CLOSED) & ~assumed
    stretch = np.where(plain, 1.0, scale["looser"].value)
    values = {"tpot": table["tpot_s"].to_numpy(float), "ttft": first, "rate": rates(table, held)}
    known = {name: np.where(column > 0, column, np.nan) for name, column in values.items()}
    return Rows(
        points=points,
        groups=held.groups,
        which=held.which,
        measured=known,
        scale={name: scale[name].value * stretch for name in known},
    )


def rates(table: pd.DataFrame, held: Described) -> Floats:
    """Output tokens/chip [1/s]: reported, else N/(TTFT + (output − 1)·TPOT) of them."""
    reported = table["output_tokens_per_s_per_accelerator"].to_numpy(float)
    answer = held.points.output_tokens
    whole = table["ttft_s"].to_numpy(float) + (answer - 1) * table["tpot_s"].to_numpy(float)
    closed = np.isin(held.points.load, (conventions.CLOSED, conventions.SPLIT))
    little = held.points.requests * answer / whole / held.points.n_accelerators
    return np.where(np.isnan(reported) & closed, little, reported)


def _originals(table: pd.DataFrame, arch: pd.Series, catalog: Catalog) -> NDArray[np.int64]:
    """The row that each row repeats the measurement of; itself where it repeats none."""
    keys = table.assign(model=arch)[list(SAME)]
    near = [(_logarithms(table[f"{name}_s"]), _same(catalog, name)) for name in ("tpot", "ttft")]
    found = np.arange(len(table))
    group = keys.groupby(list(SAME), dropna=False, sort=False).ngroup().to_numpy()
    for number in range(group.max(initial=-1) + 1):
        places = np.flatnonzero(group == number)
        for n, place in enumerate(places[1:], 1):
            same = _repeats(place, places[:n], near)
            found[place] = found[places[:n][same][0]] if same.any() else place
    return found


SAME = (
    "mode", "model", "accelerator", "n_accelerators", "tp", "ep", "attention_dp", "prefill_workers",
    "decode_workers", "prefill_tp", "decode_tp", "prefill_accelerators", "decode_accelerators",
    "decode_attention_dp", "weight_precision", "engine", "input_tokens", "output_tokens",
    "concurrency", "load",
)  # fmt: skip


def _logarithms(times_s: pd.Series) -> Floats:
    return np.asarray(np.log(times_s.where(times_s > 0)), float)


def _same(catalog: Catalog, name: str) -> float:
    return catalog.number(f"fit.copies.{name}_frac").value


def _repeats(place: int, earlier: NDArray[np.int64], near: Sequence[tuple[Floats, float]]) -> Flags:
    """Rows that agree in both times with one row; a first token that one lacks says nothing."""
    (tpot, tpot_within), (ttft, ttft_within) = near
    apart = np.abs(ttft[earlier] - ttft[place])
    first = np.isnan(apart) | (apart < ttft_within)
    return np.asarray(first & (np.abs(tpot[earlier] - tpot[place]) < tpot_within))
