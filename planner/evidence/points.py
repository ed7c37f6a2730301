"""Benchmark points: a CSV read into one table, each row checked, each problem said in a sentence.

A file is refused where it lacks a column that every prediction needs; a row is refused where its
configuration is incomplete or absurd, and the other rows are still answered.
"""

import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from os import PathLike
from typing import IO

import numpy as np
import pandas as pd
from pandas.errors import ParserWarning

from planner.errors import PredictError
from planner.facts.catalog import Catalog
from planner.facts.models import PRECISIONS
from planner.text import given

TEXTS = (
    "id", "source", "source_ref", "date", "mode", "model", "accelerator", "weight_precision",
    "kv_precision", "engine", "engine_version", "load", "spec_decode", "notes",
)  # fmt: skip
LIMITS = {
    **dict.fromkeys(("n_accelerators", "prefill_accelerators", "decode_accelerators"), (1, 1e5)),
    **dict.fromkeys(("tp", "ep", "attention_dp", "pp"), (1, 1024)),
    **dict.fromkeys(("prefill_tp", "prefill_attention_dp", "prefill_ep"), (1, 1024)),
    **dict.fromkeys(("decode_tp", "decode_attention_dp", "decode_ep"), (1, 1024)),
    **dict.fromkeys(("prefill_workers", "decode_workers"), (1, 1e5)),
    **dict.fromkeys(("input_tokens", "output_tokens"), (1, 1e7)),
    "cached_input_tokens": (0, 1e7),
    "concurrency": (1e-3, 1e6),
    "request_rate_per_s": (1e-6, 1e6),
}
"""Least and most of each number of a configuration."""

MEASURED = {
    "ttft_s": (1e-4, 1e4),
    "tpot_s": (1e-5, 2),
    "output_tokens_per_s_per_accelerator": (1e-3, 1e6),
    "power_w_per_accelerator": (1, 1e4),
    "energy_j_per_output_token": (1e-4, 1e5),
}
"""Least and most of each measured number; beyond them the unit is another one."""

CONFIGURATION = (*TEXTS, *LIMITS)
"""The columns that a prediction may read; it never reads a measured one."""

NEEDED = ("model", "accelerator", "input_tokens", "output_tokens")
MODES = MONOLITHIC, DISAGGREGATED, PREFILL_ONLY, DECODE_ONLY = (
    "monolithic", "disaggregated", "prefill_only", "decode_only",
)  # fmt: skip
SHOWN_CHARACTERS = 40
BLANKS = ("", "nan", "NaN", "null", "None")

Found = Iterator[pd.Series]


@dataclass(frozen=True, slots=True)
class Points:
    """The rows of a file.

    given: every column as it was read. table: configuration and measured columns, numbers as
    floats (nan where blank), texts as text ("" where blank). problems: one sentence a row, or "".
    """

    given: pd.DataFrame
    table: pd.DataFrame
    problems: pd.Series


def read_points(source: str | PathLike[str] | IO[str], catalog: Catalog) -> Points:
    """Read a CSV of benchmark points and check its rows.

    Raises:
        PredictError: the file is no CSV with a header, or lacks a needed column.
    """
    try:
        with warnings.catch_warnings():  # Of cells beyond the header, such as a last comma's.
            warnings.simplefilter("ignore", ParserWarning)
            given = pd.read_csv(
                source, dtype=str, keep_default_na=False, skipinitialspace=True, index_col=False
            )
    except (OSError, ValueError) as error:
        raise PredictError(
            f"{source} cannot be read as a CSV in UTF-8 with a header row: {error}."
        ) from error
    return checked(given, catalog, str(source))


def checked(given: pd.DataFrame, catalog: Catalog, place: str = "The table") -> Points:
    """Check the rows of a table that holds text.

    Raises:
        PredictError: a needed column is missing.
    """
    given = given.rename(columns=lambda name: name.strip())
    absent = [name for name in NEEDED if name not in given]
    if absent:
        raise PredictError(
            f"{place} lacks {', '.join(absent)}; needed are the columns {', '.join(NEEDED)}, and "
            "n_accelerators, tp, concurrency and engine where they apply."
        )
    table, problems = _typed(given)
    table["mode"] = table["mode"].where(table["mode"] != "", MONOLITHIC)
    for check in (_unknown, _untimed, _beyond):
        for sentences in check(table, catalog):
            problems = _noted(problems, sentences)
    return Points(given, table, problems)


