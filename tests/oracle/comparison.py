"""Closed form against simulation over random pools.

`python -m tests.oracle.comparison > docs/queueing_sweep.md` renews that page (some ten minutes).
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

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


def table(kind: str, rows: list[Compared]) -> Iterator[str]:
    """One row per quantity: errors over all cases beside the noise of the simulation."""
    for name in rows[0].error:
        error, bias = np.abs(errors(rows, name)), np.median(errors(rows, name))
        noise = np.quantile([row.noise[name] for row in rows], 0.9)
        yield (
            f"| {kind} | `{name}` | ≤ {TARGETS[name]:.0%} | {within(rows, name):.0%}"
            f" | {bias:+.1%} | {np.median(error):.1%} | {np.quantile(error, 0.9):.1%}"
            f" | {error.max():.0%} | {noise:.1%} |"
        )


def misses(kind: str, rows: list[Compared], n: int = 3) -> Iterator[str]:
    """The worst cases of each quantity, and what they are."""
    for name in rows[0].error:
        for index in np.argsort(-np.abs(errors(rows, name)))[:n]:
            row = rows[index]
            if abs(row.error[name]) > TARGETS[name]:
                yield (
                    f"| {kind} | `{name}` | {row.error[name]:+.0%} | ±{row.noise[name]:.0%}"
                    f" | {_described(row.case)} |"
                )


def _described(case: object) -> str:
    shown = {name: value for name, value in vars(case).items() if np.ndim(value) == 0}
    curves = {
        name: f"{value[1] * 1e3:.0f}…{value[-1] * 1e3:.0f} ms over {len(value) - 1}"
        for name, value in vars(case).items()
        if np.ndim(value) == 1
    }
    return ", ".join(f"{name} {value:.3g}" for name, value in shown.items()) + "".join(
        f", {name} {value}" for name, value in curves.items()
    )


INTRO = """# Percentiles under load: closed form against simulation

`planner.load.queueing` against the iteration-level simulator of `tests/oracle/simulator.py`, which
shares no code with it and is itself checked against textbook queues. This page is printed by
`python -m tests.oracle.comparison`; `make sweep` tests the shares on other cases, and the everyday
suite holds ordinary pools to the targets one by one.

Each kind of pool meets {n} random cases (seed {seed}) at 20–85 % of its capacity, {runs} runs of
{requests:,} requests each: batches up to 8–256, steps that grow up to eightfold (decode) or
fourfold (replicas) over the batch, straight or bent, prompts of 100–8,000 tokens in chunks of
256–2,048, answers of 20–600, lengths constant to SCV 2, chunks that cost half to six idle steps,
1–64 prefill servers, arrivals of SCV 0.5–4. The formulas were developed on cases of other seeds.

*within*: share of the cases within the target; *bias*: median signed error; *median*, *90 % below*,
*worst*: size of the error; *noise*: relative standard error of the simulated value that 90 % of
cases stay below. Errors include that noise. Prefill pools are judged by wait and service together.

"""
CAUSES = """
## Where it misses, and why

- **Short batches near 85 % load** (some 20 places): the wait for a place is a rare event that the
  simulation itself knows to 5–10 %, and clusters of prompts that are stopped by the full batch are
  described only through a dispersion.
- **Prefill-priority with more than half of the time in prompts** and short answers: a stall then
  holds tens of prompts, ends when the batch is full, and a request's own time per token is mostly
  its first stall. Mean and p99 are too high there, on the safe side; below half the targets hold.
- **Steep steps under long prompts**: the batch grows while a prompt is under way and the step with
  it; the coupling is carried to first order.
- **Gaps between tokens with whole prompts** jump where one gap in a hundred holds a stall; near
  that jump a small error in the chance is a large one in the quantile.
- **Non-Poisson arrivals** enter by their SCV alone; gamma interarrivals are simulated here.

## The worst cases
"""


def main() -> None:
    """Print the page; progress goes to the error stream."""
    summary, worst = [], []
    with ProcessPoolExecutor(2) as workers:
        for kind in KINDS:
            run = partial(compared, kind, SEED, N_REQUESTS, N_RUNS)
            rows = list(workers.map(run, range(N_CASES), chunksize=4))
            summary += table(kind, rows)
            worst += misses(kind, rows)
            sys.stderr.write(f"{kind} done\n")
    sys.stdout.write(INTRO.format(n=N_CASES, seed=SEED, runs=N_RUNS, requests=N_REQUESTS))
    sys.stdout.write("\n".join([*HEAD, *summary, CAUSES, *WORST, *worst, ""]))


HEAD = (
    "| pool | quantity | target | within | bias | median | 90 % below | worst | noise (90 %) |",
    "|---|---|---|---|---|---|---|---|---|",
)
WORST = ("| pool | quantity | error | noise | case |", "|---|---|---|---|---|")

if __name__ == "__main__":
    main()
