"""From catalog facts to the machines that steps are timed on."""

from collections.abc import Sequence

import numpy as np

from planner.facts.accelerators import Accelerator
from planner.facts.ledger import Ledger
from planner.physics.roofline import Machine

FALLBACKS = {
    "fp4": ("fp4", "fp8", "int8", "bf16"),
    "fp8": ("fp8", "int8", "bf16"),
    "bf16": ("bf16", "fp8", "int8"),
}
REFERENCE = "spad-h100"


def compute_precision(chip: Accelerator, weights: str) -> str:
    """The precision a chip multiplies in when weights are stored as `weights`; "" if none.

    A chip without a precision falls back to the next one it has.
    """
    return next((name for name in FALLBACKS[weights] if name in chip.flop_per_s), "")


def fallback_caveat(chip: Accelerator, weights: str) -> str:
    """One sentence when a chip computes in another precision than asked, else ""."""
    used = compute_precision(chip, weights)
    if used == weights or chip.prefill_perf_frac is not None:
        return ""
    return f"{chip.name} has no {weights} arithmetic; its {used} rate is used."


def machine(
    chips: Sequence[Accelerator], n_chips: Sequence[int], weights: str, ledger: Ledger
) -> Machine:
    """One row per configuration: a chip type and how many of it hold one model copy.

    Links inside the scale-up domain run at the scale-up rate, larger groups at the scale-out rate.
    """
    rows = [_row(chip, n, weights, ledger) for chip, n in zip(chips, n_chips, strict=True)]
    columns = [np.asarray(column) for column in zip(*rows, strict=True)]
    shared = (
        ledger[f"calibration.{name}"]
        for name in ("link_frac", "link_latency_s", "layer_overhead_s", "iteration_overhead_s")
    )
    order = ledger["calibration.roof_order"]
    values = [*columns, *map(np.asarray, shared), np.asarray(order)]
    return Machine(**dict(zip(Machine.__slots__, values, strict=True)))


def _row(chip: Accelerator, n: int, weights: str, ledger: Ledger) -> tuple[float, ...]:
    flop_per_s, bytes_per_s = _peaks(chip, weights, ledger)
    wide_flop_per_s, _ = _peaks(chip, "bf16", ledger)
    speed = ledger[speed_name(chip.id, ledger)]
    return (
        float(n),
        flop_per_s,
        wide_flop_per_s,
        bytes_per_s,
        ledger[f"accelerators.{chip.id}.memory_bytes"],
        _link_bytes_per_s(chip, n, ledger),
        min(_compute_frac(chip, weights, ledger) * speed, 1.0),
        min(ledger["calibration.memory_frac"] * speed, 1.0),
    )


def speed_name(chip_id: str, ledger: Ledger) -> str:
    """Register name of a chip's measured speed, or of the one for chips without measurements."""
    own = f"calibration.speed.{chip_id}_frac"
    return own if ledger.holds(own) else "calibration.speed.other_frac"


def _peaks(chip: Accelerator, weights: str, ledger: Ledger) -> tuple[float, float]:
    """Peak compute and bandwidth; a paper chip's are set so that its published ratios hold."""
    if chip.prefill_perf_frac is None or chip.decode_perf_frac is None:
        precision = compute_precision(chip, weights)
        return (
            ledger[f"accelerators.{chip.id}.flop_per_s.{precision}"],
            ledger[f"accelerators.{chip.id}.memory_bytes_per_s"],
        )
    double = 2 if weights != "bf16" else 1
    return (
        double
        * ledger[f"accelerators.{REFERENCE}.flop_per_s.bf16"]
        * ledger[f"accelerators.{chip.id}.prefill_perf_frac"],
        ledger[f"accelerators.{REFERENCE}.memory_bytes_per_s"]
        * ledger[f"accelerators.{chip.id}.decode_perf_frac"],
    )


def _compute_frac(chip: Accelerator, weights: str, ledger: Ledger) -> float:
    """Measured matmul share of the chip (else of its peers) times what serving keeps of it."""
    precision = compute_precision(chip, weights)
    name = next((p for p in (precision, "bf16") if p in chip.matmul_frac), "")
    matmul = f"accelerators.{chip.id}.matmul_frac.{name}" if name else "calibration.matmul_frac"
    share: float = ledger[matmul] * ledger["calibration.serving_over_matmul_frac"]
    return share


def _link_bytes_per_s(chip: Accelerator, n: int, ledger: Ledger) -> float:
    """Bandwidth of a chip's links in a group of n; 0 s of traffic is never divided by 0."""
    inside = chip.scale_up_domain is not None and n <= chip.scale_up_domain.value
    fact = chip.scale_up_bytes_per_s if inside else chip.scale_out_bytes_per_s
    if fact is None:
        return float(ledger["calibration.link_bytes_per_s"])
    return float(ledger[f"accelerators.{chip.id}.scale_{'up' if inside else 'out'}_bytes_per_s"])
