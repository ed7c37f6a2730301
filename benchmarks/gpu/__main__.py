"""Time and board power of each phase of serving on one CUDA device.

    python -m benchmarks.gpu FOLDER [--run 1] [--limit-s 300] [--tiny]

writes FOLDER/h100_bench.csv, a row a case, and FOLDER/samples.csv, what the board showed. Needs
PyTorch, Triton and NVML (nvidia-ml-py). Random weights and inputs; nothing of the board is set.
--tiny tries every line on a CPU. What the rows mean: `hardware_catalog/measured/README.md`.
"""

import argparse
import csv
import sys
import time
import traceback
from pathlib import Path

import torch

from benchmarks.gpu import kernels
from benchmarks.gpu.cases import Case, cases
from benchmarks.gpu.meter import NAMES, Board, Reading, repeat, rest

ASKED = (
    "phase", "kernel", "model", "tp", "precision", "batch", "context_tokens", "prompt_tokens",
    "rows", "n_programs", "busy_frac", "flop", "moved_bytes", "cache_bytes",
)  # fmt: skip
SEEN = (
    "step_s", "step_p10_s", "step_p90_s", "n_steps", "power_w", "average_w", "instant_w",
    "sm_clock_hz", "memory_clock_hz", "temperature_c", "at_power_limit",
)  # fmt: skip
REST_S = 3.0


def main() -> None:
    """Run every case that the time allows and write each as soon as it is done."""
    options = _options()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    options.folder.mkdir(parents=True, exist_ok=True)
    start, board = time.perf_counter(), Board()
    with (
        (options.folder / "h100_bench.csv").open("w", newline="") as table,
        (options.folder / "samples.csv").open("w", newline="") as samples,
    ):
        kept = csv.writer(table), csv.writer(samples), options.run
        kept[0].writerow(("id", "run", *ASKED, *SEEN))
        kept[1].writerow(("id", *NAMES))
        _say(board.about(), torch.__version__)
        _write(kept, Case("rest", "no context", None), rest(board, REST_S))
        if device == "cuda":
            torch.zeros(1, device=device)
            _say(torch.cuda.get_device_name(), kernels.check(device))
        for case in cases(device, tiny=options.tiny):
            if time.perf_counter() - start > options.limit_s:
                _say("out of time")
                break
            _one(kept, case, board, options)
            table.flush()
            del case  # a step holds the memory of its model
            if device == "cuda":
                torch.cuda.empty_cache()


def _one(kept: tuple, case: Case, board: Board, options: argparse.Namespace) -> None:
    """A case that fails is told and passed over: the others are worth the time."""
    try:
        seen = (
            rest(board, REST_S)
            if case.step is None
            else repeat(board, case.step, options.warm_s, options.steady_s)
        )
    except Exception:  # noqa: BLE001 - any failure is told, none ends the run
        _say(_name(case), traceback.format_exc(limit=-3))
        return
    _write(kept, case, seen)


def _write(kept: tuple, case: Case, seen: Reading) -> None:
    name = _name(case)
    asked = [getattr(case, key) for key in ASKED]
    found = [_digits(float(getattr(seen, key))) for key in SEEN]
    kept[0].writerow([name, kept[2], *asked, *found])
    kept[1].writerows([name, *map(_digits, row)] for row in seen.samples)
    _say(
        name, f"{seen.step_s:.4g} s",
        f"{seen.power_w:.0f} {seen.average_w:.0f} {seen.instant_w:.0f} W",
        f"{seen.sm_clock_hz / 1e6:.0f} MHz {seen.temperature_c:.0f} C",
        "at the limit" if seen.at_power_limit else "free",
        f"{case.flop / seen.step_s / 1e12:.0f} TF {case.moved_bytes / seen.step_s / 1e9:.0f} GB/s",
        f"n={seen.n_steps}",
    )  # fmt: skip


def _name(case: Case) -> str:
    """What tells a case from all others, in one word."""
    sizes = (case.batch, case.context_tokens, case.prompt_tokens, case.rows, case.n_programs)
    busy = f"{case.busy_frac:.0%}" if case.busy_frac < 1 else ""
    words = (case.phase, case.kernel, case.model, case.precision, *sizes, busy)
    return "-".join(str(word).replace(" ", "-") for word in words if word not in ("", None))


def _say(*words: object) -> None:
    sys.stdout.write(" ".join("-" if word is None else str(word) for word in words) + "\n")
    sys.stdout.flush()


def _digits(value: float) -> str:
    return f"{value:.9g}"


def _options() -> argparse.Namespace:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--run", type=int, default=1)
    asked.add_argument("--limit-s", type=float, default=300.0)
    asked.add_argument("--warm-s", type=float, default=0.8)
    asked.add_argument("--steady-s", type=float, default=2.5)
    asked.add_argument("--tiny", action="store_true")
    return asked.parse_args()


if __name__ == "__main__":
    main()
