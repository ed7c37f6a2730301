"""Speed of predictions for benchmark rows on this machine: `make bench`."""

import pandas as pd

import planner
from planner.facts.catalog import catalog_folder

TIMES = 10


def test_thirty_thousand_rows(benchmark, tmp_path):
    """The measured rows ten times over, read, checked and answered: target 20,000 rows/s."""
    catalog = planner.load_catalog()
    rows = pd.read_csv(catalog_folder() / "measured" / "serving.csv", dtype=str)
    file = tmp_path / "points.csv"
    pd.concat([rows] * TIMES).to_csv(file, index=False)

    answer = benchmark.pedantic(
        planner.predict, (file, catalog), rounds=5, warmup_rounds=1, iterations=1
    )

    benchmark.extra_info["rows_per_s"] = len(answer) / benchmark.stats["median"]
    assert len(answer) == TIMES * len(rows)
