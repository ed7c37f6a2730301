"""Large, realistic request logs for benchmarks: seeded, written piece by piece.

    python benchmarks/request_log.py log.parquet --rows 50000000 --seed 0

Three classes on two models (chat, code, long documents) with lognormal lengths, shared prefixes,
latencies, a daily swing of the rate and short bursts on top of it. Memory stays bounded.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

ROWS_A_PIECE = 1_000_000
START_US = 1_750_000_000_000_000
DAY_S = 86_400
BURST_S = 20


@dataclass(frozen=True, slots=True)
class Kind:
    """One workload class: its share of requests and the moments of its lognormal lengths."""

    name: str
    model: str
    share_frac: float
    input_tokens: float
    input_scv: float
    output_tokens: float
    output_scv: float
    cached_frac: float


KINDS = (
    Kind("chat", "llama-3.3-70b", 0.60, 1155, 0.9, 211, 0.6, 0.35),
    Kind("code", "llama-3.3-70b", 0.35, 2048, 0.9, 28, 4.6, 0.55),
    Kind("long_documents", "deepseek-v3", 0.05, 40_000, 0.5, 800, 0.8, 0.10),
)


def pieces(rows: int, seed: int = 0, requests_per_s: float = 50.0) -> Iterator[pa.Table]:
    """Tables of at most a million requests in time order; the same seed gives the same log."""
    random = np.random.default_rng(seed)
    elapsed_s = 0.0
    for first in range(0, rows, ROWS_A_PIECE):
        n = min(ROWS_A_PIECE, rows - first)
        at_s = elapsed_s + np.cumsum(_gaps_s(random, n, requests_per_s, elapsed_s))
        elapsed_s = float(at_s[-1])
        yield _piece(random, at_s)


def _gaps_s(random: np.random.Generator, n: int, per_s: float, start_s: float) -> np.ndarray:
    """Gaps between arrivals: exponential, at a rate with a daily swing and short bursts."""
    mean_s = start_s + np.arange(n) / per_s
    daily = 1 + 0.5 * np.sin(2 * np.pi * mean_s / DAY_S)
    burst = random.gamma(2.0, 0.5, size=int(n / per_s / BURST_S) + 2)
    level = burst[((mean_s - start_s) // BURST_S).astype(np.int64)] + 0.05
    return random.exponential(1 / per_s, n) / (daily * level)


def _piece(random: np.random.Generator, at_s: np.ndarray) -> pa.Table:
    """The requests that arrive at the given times."""
    n = len(at_s)
    kind = random.choice(len(KINDS), n, p=[k.share_frac for k in KINDS])
    input_tokens = _lengths(random, kind, [(k.input_tokens, k.input_scv) for k in KINDS])
    output_tokens = _lengths(random, kind, [(k.output_tokens, k.output_scv) for k in KINDS])
    cached_frac = np.array([k.cached_frac for k in KINDS])[kind] * random.uniform(0, 2, n)
    ttft_s = 0.05 + input_tokens * 5e-5 * random.lognormal(0, 0.5, n)
    latency_s = ttft_s + output_tokens * 0.03 * random.lognormal(0, 0.3, n)
    dictionary = pa.array(np.arange(len(KINDS))[kind].astype(np.int8))
    return pa.table(
        {
            "timestamp": pa.array(START_US + (at_s * 1e6).astype(np.int64), pa.timestamp("us")),
            "model": pa.DictionaryArray.from_arrays(dictionary, [k.model for k in KINDS]).cast(
                pa.string()
            ),
            "class": pa.DictionaryArray.from_arrays(dictionary, [k.name for k in KINDS]).cast(
                pa.string()
            ),
            "prompt_tokens": input_tokens.astype(np.int32),
            "completion_tokens": output_tokens.astype(np.int32),
            "cached_tokens": (input_tokens * np.minimum(cached_frac, 0.99)).astype(np.int32),
            "ttft_s": np.round(ttft_s, 4),
            "latency_s": np.round(latency_s, 4),
        }
    )


def _lengths(
    random: np.random.Generator, kind: np.ndarray, moments: list[tuple[float, float]]
) -> np.ndarray:
    """Lognormal token counts with the mean and SCV of each request's kind, at least 1."""
    mean, scv = np.array(moments)[kind].T
    sigma = np.sqrt(np.log1p(scv))
    lengths = random.lognormal(np.log(mean) - sigma**2 / 2, sigma)
    return np.maximum(1, lengths).astype(np.int64)


def write(path: Path, rows: int, seed: int = 0) -> None:
    """A log as Parquet or CSV, by the ending of its name."""
    schema = next(pieces(1)).schema
    csv = path.suffix == ".csv"
    writer = pa.csv.CSVWriter(path, schema) if csv else pa.parquet.ParquetWriter(path, schema)
    with writer:
        for piece in pieces(rows, seed):
            writer.write_table(piece)


def main() -> None:
    """Write a log from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write(options.path, options.rows, options.seed)


if __name__ == "__main__":
    main()
