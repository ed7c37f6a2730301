"""What benchmark files leave unsaid: engines by many names, precisions, drafts, lengths, loads.

Each rule stands in `engines.toml` with its source; here it is only applied, a column at a time.
"""

import re
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.evidence.points import DECODE_ONLY, DISAGGREGATED, PREFILL_ONLY
from planner.facts.catalog import Catalog
from planner.facts.units import MONTHS_PER_YEAR

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CLOSED, OFFLINE, BATCH, STATIC, OPEN, SPLIT, PREFILL, DECODE = (
    "closed", "offline", "batch", "static", "open", "split", "prefill", "decode",
)  # fmt: skip
"""How the load is applied: a fixed number in flight; as many as fit; so many at once; one batch,
phases apart; a rate; a closed loop on split pools; either phase alone."""

_WORDS = ((STATIC, "static"), (BATCH, "offline fixed"), (OFFLINE, "offline"), (OPEN, "open"))
_MODES = {DISAGGREGATED: SPLIT, PREFILL_ONLY: PREFILL, DECODE_ONLY: DECODE}
_SENT = re.compile(r"(\d+)[ \w]* prompts")
_YEAR = re.compile(r"(20\d\d)(?:-(\d\d))?")
_DRAFTS = re.compile(r"mtp(\d)")


def engines(called: pd.Series, catalog: Catalog) -> pd.Series:
    """The engine behind each name; "" for one that nobody knows."""
    known = {
        name: table["names"]
        for name, table in catalog.tables["engines"].items()
        if isinstance(table, dict) and "names" in table
    }

    def one(text: str) -> str:
        lower = text.lower()
        matches = (name for name, parts in known.items() if any(part in lower for part in parts))
        return next(matches, "")

    return _each(called, one)


def weight_precisions(table: pd.DataFrame, catalog: Catalog) -> pd.Series:
    """As stated, else the precision that the model is published in."""
    native = {name: model.native_precision for name, model in catalog.models.items()}
    stated = table["weight_precision"]
    return stated.where(stated != "", table["model"].map(native))


def cache_precisions(
    table: pd.DataFrame, engine: pd.Series, weights: pd.Series, catalog: Catalog
) -> pd.Series:
    """As stated, else what the engine does on that family of chips."""
    rules: Any = catalog.tables["engines"]["cache_precision"]
    family = {name: chip.family for name, chip in catalog.accelerators.items()}
    narrow = pd.Series(
        [
            family.get(chip, "") in rules.get(name, [])
            for chip, name in zip(table["accelerator"], engine, strict=True)
        ],
        index=table.index,
    )
    usual = pd.Series("bf16", index=table.index).mask(
        narrow & (weights != "bf16"), rules["stored_as"]
    )
    return table["kv_precision"].where(table["kv_precision"] != "", usual)


def releases(table: pd.DataFrame) -> pd.Series:
    """Half-year of the run, from its date or its engine's version; "" where neither says."""
    said = table["date"].where(table["date"] != "", table["engine_version"])
    return _each(said, _release)


@cache
def _release(said: str) -> str:
    found = _YEAR.search(said)
    if not found:
        return ""
    year, month = found.groups()
    return f"{year}H{1 + (2 * int(month) > MONTHS_PER_YEAR)}" if month else year


def loads(table: pd.DataFrame) -> NDArray[np.str_]:
    """How the load of each row is applied."""
    by_words = _each(table["load"], _load)
    rated = table["concurrency"].isna() & table["request_rate_per_s"].notna()
    plain = by_words.mask(rated & (by_words == CLOSED), OPEN)
    return plain.mask(table["mode"].isin(list(_MODES)), table["mode"].map(_MODES)).to_numpy(str)


def _load(said: str) -> str:
    lower = said.lower()
    return next((kind for kind, words in _WORDS if lower.startswith(words)), CLOSED)


def requests(table: pd.DataFrame) -> Floats:
    """Requests in flight; one for a single stream, nan where nobody says."""
    single = table["load"].str.lower() == "single stream"
    return table["concurrency"].mask(single & table["concurrency"].isna(), 1.0).to_numpy(float)


def requests_sent(table: pd.DataFrame) -> Floats:
    """Prompts of a run that ends, where its load says so; else nan. [1]"""
    return _each(table["load"], _sent).to_numpy(float)


@cache
def _sent(said: str) -> float:
    found = _SENT.search(said)
    return float(found[1]) if found else float("nan")


def drawn(table: pd.DataFrame, catalog: Catalog) -> Flags:
    """Whether lengths are drawn from a range below the nominal one, as InferenceX does."""
    rules: Any = catalog.tables["engines"]["benchmarks"]
    pattern = "|".join(map(re.escape, rules["drawn_sources"]))
    lengths = (
        table["input_tokens"].map("{:g}".format) + "/" + table["output_tokens"].map("{:g}".format)
    )
    by_source = table["source"].str.contains(pattern)
    return np.asarray(by_source | lengths.isin(rules["drawn_lengths"]), bool)


def drafts(table: pd.DataFrame, engine: pd.Series, catalog: Catalog) -> Floats:
    """Tokens drafted for each step, where a row says so or its deployment is known to. [1]"""
    rules: Any = catalog.tables["engines"]
    unstated = rules["drafts"]["unstated"].value
    said = _each(table["spec_decode"], lambda text: _stated_drafts(text, unstated))
    for rule in rules["drafting"]:
        fits = (
            (table["spec_decode"].isin(["", "unknown"]))
            & (engine == rule["engine"])
            & (table["engine_version"] == rule["version"])
            & (table["date"] >= rule["from_date"])
            & table["model"].str.contains(rule["models"])
        )
        said = said.mask(fits, rule["drafts"].value)
    return said.to_numpy(float)


def _stated_drafts(text: str, unstated: float) -> float:
    found = _DRAFTS.search(text.lower())
    if found:
        return float(found[1])
    return unstated if text.lower().startswith(("mtp", "eagle", "draft")) else 0.0


def gained(n_drafts: Floats, catalog: Catalog) -> Floats:
    """Tokens [1] that a step with drafts yields; more drafts than were measured yield no more."""
    table: Any = catalog.tables["software"]["speculative"]
    measured = [1.0]
    while f"drafts_{len(measured)}_tokens_per_step" in table:
        measured.append(table[f"drafts_{len(measured)}_tokens_per_step"].value)
    steps = np.array(measured, float)
    return np.asarray(steps[np.minimum(n_drafts, len(measured) - 1).astype(int)])


def _each(column: pd.Series, one: Any) -> pd.Series:
    """A function of each distinct text."""
    return column.map({text: one(text) for text in column.unique()})
