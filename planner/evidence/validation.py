"""The validation report: errors of the model against measurements, from what `calibrate` kept.

After the reports that NREL publishes for SAM: data and their faults, method, errors by every split
that a reader may ask for, and where the model is weak. `python -m planner validate` writes it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from planner.evidence import board, board_report, conventions, simulated
from planner.evidence.calibrate import CENTRAL_80
from planner.evidence.kept import Compared
from planner.evidence.measured import ASSUMED
from planner.evidence.predict import calibration_of
from planner.evidence.tables import (
    SPLITS,
    WORDS,
    by_chip,
    by_pair,
    by_split,
    markdown,
    number_table,
    weakest,
)
from planner.facts.calibration import SCOPES, Calibration
from planner.facts.catalog import Catalog
from planner.text import given, number, percent

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

N_DRAWS = 1000
SEED = 0


@dataclass(frozen=True, slots=True)
class Target:
    """A line of the headline table: what is compared, on which rows, and what must be reached."""

    label: str
    quantity: str
    rows: Flags
    rows_frac: float
    pairs_frac: float
    peer: str


def report(held: Compared, catalog: Catalog) -> str:
    """The whole report in Markdown."""
    calibration = calibration_of(catalog)
    parts = (
        _opening(held, calibration),
        _headline(held, catalog),
        _coverage(held),
        PARITY,
        _faults(held),
        *(by_split(held, title, key) for title, key in SPLITS.items()),
        by_pair(held),
        by_chip(held),
        _weak(held, catalog),
        board_report.section(board.read(), catalog),
        simulated.section(simulated.read(), catalog),
        number_table(calibration),
    )
    return "\n".join(parts)


def _opening(held: Compared, calibration: Calibration) -> str:
    table = held.measured.table
    serving = int((~table["source"].str.contains("ML.ENERGY")).sum())
    return OPENING.read_text(encoding="utf-8").format(
        date=calibration.date,
        serving=number(serving, place=0),
        energy=number(len(table) - serving, place=0),
        fitted=number(held.measured.fit.sum(), place=0),
        copies=number(held.measured.copy.sum(), place=0),
        pairs=len(set(held.measured.pair[held.measured.fit])),
        chips=table["accelerator"].nunique(),
        models=table["model"].nunique(),
        effects=sum(len(g) for n in calibration.numbers.values() for g in n.effects.values()),
        numbers=len(calibration.numbers),
    )


OPENING = Path(__file__).with_suffix(".md")
"""What the report says before its tables."""

WEAK_SPOTS = Path(__file__).with_name("weak_spots.md")
"""What is known of the largest errors."""

PARITY = """
## Predicted over measured

Each row once, predicted by a fit that never saw its pair of model and chip; dotted: twice and half.

![Four panels on logarithmic axes: most points lie near the diagonal.](validation.png)
"""


def _weak(held: Compared, catalog: Catalog) -> str:
    rows = catalog.number("fit.validation.weak_rows").value
    frac = catalog.number("fit.validation.weak_frac").value
    said = WEAK_SPOTS.read_text(encoding="utf-8").format(rows=given(rows), frac=percent(frac))
    return said + weakest(held, rows, frac)


def _headline(held: Compared, catalog: Catalog) -> str:
    head = (
        "\n## Against the targets\n\n"
        "Median absolute error; in brackets the 80 % interval when whole pairs are drawn again.\n\n"
    )
    rows = [
        (
            each.label,
            number(np.isfinite(held.error(each.quantity, "rows")[each.rows]).sum(), place=0),
            each.peer,
            _with_interval(held, each, "rows"),
            percent(each.rows_frac),
            _with_interval(held, each, "pairs"),
            percent(each.pairs_frac),
            percent(_median(held.error(each.quantity, "chips")[each.rows])),
        )
        for each in targets(held, catalog)
    ]
    columns = (
        "quantity", "rows", "peer", "unseen rows", "target", "unseen pairs", "target",
        "unseen chips",
    )  # fmt: skip
    return head + markdown(columns, rows)


def targets(held: Compared, catalog: Catalog) -> list[Target]:
    """The targets of the model's specification, with the rows that each is about."""
    table, load = held.measured.table, held.measured.rows.points.load
    plain = held.counted & (load == conventions.CLOSED)
    plain &= ~table["notes"].str.contains(ASSUMED).to_numpy(bool)
    reported = table["output_tokens_per_s_per_accelerator"].notna().to_numpy()
    split = held.counted & (load == conventions.SPLIT)

    def one(label: str, name: str, quantity: str, rows: Flags) -> Target:
        goal = catalog.tables["fit"]["accuracy"][name]
        peer = percent(goal["peer_frac"].value) if "peer_frac" in goal else "no data"
        return Target(
            label, quantity, rows, goal["rows_frac"].value, goal["pairs_frac"].value, peer
        )

    return [
        one("time per output token", "tpot", "tpot", plain),
        one("time to first token", "ttft", "ttft", plain),
        one("output tokens/s per chip", "rate", "rate", plain),
        one("disaggregated: tokens/s per chip", "split", "rate", split & reported),
        one("J per output token", "energy", "energy", held.counted),
    ]


