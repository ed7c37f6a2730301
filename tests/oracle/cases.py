"""Random serving pools at 20–85 % load, and their simulation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.oracle import simulator
from tests.oracle.measure import measured, measured_waits

LOADS = (0.2, 0.85)
SCVS = (0.0, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Prefill:
    """Prompts on c servers. Times [s]."""

    load: float
    service_mean_s: float
    service_scv: float
    n_servers: int
    arrival_scv: float


@dataclass(frozen=True)
class Decode:
    """A decode pool; step_s over b = 0…B, bent as `step_curve` says."""

    load: float
    tokens: float
    scv: float
    step_s: np.ndarray
    bend: float = 1.0


@dataclass(frozen=True)
class Both:
    """A replica doing both phases; step curves over b = 0…B, chunk_s beside every batch."""

    load: float
    prompt: float
    prompt_scv: float
    output: float
    output_scv: float
    decode_s: np.ndarray
    mixed_s: np.ndarray
    chunk: int
    bend: float = 1.0


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """One draw, uniform in the logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def step_curve(
    rng: np.random.Generator, batch_cap: int, steepest: float
) -> tuple[np.ndarray, float]:
    """Over b = 0…B: a floor of 5–30 ms meeting a line, by a p-norm, t(B)/t(1) up to `steepest`;
    and the p of that norm."""
    rise = log_uniform(rng, 1.1, steepest)
    bend = rng.choice([1.0, 2.0, 4.0])
    line = np.linspace(0, (rise**bend - 1) ** (1 / bend), batch_cap + 1)
    return log_uniform(rng, 0.005, 0.03) * (1 + line**bend) ** (1 / bend), float(bend)


def prefill_case(rng: np.random.Generator) -> Prefill:
    return Prefill(
        load=rng.uniform(*LOADS),
        service_mean_s=log_uniform(rng, 0.02, 2),
        service_scv=rng.choice(SCVS),
        n_servers=round(log_uniform(rng, 1, 64)),
        arrival_scv=float(rng.choice([1.0, 1.0, 0.5, 2.0, 4.0])),
    )


def decode_case(rng: np.random.Generator) -> Decode:
    load, tokens, scv = rng.uniform(*LOADS), log_uniform(rng, 30, 1000), rng.choice(SCVS)
    return Decode(load, tokens, scv, *step_curve(rng, round(log_uniform(rng, 8, 256)), 8))


def both_case(rng: np.random.Generator) -> Both:
    decode_s, bend = step_curve(rng, round(log_uniform(rng, 16, 256)), 4)
    return Both(
        load=rng.uniform(*LOADS),
        prompt=log_uniform(rng, 100, 8000),
        prompt_scv=rng.choice(SCVS),
        output=log_uniform(rng, 20, 600),
        output_scv=rng.choice(SCVS),
        decode_s=decode_s,
        mixed_s=decode_s + decode_s[0] * log_uniform(rng, 0.5, 6),
        chunk=int(rng.choice([256, 512, 1024, 2048])),
        bend=bend,
    )


def columns(case: Prefill | Decode | Both) -> dict[str, float]:
    """A case as columns of measured/simulated.csv."""
    if isinstance(case, Prefill):
        return vars(case)
    if isinstance(case, Decode):
        lengths = {"output_tokens": case.tokens, "output_scv": case.scv}
        return {"load": case.load, **lengths, **_curve(case.step_s, case.bend)}
    return {
        "load": case.load,
        "input_tokens": case.prompt,
        "input_scv": case.prompt_scv,
        "output_tokens": case.output,
        "output_scv": case.output_scv,
        "chunk_tokens": case.chunk,
        **_curve(case.decode_s, case.bend),
        "chunk_s": case.mixed_s[0] - case.decode_s[0],
    }


def _curve(step_s: np.ndarray, bend: float) -> dict[str, float]:
    """A curve of `step_curve` by its parameters."""
    rise = step_s[-1] / step_s[0]
    curve = {"step_floor_s": step_s[0], "step_rise": rise, "step_bend": bend}
    return {"batch_cap": len(step_s) - 1, **curve}


def cases(make: Callable[[np.random.Generator], object], n: int, seed: int = 0) -> list:
    """`n` cases, each from its own stream so that the list only grows."""
    return [make(np.random.default_rng([seed, i])) for i in range(n)]


def simulated_prefill(
    case: Prefill, rate: float, n: int, rng: np.random.Generator
) -> dict[str, float]:
    """Times to first token: wait and own service."""
    arrivals = simulator.renewal_arrivals_s(rate, case.arrival_scv, n, rng)
    service = simulator.lognormal(case.service_mean_s, case.service_scv, n, rng)
    first = simulator.multi_server(arrivals, service, case.n_servers) + service
    return {name.replace("wait", "ttft"): value for name, value in measured_waits(first).items()}


def simulated_decode(
    case: Decode, rate: float, n: int, rng: np.random.Generator
) -> dict[str, float]:
    arrivals = simulator.poisson_arrivals_s(rate, n, rng)
    tokens = simulator.lognormal_lengths(case.tokens, case.scv, n, rng)
    step = case.step_s.tolist()
    return measured(simulator.decode_pool(arrivals, tokens, step, len(step) - 1))


def simulated_chunked(
    case: Both, rate: float, n: int, rng: np.random.Generator
) -> dict[str, float]:
    curves = case.decode_s.tolist(), case.mixed_s.tolist()
    return measured(simulator.chunked_replica(*_drawn(case, rate, n, rng), *curves, case.chunk))


def simulated_priority(
    case: Both, rate: float, n: int, rng: np.random.Generator
) -> dict[str, float]:
    drawn, per_token = _drawn(case, rate, n, rng), prefill_s_per_token(case)
    return measured(simulator.prefill_priority_replica(*drawn, case.decode_s.tolist(), per_token))


def prefill_s_per_token(case: Both) -> float:
    """A whole prompt costs per token what a chunk beside no decode does."""
    return float(case.mixed_s[0] / case.chunk)


def _drawn(case: Both, rate: float, n: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return (
        simulator.poisson_arrivals_s(rate, n, rng),
        simulator.lognormal_lengths(case.prompt, case.prompt_scv, n, rng),
        simulator.lognormal_lengths(case.output, case.output_scv, n, rng),
    )
