"""Closed form against simulation over random pools.

`python -m tests.oracle.comparison` prints hardware_catalog/measured/simulated.csv anew (`make
oracle`, some ten minutes); the validation report sets our formulas beside it.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from planner.load import queueing
from planner.load.lengths import length_quantile_frac
from tests.oracle import cases

TARGETS = {
    "ttft_mean_s": 0.05,
    "ttft_quantile_s": 0.15,
    "tpot_mean_s": 0.05,
    "tpot_quantile_s": 0.10,
    "itl_quantile_s": 0.15,
}
SEED, N_CASES, N_REQUESTS, N_RUNS = 2027, 240, 60_000, 4


def predicted_prefill(case: cases.Prefill) -> tuple[float, dict[str, float]]:
    """Excesses of wait and service over their means add as squares."""
    rate = case.load * queueing.prefill_pool_saturation_per_s(case.service_mean_s, case.n_servers)
    pool = queueing.prefill_pool(
        rate, case.service_mean_s, case.service_scv, case.n_servers, arrival_scv=case.arrival_scv
    )
    mean_s = pool.wait_mean_s + case.service_mean_s
    longer_s = case.service_mean_s * (length_quantile_frac(np.array(case.service_scv), 0.99) - 1)
    tail_s = np.hypot(max(pool.wait_quantile_s - pool.wait_mean_s, 0), longer_s)
    return float(rate), {"ttft_mean_s": mean_s, "ttft_quantile_s": float(mean_s + tail_s)}


def predicted_decode(case: cases.Decode) -> tuple[float, dict[str, float]]:
    rate = case.load * queueing.decode_pool_saturation_per_s(case.tokens, case.step_s[1:])
    pool = queueing.decode_pool(rate, case.tokens, case.step_s[1:], output_scv=case.scv)
    return float(rate), _values(pool)


def predicted_chunked(case: cases.Both) -> tuple[float, dict[str, float]]:
    lengths = case.prompt, case.output
    shape = case.decode_s, case.mixed_s, case.chunk
    rate = case.load * queueing.chunked_saturation_per_s(
        *lengths, *shape, input_scv=case.prompt_scv
    )
    lengths = case.prompt, case.prompt_scv, case.output
    replica = queueing.chunked_replica(rate, *lengths, *shape, output_scv=case.output_scv)
    return float(rate), _values(replica)


def predicted_priority(case: cases.Both) -> tuple[float, dict[str, float]]:
    per_token = cases.prefill_s_per_token(case)
    rate = case.load * queueing.prefill_priority_saturation_per_s(
        case.prompt, case.output, case.decode_s, per_token
    )
    lengths = case.prompt, case.prompt_scv, case.output
    shape = case.decode_s, per_token
    replica = queueing.prefill_priority_replica(rate, *lengths, *shape, output_scv=case.output_scv)
    return float(rate), _values(replica)


def _values(result: object) -> dict[str, float]:
    return {name: getattr(result, name) for name in TARGETS if hasattr(result, name)}


KINDS: dict[str, tuple[Callable, Callable, Callable]] = {
    "prefill pool": (cases.prefill_case, cases.simulated_prefill, predicted_prefill),
    "decode pool": (cases.decode_case, cases.simulated_decode, predicted_decode),
    "chunked replica": (cases.both_case, cases.simulated_chunked, predicted_chunked),
    "prefill-priority replica": (cases.both_case, cases.simulated_priority, predicted_priority),
}


@dataclass(frozen=True)
class Compared:
    """One case: relative errors and relative standard errors of the simulation, by quantity."""

    case: object
    error: dict[str, float]
    noise: dict[str, float]


def compared(kind: str, seed: int, n_requests: int, n_runs: int, index: int) -> Compared:
    make, simulate, predict = KINDS[kind]
    case = make(np.random.default_rng([seed, index]))
    rate, predicted = predict(case)
    runs = [
        simulate(case, rate, n_requests, np.random.default_rng([seed, index, run]))
        for run in range(n_runs)
    ]
    error, noise = {}, {}
    for name, value in predicted.items():
        shown = np.array([run[name] for run in runs])
        error[name] = value / shown.mean() - 1
        noise[name] = float(shown.std() / shown.mean() / np.sqrt(max(n_runs - 1, 1)))
    return Compared(case, error, noise)


def errors(rows: list[Compared], name: str) -> np.ndarray:
    return np.array([row.error[name] for row in rows])


def within(rows: list[Compared], name: str) -> float:
    """Share of the cases within the target."""
    return float(np.mean(np.abs(errors(rows, name)) <= TARGETS[name]))


def as_row(kind: str, index: int) -> dict[str, object]:
    """One case with what the simulation shows of it: a row of measured/simulated.csv."""
    make, simulate, predict = KINDS[kind]
    case = make(np.random.default_rng([SEED, index]))
    rate, names = predict(case)
    runs = [
        simulate(case, rate, N_REQUESTS, np.random.default_rng([SEED, index, run]))
        for run in range(N_RUNS)
    ]
    row = {"pool": kind, "case": index, "runs": N_RUNS, "requests": N_REQUESTS}
    row |= {"requests_per_s": rate, **cases.columns(case)}
    for name in names:
        shown = np.array([run[name] for run in runs])
        row[name] = shown.mean()
        noise = shown.std() / shown.mean() / np.sqrt(N_RUNS - 1)
        row[f"{name.removesuffix('_s')}_noise_frac"] = noise
    return row


def main() -> None:
    """Print the file; progress goes to the error stream."""
    rows = []
    with ProcessPoolExecutor(2) as workers:
        for kind in KINDS:
            rows += workers.map(partial(as_row, kind), range(N_CASES), chunksize=4)
            sys.stderr.write(f"{kind} done\n")
    table = pd.DataFrame(rows)
    table.to_csv(sys.stdout, index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    main()