def _with_interval(held: Compared, each: Target, scope: str) -> str:
    error = np.abs(held.error(each.quantity, scope))
    usable = each.rows & np.isfinite(error)
    low, high = drawn_again(error[usable], held.measured.pair[usable])
    return f"{percent(_median(error[usable]))} ({percent(low)} to {percent(high)})"


def drawn_again(error: Floats, pair: NDArray[np.object_]) -> tuple[float, float]:
    """10th and 90th percentile of the median when pairs are drawn with replacement. [frac]"""
    rng = np.random.default_rng(SEED)
    groups = [error[pair == name] for name in sorted(set(pair))]
    medians = [
        np.median(np.concatenate([groups[k] for k in rng.integers(0, len(groups), len(groups))]))
        for _ in range(N_DRAWS)
    ]
    low, high = np.quantile(medians, CENTRAL_80)
    return float(low), float(high)


def _median(error: Floats) -> float:
    return float(np.nanmedian(np.abs(error)))


def _coverage(held: Compared) -> str:
    head = (
        "\n## Do the 80 % intervals hold?\n\n"
        "Share of unseen measurements inside an interval taken from the other half of the pairs "
        "(75 to 85 % is asked).\n\n"
    )
    rows = [
        (WORDS[quantity], *(percent(covered(held, quantity, scope)) for scope in SCOPES))
        for quantity in WORDS
    ]
    return head + markdown(("quantity", *(f"unseen {scope}" for scope in SCOPES)), rows)


def covered(held: Compared, quantity: str, scope: str) -> float:
    """Share of measurements inside the central 80 % of the errors of other pairs. [frac]"""
    ratio = np.log1p(held.error(quantity, scope))
    usable = held.counted & np.isfinite(ratio)
    names = sorted(set(held.measured.pair[usable]))
    half = {name: n % 2 for n, name in enumerate(names)}
    side = np.array([half.get(name, 0) for name in held.measured.pair])
    inside = []
    for own in (0, 1):
        low, high = np.quantile(ratio[usable & (side != own)], CENTRAL_80)
        mine = ratio[usable & (side == own)]
        inside += list((mine >= low) & (mine <= high))
    return float(np.mean(inside))


def _faults(held: Compared) -> str:
    head = (
        "\n## Known faults of the data\n\n"
        "`hardware_catalog/measured/faults.csv` lists each row and its reason; none is dropped "
        "silently. Errors on unseen rows, with them and without:\n\n"
    )
    everything = ~held.measured.copy
    with_copies = np.ones(len(everything), bool)
    rows = [
        (
            WORDS[quantity],
            percent(_median(held.error(quantity, "rows")[held.counted])),
            percent(_median(held.error(quantity, "rows")[everything])),
            percent(_median(held.error(quantity, "rows")[with_copies])),
        )
        for quantity in WORDS
    ]
    columns = ("quantity", "as reported here", "faulty rows included", "copies included too")
    return head + markdown(columns, rows)
