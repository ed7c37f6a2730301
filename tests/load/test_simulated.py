"""Closed form against simulation on random pools at 20–85 % load.

Every day a few ordinary cases against the targets; `make sweep` runs hundreds of extreme ones;
`make oracle` simulates others at four times the length for the table in docs/validation.md.
"""

import numpy as np
import pytest

from tests.oracle import cases, simulator
from tests.oracle.comparison import (
    KINDS,
    TARGETS,
    compared,
    errors,
    predicted_chunked,
    predicted_decode,
    predicted_priority,
    within,
)
from tests.oracle.measure import measured

N = 40_000


def steps(batch_cap, floor_s, rise):
    return floor_s * (1 + rise * np.arange(batch_cap + 1) / batch_cap)


def ordinary(load, prompt, output, batch_cap, chunk):
    """Chat-like lengths on a step that doubles to the cap, a chunk costing two idle steps."""
    decode_s = steps(batch_cap, 0.015, 1.0)
    return cases.Both(load, prompt, 1.0, output, 0.6, decode_s, decode_s + 0.03, chunk)


CHAT = [
    ordinary(0.3, 1155, 211, 128, 512),
    ordinary(0.5, 1155, 211, 128, 512),
    ordinary(0.7, 1155, 211, 64, 1024),
    ordinary(0.8, 500, 300, 96, 512),
    ordinary(0.6, 4000, 150, 64, 1024),
    ordinary(0.7, 2048, 60, 64, 2048),
]
DECODE = [
    cases.Decode(load, tokens, scv, steps(cap, 0.01, rise))
    for load, tokens, scv, cap, rise in [
        (0.3, 200, 1.0, 128, 1.0),
        (0.5, 200, 0.0, 64, 4.0),
        (0.7, 500, 1.0, 256, 2.0),
        (0.8, 100, 2.0, 48, 3.0),
        (0.85, 300, 0.5, 32, 1.0),
    ]
]
GRID = [
    *((case, cases.simulated_decode, predicted_decode) for case in DECODE),
    *((case, cases.simulated_chunked, predicted_chunked) for case in CHAT),
    *((case, cases.simulated_priority, predicted_priority) for case in CHAT),
]


@pytest.mark.parametrize(("case", "simulate", "predict"), GRID)
def test_an_ordinary_pool_is_predicted_within_the_targets(case, simulate, predict):
    rate, predicted = predict(case)
    runs = [simulate(case, rate, N, np.random.default_rng([11, run])) for run in range(2)]
    for name, value in predicted.items():
        shown = np.mean([run[name] for run in runs])
        assert value == pytest.approx(shown, rel=TARGETS[name]), name


def test_waits_for_a_place_are_predicted():
    """A short batch at 80 %: the wait beyond the iteration under way, by length variation."""
    step_s = steps(10, 0.01, 0.5)
    for scv in (0.0, 1.0, 2.0):
        case = cases.Decode(0.8, 200, scv, step_s)
        rate, _ = predicted_decode(case)
        pool = predicted_pool(case, rate)
        waits = [
            cases.simulated_decode(case, rate, 2 * N, np.random.default_rng([12, run]))
            for run in range(4)
        ]
        mean_s = np.mean([run["wait_mean_s"] for run in waits]) - pool.join_mean_s
        late_s = np.mean([run["wait_quantile_s"] for run in waits])
        assert pool.wait_mean_s == pytest.approx(mean_s, rel=0.2)
        assert pool.wait_quantile_s == pytest.approx(late_s, rel=0.2)


def predicted_pool(case, rate):
    from planner.load.queueing import decode_pool

    return decode_pool(rate, case.tokens, case.step_s[1:], output_scv=case.scv)


@pytest.mark.parametrize("load", [1.05, 1.5])
def test_what_is_called_unstable_never_settles(load):
    """Above capacity the time to first token keeps growing in the simulation."""
    case = CHAT[2]
    rate = load * predicted_chunked(case)[0] / case.load
    rng = np.random.default_rng(13)
    drawn = (
        simulator.poisson_arrivals_s(rate, N, rng),
        simulator.lognormal_lengths(case.prompt, case.prompt_scv, N, rng),
        simulator.lognormal_lengths(case.output, case.output_scv, N, rng),
    )
    curves = case.decode_s.tolist(), case.mixed_s.tolist()
    served = simulator.chunked_replica(*drawn, *curves, case.chunk)
    early, late = np.split(served.first_s[: N // 2 * 2], 2)
    assert late.mean() > 2 * early.mean()
    assert measured(served)["ttft_mean_s"] > 100 * case.decode_s[-1]


SHARES = {
    "prefill pool": {"ttft_mean_s": 0.93, "ttft_quantile_s": 0.93},
    "decode pool": {"tpot_mean_s": 0.99, "tpot_quantile_s": 0.97},
    "chunked replica": {
        "ttft_mean_s": 0.92,
        "ttft_quantile_s": 0.90,
        "tpot_mean_s": 0.95,
        "tpot_quantile_s": 0.92,
        "itl_quantile_s": 0.92,
    },
    "prefill-priority replica": {
        "ttft_mean_s": 0.86,
        "ttft_quantile_s": 0.86,
        "tpot_mean_s": 0.93,
        "tpot_quantile_s": 0.91,
        "itl_quantile_s": 0.91,
    },
}


@pytest.mark.sweep
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_hundreds_of_random_pools_keep_to_the_targets(kind):
    """Shares of 200 cases within the targets, simulation noise included; typical errors small."""
    rows = [compared(kind, 7, N, 2, index) for index in range(200)]
    for name, share in SHARES[kind].items():
        assert within(rows, name) >= share, name
        assert np.median(np.abs(errors(rows, name))) <= TARGETS[name] / 2, name