def measured_problems(points: Points) -> pd.Series:
    """A sentence for each row whose measured numbers are of another unit, negative or absurd."""
    problems = pd.Series("", index=points.table.index, dtype=object)
    for name, (least, most) in MEASURED.items():
        told = points.given[name].str.strip() if name in points.given else pd.Series(dtype=str)
        text = told[~told.isin(BLANKS) & points.table[name].isna()]
        problems = _noted(problems, f"{name}: " + _shown(text) + " is no finite number.")
        hint = " Is it in milliseconds?" if name.endswith("_s") else ""
        sentences = _outside(points.table[name], name, least, most)
        problems = _noted(problems, sentences + hint)
    return problems


def _typed(given: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Numbers as floats and texts as text, and a sentence for each number that is none."""
    problems = pd.Series("", index=given.index, dtype=object)
    columns: dict[str, pd.Series] = {}
    for name in (*CONFIGURATION, *MEASURED):
        raw = given[name].str.strip() if name in given else pd.Series("", index=given.index)
        blank = raw.isin(BLANKS)
        if name in NEEDED:
            problems = _noted(problems, _all(raw[blank], f"{name} is blank; it is needed."))
        if name in TEXTS:
            columns[name] = raw.mask(blank, "")
            continue
        number = pd.to_numeric(raw.mask(blank), errors="coerce").astype(float)
        columns[name] = number.where(np.isfinite(number))
        if name in CONFIGURATION:
            wrong = _shown(raw[columns[name].isna() & ~blank])
            allowed = "write 1024." if name in NEEDED else "write 12.5 or leave it blank."
            sentences = f"{name}: " + wrong + f" is no finite number; {allowed}"
            problems = _noted(problems, sentences)
    return pd.DataFrame(columns), problems


def _noted(problems: pd.Series, sentences: pd.Series) -> pd.Series:
    """Sentences added to the rows that they are of, after what stands there."""
    if sentences.empty:
        return problems
    added = (problems[sentences.index] + " " + sentences).str.strip()
    return added.reindex(problems.index).fillna(problems)


def _shown(texts: pd.Series) -> pd.Series:
    return texts.str.slice(0, SHOWN_CHARACTERS)


def _unknown(table: pd.DataFrame, catalog: Catalog) -> Found:
    """Models, chips, precisions and modes that nobody knows."""
    for name, known in (("model", catalog.models), ("accelerator", catalog.accelerators)):
        wrong = table[name][~table[name].isin(["", *known])]
        hints = {text: _hint(text, known) for text in wrong.unique()}
        yield f"{name}: " + _shown(wrong) + " is not in the catalog" + wrong.map(hints)
    allowed = {"mode": MODES, "weight_precision": PRECISIONS, "kv_precision": PRECISIONS}
    for name, choices in allowed.items():
        wrong = _shown(table[name][~table[name].isin(("", *choices))])
        yield f"{name}: " + wrong + f" is unknown; allowed are {', '.join(choices)}."


def _hint(text: str, known: Collection[str]) -> str:
    """What was probably meant."""
    asked = text.lower()
    close = [name for name in known if asked and (asked in name or name in asked)]
    return f"; did you mean {close[0]}?" if close else "; the Hardware page lists what is."


def _untimed(table: pd.DataFrame, catalog: Catalog) -> Found:
    """Models and chips of which too little is published."""
    chips = {name: chip.why_not("timing") for name, chip in catalog.accelerators.items()}
    models = {name: model.why_not() for name, model in catalog.models.items()}
    for name, reasons in (("accelerator", chips), ("model", models)):
        found = table[name].map(reasons).fillna("")
        yield found[found != ""]


def _beyond(table: pd.DataFrame, _: Catalog) -> Found:
    """Numbers outside their limits, and a prefix that its prompt does not hold."""
    for name, (least, most) in LIMITS.items():
        yield _outside(table[name], name, least, most)
    longer = table["cached_input_tokens"] > table["input_tokens"]
    yield _all(table["id"][longer], "cached_input_tokens: more than input_tokens, its prompt.")


def _all(rows: pd.Series, sentence: str) -> pd.Series:
    """One sentence for each of some rows."""
    return pd.Series(sentence, index=rows.index, dtype=object)


def _outside(number: pd.Series, name: str, least: float, most: float) -> pd.Series:
    wrong = number[(number < least) | (number > most)].map(given).astype(object)
    return f"{name}: " + wrong + f" is outside {given(least)} to {given(most)}."
