"""Percentiles under load: our closed forms beside simulated pools, kept with the measurements.

`measured/simulated.csv` holds random pools and what an iteration-level simulator, which shares no
code with us, shows of them; ours is computed anew whenever it is compared.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.evidence.tables import markdown
from planner.facts.catalog import Catalog, catalog_folder
from planner.load import queueing
from planner.load.lengths import length_quantile_frac
from planner.text import number, percent

Floats = NDArray[np.float64]

FILE = "simulated.csv"
PREFILL, DECODE, CHUNKED, PRIORITY = POOLS = (
    "prefill pool", "decode pool", "chunked replica", "prefill-priority replica",
)  # fmt: skip
QUANTITIES = {
    "ttft_mean_s": "mean TTFT",
    "ttft_quantile_s": "p99 TTFT",
    "tpot_mean_s": "mean TPOT",
    "tpot_quantile_s": "p99 TPOT",
    "itl_quantile_s": "p99 gap",
}
PERCENTILES = 0.5, 0.9, 0.99
MIDDLE, MOST, LATE = PERCENTILES
N_WORST = 2


@dataclass(frozen=True, slots=True)
class Beside:
    """One quantity of one kind of pool: ours over simulated less 1, and the noise of simulation."""

    pool: str
    quantity: str
    target_frac: float
    error_frac: Floats
    noise_frac: Floats
    rows: pd.DataFrame

    @property
    def within_frac(self) -> float:
        """Share of the cases within the target."""
        return float(np.mean(np.abs(self.error_frac) <= self.target_frac))


def read(folder: Path | None = None) -> pd.DataFrame:
    """The simulated pools: a row each, with what the simulator shows and its relative noise."""
    return pd.read_csv((folder or catalog_folder() / "measured") / FILE)


def beside(held: pd.DataFrame, catalog: Catalog) -> Iterator[Beside]:
    """Ours beside each simulated quantity of each kind of pool."""
    goals = catalog.tables["fit"]["queueing"]
    for pool in POOLS:
        rows = held[held["pool"] == pool].reset_index(drop=True)
        ours = predicted(pool, rows)
        for quantity in QUANTITIES:
            if quantity in ours:
                yield Beside(
                    pool,
                    quantity,
                    goals[quantity.removesuffix("_s") + "_frac"].value,
                    ours[quantity] / rows[quantity].to_numpy(float) - 1,
                    rows[f"{quantity.removesuffix('_s')}_noise_frac"].to_numpy(float),
                    rows,
                )


def predicted(pool: str, rows: pd.DataFrame) -> dict[str, Floats]:
    """Ours of pools of one kind, by quantity."""
    found = _FORMS[pool](rows)
    if isinstance(found, queueing.PrefillPool):
        return _first_tokens(rows, found)
    return {name: getattr(found, name) for name in QUANTITIES if hasattr(found, name)}


def _prefill(rows: pd.DataFrame) -> queueing.PrefillPool:
    names = ("requests_per_s", "service_mean_s", "service_scv", "n_servers")
    return queueing.prefill_pool(
        *(rows[name].to_numpy(float) for name in names),
        arrival_scv=rows["arrival_scv"].to_numpy(float),
        quantile=LATE,
    )


def _first_tokens(rows: pd.DataFrame, pool: queueing.PrefillPool) -> dict[str, Floats]:
    """Wait and own service; their excesses over the means add as squares."""
    service_s, scv = (rows[name].to_numpy(float) for name in ("service_mean_s", "service_scv"))
    mean_s = pool.wait_mean_s + service_s
    longer_s = service_s * (length_quantile_frac(scv, np.asarray(LATE)) - 1)
    tail_s = np.maximum(pool.wait_quantile_s - np.asarray(pool.wait_mean_s), 0)
    return {"ttft_mean_s": mean_s, "ttft_quantile_s": mean_s + np.hypot(tail_s, longer_s)}


def _decode(rows: pd.DataFrame) -> queueing.DecodePool:
    return queueing.decode_pool(
        rows["requests_per_s"].to_numpy(float),
        rows["output_tokens"].to_numpy(float),
        _steps_s(rows)[:, 1:],
        output_scv=rows["output_scv"].to_numpy(float),
        quantile=LATE,
    )


def _chunked(rows: pd.DataFrame) -> queueing.Replica:
    rate, prompts, scv, answers = _requests(rows)
    decode_s = _steps_s(rows)
    return queueing.chunked_replica(
        rate,
        prompts,
        scv,
        answers,
        decode_s,
        decode_s + rows["chunk_s"].to_numpy(float)[:, None],
        rows["chunk_tokens"].to_numpy(float),
        output_scv=rows["output_scv"].to_numpy(float),
        quantile=LATE,
    )


def _priority(rows: pd.DataFrame) -> queueing.Replica:
    """A prompt by itself costs per token what a full chunk beside no decode does."""
    per_token_s = (rows["step_floor_s"] + rows["chunk_s"]) / rows["chunk_tokens"]
    rate, prompts, scv, answers = _requests(rows)
    return queueing.prefill_priority_replica(
        rate,
        prompts,
        scv,
        answers,
        _steps_s(rows),
        per_token_s.to_numpy(float),
        output_scv=rows["output_scv"].to_numpy(float),
        quantile=LATE,
    )


_FORMS: dict[str, Callable[[pd.DataFrame], object]] = {
    PREFILL: _prefill,
    DECODE: _decode,
    CHUNKED: _chunked,
    PRIORITY: _priority,
}


def _requests(rows: pd.DataFrame) -> Iterator[Floats]:
    for name in ("requests_per_s", "input_tokens", "input_scv", "output_tokens"):
        yield rows[name].to_numpy(float)


def _steps_s(rows: pd.DataFrame) -> Floats:
    """Steps over b = 0…B: a floor that meets a line by a p-norm; +inf beyond the batch cap. [s]."""
    names = ("batch_cap", "step_floor_s", "step_rise", "step_bend")
    cap, floor_s, rise, bend = (rows[name].to_numpy(float)[:, None] for name in names)
    batch = np.arange(cap.max() + 1)
    line = batch / cap * (rise**bend - 1) ** (1 / bend)
    steps: Floats = np.where(batch <= cap, floor_s * (1 + line**bend) ** (1 / bend), np.inf)
    return steps


def section(held: pd.DataFrame, catalog: Catalog) -> str:
    """The section of the validation report about percentiles under load."""
    compared = list(beside(held, catalog))
    said = SAID.read_text(encoding="utf-8").format(
        n=len(held) // len(POOLS),
        runs=int(held["runs"].iloc[0]),
        requests=number(held["requests"].iloc[0], place=0),
    )
    opening, causes = said.split("<!-- table -->")
    return f"\n{opening}{_table(compared)}{causes}{_worst(compared)}"


SAID = Path(__file__).with_suffix(".md")
"""What the section says before its table, and of what misses."""


def _table(compared: list[Beside]) -> str:
    columns = (
        "pool", "quantity", "target", "within", "bias", "median", "90 % below", "worst", "noise",
    )  # fmt: skip
    rows = []
    for each in compared:
        size = np.abs(each.error_frac)
        rows.append(
            (
                each.pool,
                QUANTITIES[each.quantity],
                percent(each.target_frac),
                percent(each.within_frac),
                percent(float(np.median(each.error_frac)), place=PLACES, signed=True),
                *(_tenths(np.quantile(size, level)) for level in (MIDDLE, MOST)),
                percent(float(size.max())),
                _tenths(np.quantile(each.noise_frac, MOST)),
            )
        )
    return markdown(columns, rows)


PLACES = -3


def _tenths(frac: np.floating[Any]) -> str:
    """A fraction as per cent, in tenths of one."""
    return percent(float(frac), place=PLACES)


def _worst(compared: list[Beside]) -> str:
    """The largest errors beyond a target, and what pools they are of."""
    rows = []
    for each in compared:
        for place in np.argsort(-np.abs(each.error_frac))[:N_WORST]:
            if abs(each.error_frac[place]) > each.target_frac:
                error = percent(float(each.error_frac[place]), signed=True)
                noise = percent(float(each.noise_frac[place]))
                case = _described(each.rows.iloc[place])
                rows.append((each.pool, QUANTITIES[each.quantity], error, noise, case))
    return markdown(("pool", "quantity", "error", "noise", "case"), rows)


def _described(row: pd.Series) -> str:
    told = {word: row[name] for name, word in TOLD.items() if not pd.isna(row[name])}
    return ", ".join(f"{word} {value:.3g}" for word, value in told.items())


TOLD = {
    "load": "load",
    "n_servers": "servers",
    "arrival_scv": "arrivals SCV",
    "service_scv": "service SCV",
    "input_tokens": "prompts",
    "input_scv": "of SCV",
    "output_tokens": "answers",
    "output_scv": "their SCV",
    "chunk_tokens": "chunks",
    "batch_cap": "batch",
    "step_floor_s": "step s",
    "step_rise": "times",
}
