"""Measured beside predicted as tables for a reader, from what `calibrate` kept."""

import pandas as pd

from planner.evidence import board, kept
from planner.evidence.kept import ALL_SCOPES, Compared
from planner.evidence.tables import WORDS
from planner.evidence.validation import covered
from planner.facts.calibration import SCOPES
from planner.facts.catalog import Catalog, load_catalog

UNITS = {"tpot": "s", "ttft": "s", "rate": "tokens/s a chip", "power": "W", "energy": "J"}
UNSEEN = "pairs"
"""What a parity plot shows: predictions by a fit that saw nothing of that model on that chip."""


def against_measured(catalog: Catalog | None = None) -> dict[str, pd.DataFrame]:
    """Every counted measurement with its predictions, and how well they agree.

    Returns: points: quantity, id, model, chip, engine, source, measured, and predicted by a fit
    that had seen the row, or not the row, the pair, the chip. agreement: quantity, words, unit,
    rows, by scope the median error and the share inside the 80 % range, and the range itself as
    measured over predicted where the pair was not seen.
    """
    facts = catalog or load_catalog()
    held = kept.compared(facts)
    parts = [_points(held, quantity, facts) for quantity in WORDS]
    rows = [_agreement(held, quantity, facts) for quantity in WORDS]
    return {"points": pd.concat(parts, ignore_index=True), "agreement": pd.DataFrame(rows)}


def _points(held: Compared, quantity: str, catalog: Catalog) -> pd.DataFrame:
    table, rows = held.measured.table, held.measured.rows
    chips, models = catalog.accelerators, catalog.models
    found = pd.DataFrame(
        {
            "quantity": quantity,
            "id": table["id"],
            "model": table["model"].map({name: each.name for name, each in models.items()}),
            "chip": table["accelerator"].map({name: each.name for name, each in chips.items()}),
            "engine": [rows.groups[n]["engine"] for n in rows.which],
            "source": table["source"],
            "measured": held.known[quantity],
            **{scope: held.predicted[scope][quantity] for scope in ALL_SCOPES},
        }
    )
    usable = held.counted & found[["measured", UNSEEN]].notna().all(axis=1)
    return found[usable & (found[["measured", UNSEEN]] > 0).all(axis=1)]


def _agreement(held: Compared, quantity: str, catalog: Catalog) -> dict[str, object]:
    errors = {scope: pd.Series(held.error(quantity, scope)[held.counted]) for scope in SCOPES}
    band = catalog.calibration.bands[quantity][UNSEEN] if catalog.calibration else None
    return {
        "quantity": quantity,
        "words": WORDS[quantity],
        "unit": UNITS[quantity],
        "rows": int(errors[UNSEEN].notna().sum()),
        **{f"error_{scope}_frac": float(error.abs().median()) for scope, error in errors.items()},
        **{f"inside_{scope}_frac": covered(held, quantity, scope) for scope in SCOPES},
        "low_frac": band.low_frac if band else None,
        "high_frac": band.high_frac if band else None,
    }


def accuracy(points: pd.DataFrame, by: str) -> pd.DataFrame:
    """Median errors by model, chip or engine, the largest group first.

    points: of one quantity, as from `against_measured`. Returns: name, rows, bias_frac (with its
    sign, rows seen), and error_frac by what the fit had not seen.
    """
    error = points[[*ALL_SCOPES]].div(points["measured"], axis=0) - 1
    found = error.abs().groupby(points[by]).median().add_prefix("error_").add_suffix("_frac")
    found.insert(0, "bias_frac", error[kept.SEEN].groupby(points[by]).median())
    found.insert(0, "rows", points.groupby(by).size())
    return found.sort_values("rows", ascending=False).reset_index(names="name")


def board_steps(catalog: Catalog | None = None) -> pd.DataFrame:
    """Steps on one H100, metered, beside ours: phase, id, batch, context, seconds and watts."""
    facts = catalog or load_catalog()
    held = board.beside(board.read(), facts)
    names = ["phase", "id", "batch", "context_tokens", "prompt_tokens", "step_s", "ours_s"]
    names += ["time_error_frac", "power_w", "ours_w", "power_error_frac"]
    models = held["model"].map({name: each.name for name, each in facts.models.items()})
    return held[names].assign(model=models).reset_index(drop=True)
