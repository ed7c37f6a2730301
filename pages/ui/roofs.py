"""Roofs of chips and the phases of the workload under them: tables of the hardware page."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pages.ui import shelf
from planner import Plan

SHOWN_CHIPS = 6
FLOP_PER_TFLOP = 1e12
ENDS = (1.0, 10_000.0)
"""From one operation a byte to ten thousand: where all chips bend and all phases lie."""
PHASES = {"in_prefill": "reading", "in_decode": "writing"}
POINTS = 60


def rate_of(chip: Any, precision: str) -> float | None:
    """Peak arithmetic at a precision, else at 16 bits; None where neither is published. [FLOP/s]"""
    held = chip.flop_per_s.get(precision) or chip.flop_per_s.get("bf16")
    return held.value if held else None


def shown_chips(plan: Plan) -> list[str]:
    """Chips to draw: those of today and of the proposal, then one's own, then other candidates."""
    options = ("as-built", "proposed", "split-mixed")
    used = [pool.accelerator for name in options for pool in plan.fleets[name].pools]
    wanted = plan.scenario.candidates
    own = [name for name in wanted if name.startswith("own-")]
    return list(dict.fromkeys([*used, *own, *wanted]))[:SHOWN_CHIPS]


def phases(plan: Plan) -> pd.DataFrame:
    """Each class reading and writing on today's chips: operations a byte, and the rate reached."""
    return pd.DataFrame(list(_phases(plan)), columns=["phase", "chip", "flop_per_byte", "tflop"])


def _phases(plan: Plan) -> Iterator[tuple[str, str, float, float]]:
    for pool in plan.fleets["as-built"].pools:
        chip = plan.catalog.accelerators[pool.accelerator]
        peak = rate_of(chip, pool.weight_precision)
        for field, word in PHASES.items():
            busy = getattr(pool, field)
            if busy and busy.memory_util_frac and peak and chip.memory_bytes_per_s:
                flop_per_s = busy.compute_util_frac * peak
                bytes_per_s = busy.memory_util_frac * chip.memory_bytes_per_s.value
                name = f"{pool.class_name.replace('_', ' ')}, {word}"
                yield name, chip.name, flop_per_s / bytes_per_s, flop_per_s / FLOP_PER_TFLOP


def precision(plan: Plan) -> str:
    """The precision that today's largest pool runs at."""
    pools = plan.fleets["as-built"].pools
    return max(pools, key=lambda pool: pool.n_accelerators).weight_precision if pools else "bf16"


def roofs(plan: Plan) -> pd.DataFrame:
    """What each chip can reach at most, along the operations that a byte of memory feeds."""
    low, high = (math.log10(end) for end in ENDS)
    steps = [10 ** (low + (high - low) * n / (POINTS - 1)) for n in range(POINTS)]
    rows: list[tuple[str, float, float]] = []
    for name in shown_chips(plan):
        chip = plan.catalog.accelerators[name]
        peak = rate_of(chip, precision(plan))
        if peak is None or chip.memory_bytes_per_s is None:
            continue
        per_s = chip.memory_bytes_per_s.value
        along = sorted({*steps, peak / per_s})
        rows += [(shelf.short(chip.name), x, min(peak, x * per_s) / FLOP_PER_TFLOP) for x in along]
    return pd.DataFrame(rows, columns=["chip", "flop_per_byte", "tflop"])
