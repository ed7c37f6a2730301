"""The same question to NVIDIA's aiconfigurator and to us: chips, rate and seconds to an answer.

    python -m benchmarks.beside_aiconfigurator FOLDER

makes an environment in FOLDER with aiconfigurator from the package index, asks it for the best way
to serve Qwen3-32B in FP8 on H200 at 4,000 tokens in and 500 out, and asks `plan()` how many chips
serve the rate that it found. Its latencies are means of a full house; ours are p99s at Poisson
arrivals with one failed replica to spare, so ours needs more.
"""

import re
import subprocess
import sys
import time
import venv
from pathlib import Path

from planner import Scenario, load_catalog, plan

VERSION = "0.12.0"
QUESTION = {
    "model-path": "Qwen/Qwen3-32B-FP8",
    "total-gpus": 32,
    "system": "h200_sxm",
    "backend": "trtllm",
    "isl": 4000,
    "osl": 500,
    "ttft": 2000,
    "tpot": 30,
}
SOFTWARE = {
    "chunked_prefill": True,
    "weight_precision": "fp8",
    "kv_precision": "fp8",
    "prefix_cache": False,
    "kv_offload": False,
    "speculative": "none",
}


def theirs(folder: Path) -> tuple[float, dict[str, float]]:
    """Seconds of one run, and the best rate of both ways [1/s]."""
    tool = folder / "bin" / "aiconfigurator"
    if not tool.exists():
        venv.create(folder, with_pip=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", f"aiconfigurator=={VERSION}"]
        subprocess.run(pip, check=True)
    start = time.perf_counter()
    asked = [f"--{name}={value}" for name, value in QUESTION.items()]
    command = [str(tool), "cli", "default", *asked, "--no-color"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    taken = time.perf_counter() - start
    rates = {}
    for way in ("agg", "disagg"):
        table = ran.stdout.split(f"{way} Top Configurations", 1)[1]
        first = re.search(r"\|\s+1\s+\|(.*)", table)
        assert first is not None
        rates[way] = float(first[1].split("|")[3])
    return taken, rates


def ours(requests_per_s: float) -> tuple[float, dict[str, int]]:
    """Seconds of a warm plan, and H200s of both ways at a rate."""
    asked = Scenario.read(
        {
            "profile": "neocloud",
            "planning_month": 0,
            "demand_scale": 1.0,
            "ratio_in_18_months": None,
            "growth_frac_per_year": 0.0,
            "owned": [],
            "default_accelerator": "h200-sxm",
            "candidates": ["h200-sxm"],
            "software": SOFTWARE,
            "available_software": SOFTWARE,
            "classes": [
                {
                    "name": "question",
                    "model": "qwen3-32b",
                    "input_tokens": 4000,
                    "input_scv": 0.0,
                    "output_tokens": 500,
                    "output_scv": 0.0,
                    "cache_hit_frac": 0.0,
                    "requests_per_s": requests_per_s,
                    "peak_to_mean": 1.0,
                    "arrival_scv": 1.0,
                    "p99_ttft_s": 2.0,
                    "p99_tpot_s": 0.03,
                }
            ],
        }
    )
    catalog = load_catalog()
    plan(asked, catalog)
    start = time.perf_counter()
    answer = plan(asked, catalog)
    taken = time.perf_counter() - start
    return taken, {
        way: sum(pool.n_accelerators for pool in answer.fleets[name].pools)
        for way, name in (("agg", "as-built"), ("disagg", "split-same-chip"))
    }


def main() -> None:
    """Print both answers."""
    their_s, rates = theirs(Path(sys.argv[1]))
    sys.stdout.write(f"aiconfigurator {VERSION}: {their_s:.1f} s\n")
    for way, rate in rates.items():
        our_s, chips = ours(rate)
        here = f"here {chips[way]} in {our_s * 1e3:.0f} ms"
        sys.stdout.write(f"{way}: 32 H200 for {rate:.1f}/s there; {here}\n")


if __name__ == "__main__":
    main()
