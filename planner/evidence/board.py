"""Steps of serving on one H100, timed and metered kernel by kernel, and ours beside them.

`measured/h100_bench.csv` is written by `benchmarks/gpu`. Nothing was fitted to it: its rows check
the step times of `physics.phases` without an engine around them, and the law of power.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.evidence.predict import calibration_of
from planner.evidence.watts import idle_and_tdp_w
from planner.facts.catalog import Catalog, catalog_folder
from planner.fleet.watts import POWER_NUMBERS
from planner.physics.efficiency import efficiency, groups, model_kind
from planner.physics.layout import Layout
from planner.physics.machines import Machine, assembled, sheet
from planner.physics.phases import step_time
from planner.physics.power import activity_frac, chip_draw_w, work_rate
from planner.physics.profile import profile
from planner.physics.transformer import mixed_work

Floats = NDArray[np.float64]

FILE = "h100_bench.csv"
CHIP, PRECISION = "h100-sxm", "bf16"
PREFILL, MIXED, DECODE = PHASES = "prefill", "mixed", "decode"
HOST = (
    "launch_layer_s", "launch_expert_layer_s", "iteration_overhead_s", "sequence_overhead_s",
)  # fmt: skip
"""What a step costs beyond its kernels; a recorded graph has none of it."""


def read(folder: Path | None = None) -> pd.DataFrame:
    """The measured cases, a row each; zeros where nothing was computed or moved."""
    held = pd.read_csv((folder or catalog_folder() / "measured") / FILE)
    counts = ["flop", "moved_bytes", "cache_bytes"]
    return held.assign(**held[counts].fillna(0.0), at_power_limit=held["at_power_limit"] == 1)


def beside(held: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """The steps of a model with ours beside them.

    ours_s: of the kernels alone. ours_w: draw at the measured pace. time_error_frac,
    power_error_frac: ours over measured, less 1.
    """
    steps = held[held["phase"].isin(PHASES) & (held["busy_frac"] == 1)]
    parts = [
        rows.assign(ours_s=_kernels_s(rows, catalog))
        for _, rows in steps.groupby(["model", "tp"], sort=False)
    ]
    found = pd.concat(parts)
    found["ours_w"] = ours_w(found, catalog)
    found["time_error_frac"] = found["ours_s"] / found["step_s"] - 1
    found["power_error_frac"] = found["ours_w"] / found["power_w"] - 1
    return found


def ours_w(rows: pd.DataFrame, catalog: Catalog) -> Floats:
    """Our draw of a chip that computes and moves what the rows do, in the time they took. [W]"""
    idle, tdp = idle_and_tdp_w(pd.Series([CHIP]), catalog)
    numbers = calibration_of(catalog).numbers
    rate = work_rate(
        rows["flop"] / rows["step_s"] / rows["precision"].fillna(PRECISION).map(peaks(catalog)),
        rows["moved_bytes"] / rows["step_s"],
        tdp - idle,
        0.0,
        **{name: numbers[name].whole.value for name in POWER_NUMBERS},
    )
    return chip_draw_w(idle, tdp, activity_frac(rate, catalog.number("power.bend_order").value))


def idle_w(catalog: Catalog) -> float:
    """Draw at rest as plans take it. [W]"""
    return float(idle_and_tdp_w(pd.Series([CHIP]), catalog)[0][0])


def peaks(catalog: Catalog) -> dict[str, float]:
    """Peak arithmetic by precision. [FLOP/s]"""
    return {name: rate.value for name, rate in catalog.accelerators[CHIP].flop_per_s.items()}


def awake_w(held: pd.DataFrame) -> pd.Series:
    """Draw of each run's board with its clock up and nothing to do, aligned with the rows. [W]"""
    found = held[held["kernel"] == "awake"].set_index("run")["power_w"]
    return held["run"].map(found)


def mixed_by_time(held: pd.DataFrame) -> pd.DataFrame:
    """Steps with pauses between them, with what their time alone says of their draw.

    busy: share of the time, from the same step without pauses. mixed_w: resting and busy draw in
    proportion.
    """
    paused = held["busy_frac"] < 1
    rows = held[paused].assign(awake_w=awake_w(held)[paused])
    rows["id"] = rows["id"].str.rsplit("-", n=1).str[0]
    both = rows.merge(
        held[["id", "run", "step_s", "power_w"]], on=["id", "run"], suffixes=("", "_busy")
    )
    busy = both["step_s_busy"] / both["step_s"]
    mixed_w = both["awake_w"] + busy * (both["power_w_busy"] - both["awake_w"])
    return both.assign(busy=busy, mixed_w=mixed_w)


def _kernels_s(rows: pd.DataFrame, catalog: Catalog) -> Floats:
    """Our steps of one model, without what host and links add, which the measurements lack. [s]

    The cache holds the step's own token already, so that one less is context.
    """
    model = catalog.models[rows["model"].iloc[0]]
    batch, context, prompt = (
        rows[name].to_numpy(float) for name in ("batch", "context_tokens", "prompt_tokens")
    )
    held = profile(model, PRECISION, PRECISION)
    work = mixed_work(held, batch, np.maximum(context - 1, 0), prompt, 0.0, chunks=prompt > 0)
    layout = Layout(tp=float(rows["tp"].iloc[0]))
    found = step_time(held, _machine(model_kind(model), catalog), layout, work)
    return np.asarray(found.total_s - found.link_s)


def _machine(kind: str, catalog: Catalog) -> Machine:
    """The chip as plans take it, on no engine in particular, without a host."""
    chip, calibration = catalog.accelerators[CHIP], calibration_of(catalog)
    at = groups(kind, chip, PRECISION, release=calibration.latest_release)
    reached = efficiency(lambda name: calibration.numbers[name].at(at))
    alone = replace(reached, **dict.fromkeys(HOST, 0.0))
    return assembled(sheet(chip, PRECISION, lambda name: catalog.fact(name).value), alone)
