"""Where latency departs as requests in flight grow: measured runs against ours."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.evidence.measured import SERVING
from planner.evidence.points import checked, read_points
from planner.evidence.predict import RATE, predict
from planner.evidence.studies.rows import Row, published, tolerance
from planner.facts.catalog import Catalog, catalog_folder

Floats = NDArray[np.float64]
MEASURED_RATE = RATE.removeprefix("predicted_")


def saturation(catalog: Catalog) -> Iterator[Row]:
    """Knee and throughput beyond it of Llama-3.3-70B on two H100, in flight from 1 to 250."""
    study = published(catalog, "knee")
    runs = _runs(catalog, study["told_by"])
    answer = predict(checked(runs, catalog), catalog)
    in_flight = runs["concurrency"].astype(float).to_numpy()
    before, after = study["last_before"].value, study["first_after"].value
    told, ours = (
        knee(in_flight, answer[name].to_numpy(float), before, after)
        for name in ("ttft_s", "predicted_ttft_s")
    )
    source, allowed = f"{study['model']} on two {study['chip']}", tolerance(catalog, "phase")
    note = study["note"]
    yield Row(source, "requests in flight at the knee", told, ours, "1", allowed, note)
    full = in_flight >= after
    told, ours = (
        float(answer[name].to_numpy(float)[full].mean()) for name in (MEASURED_RATE, RATE)
    )
    allowed, note = tolerance(catalog, "latency"), study["note_rate"]
    yield Row(source, "output beyond the knee", told, ours, "tokens/s/chip", allowed, note)


def knee(in_flight: Floats, first_s: Floats, before: float, after: float) -> float:
    """Requests in flight [1] at which the line of waits leaves the last first token before it.

    The line is the least squares of first tokens from `after` requests in flight on; beyond full
    places each request waits one turn of them more, so it is straight.
    """
    waiting = in_flight >= after
    slope_s, start_s = np.polyfit(in_flight[waiting], first_s[waiting], 1)
    return float((first_s[in_flight == before][0] - start_s) / slope_s)


def _runs(catalog: Catalog, told_by: str) -> Any:
    """The measured rows of one source, as text, in the order of requests in flight."""
    given = read_points(catalog_folder() / "measured" / SERVING, catalog).given
    own = given[given["source"] == told_by].fillna("")
    order = pd.to_numeric(own["concurrency"]).sort_values().index
    return own.loc[order].apply(lambda column: column.astype(str))
