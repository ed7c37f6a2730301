"""Rows of a benchmark file as a user would write them, and what the planner says of them."""

import pandas as pd

from planner.evidence.deployments import described
from planner.evidence.points import checked, read_points
from planner.evidence.predict import predict
from planner.facts.catalog import catalog_folder, load_catalog

CATALOG = load_catalog()
MEASURED = catalog_folder() / "measured"
RATE = "predicted_output_tokens_per_s_per_accelerator"
ROW = {
    "model": "llama-3.1-70b",
    "accelerator": "h100-sxm",
    "n_accelerators": "8",
    "tp": "8",
    "weight_precision": "fp8",
    "engine": "vllm",
    "engine_version": "0.12.0",
    "input_tokens": "1000",
    "output_tokens": "200",
    "concurrency": "32",
}
SPLIT = {
    "mode": "disaggregated",
    "n_accelerators": "16",
    "prefill_workers": "2",
    "prefill_tp": "4",
    "decode_workers": "1",
    "decode_tp": "8",
}


def given(*rows):
    """A table of text: each row is ROW with some cells changed."""
    return pd.DataFrame([ROW | row for row in rows]).fillna("")


def read(*rows):
    return checked(given(*rows), CATALOG)


def typed(*rows):
    """Rows that are fine, as numbers and texts."""
    points = read(*rows)
    assert list(points.problems[points.problems != ""]) == []
    return points.table


def deployed(*rows):
    return described(typed(*rows), CATALOG).points


def answers(*rows, catalog=CATALOG):
    return predict(checked(given(*rows), catalog), catalog)


def answer(catalog=CATALOG, **cells):
    """What is predicted of one row."""
    return answers(cells, catalog=catalog).iloc[0]


def problem(**cells):
    """The sentence about one row."""
    return read(cells).problems.iloc[0]


def shipped_rows(*names):
    """The rows of measured files as they are given; all of them where none is named."""
    tables = [
        read_points(MEASURED / name, CATALOG).given
        for name in names or ("serving.csv", "energy.csv")
    ]
    return pd.concat(tables, ignore_index=True).fillna("")
