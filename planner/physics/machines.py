"""From catalog facts to the machines that steps are timed on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.facts.accelerators import Accelerator
from planner.facts.ledger import Ledger
from planner.physics.efficiency import (
    WEIGHTS_ONLY,
    Efficiency,
    compute_precision,
    efficiency,
)
from planner.physics.roofline import Links

REFERENCE = "spad-h100"
ARITHMETIC = ("bf16", "fp8", "int8", "fp4")
"""Precisions that products may be in."""

Find = Callable[[str], Any]
"""Looks a number up by its name in the register."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One chip and what serving reaches of it; fields are numbers, or arrays of one a point.

    flop_per_s: peak by the precision asked, that of the next one where a chip lacks it.
    links: as reached, not as published.
    """

    flop_per_s: Mapping[str, Any]
    memory_bytes_per_s: Any
    memory_bytes: Any
    links: Links
    efficiency: Efficiency

    def column(self) -> "Machine":
        """The same machines as a column, to broadcast against a row of batches."""
        return self._each(lambda values: np.asarray(values)[..., None])

    def at(self, places: NDArray[np.int64]) -> "Machine":
        """Some of the machines, or some of them several times."""
        return self._each(lambda values: np.asarray(values)[places])

    def _each(self, one: Callable[[Any], Any]) -> "Machine":
        return Machine(
            {name: one(rate) for name, rate in self.flop_per_s.items()},
            one(self.memory_bytes_per_s),
            one(self.memory_bytes),
            Links(*(one(getattr(self.links, field.name)) for field in fields(Links))),
            efficiency(lambda name: one(getattr(self.efficiency, name))),
        )


@dataclass(frozen=True, slots=True)
class Sheet:
    """The data sheet of one chip, or arrays of several: published peaks, links before any share."""

    flop_per_s: Mapping[str, Any]
    memory_bytes_per_s: Any
    memory_bytes: Any
    domain_chips: Any
    inside_bytes_per_s: Any
    outside_bytes_per_s: Any


def machines(pairs: Sequence[tuple[Accelerator, str, str]], ledger: Ledger) -> Machine:
    """One row per chip, kind of model and checkpoint, with what the register says it reaches."""
    sheets = [sheet(chip, weights, ledger.__getitem__) for chip, _, weights in pairs]
    reached = efficiency(
        lambda name: np.array(
            [ledger[efficiency_name(name, chip.id, *about)] for chip, *about in pairs]
        )
    )
    return assembled(stacked_sheets(sheets, np.arange(len(sheets))), reached)


def efficiency_name(name: str, chip_id: str, kind: str, weights: str) -> str:
    """Register name of a calibrated number for a chip, a kind of model and a checkpoint."""
    return f"calibration.{name}.{chip_id}.{kind}.{weights}"


def stacked_sheets(sheets: Sequence[Sheet], which: NDArray[np.int64]) -> Sheet:
    """One sheet of arrays: the numbers of `sheets[which[i]]` at place i."""
    numbers = {
        field.name: np.array([getattr(each, field.name) for each in sheets], float)[which]
        for field in fields(Sheet)
        if field.name != "flop_per_s"
    }
    rates = {
        name: np.array([each.flop_per_s[name] for each in sheets], float)[which]
        for name in ARITHMETIC
    }
    return Sheet(flop_per_s=rates, **numbers)


def assembled(peaks: Sheet, reached: Efficiency) -> Machine:
    """A machine of a data sheet and what is reached of it."""
    return Machine(
        flop_per_s=peaks.flop_per_s,
        memory_bytes_per_s=peaks.memory_bytes_per_s,
        memory_bytes=peaks.memory_bytes,
        links=Links(
            domain_chips=peaks.domain_chips,
            inside_bytes_per_s=peaks.inside_bytes_per_s * reached.link_frac,
            outside_bytes_per_s=peaks.outside_bytes_per_s * reached.link_frac,
            latency_s=reached.link_latency_s,
        ),
        efficiency=reached,
    )


def sheet(chip: Accelerator, weights: str, find: Find) -> Sheet:
    """Published peaks of a chip; those of a paper chip are set so that its published ratios hold.

    Weights that a chip cannot multiply as they are stored go at the rate of the precision that they
    are widened to.
    """
    inside, outside = _link_bytes_per_s(chip, find, "up"), _link_bytes_per_s(chip, find, "out")
    name = f"accelerators.{chip.id}"
    domain = find(f"{name}.scale_up_domain") if chip.scale_up_domain else 1.0
    rates, bytes_per_s = _peaks(chip, weights, find)
    return Sheet(
        flop_per_s=rates,
        memory_bytes_per_s=bytes_per_s,
        memory_bytes=find(f"{name}.memory_bytes"),
        domain_chips=domain,
        inside_bytes_per_s=inside,
        outside_bytes_per_s=outside,
    )


def fallback_caveat(chip: Accelerator, weights: str) -> str:
    """One sentence when a chip computes in another precision than asked, else ""."""
    used = compute_precision(chip, weights)
    if used == weights or chip.prefill_perf_frac is not None:
        return ""
    return f"{chip.name} has no {weights} arithmetic; its {used} rate is used."


def speed_name(chip_id: str) -> str:
    """Register name of how far a chip's speed may lie from its prediction."""
    return f"calibration.speed.{chip_id}_frac"


def _peaks(chip: Accelerator, weights: str, find: Find) -> tuple[dict[str, float], float]:
    """Peak arithmetic by precision, and bandwidth."""
    if chip.prefill_perf_frac is None or chip.decode_perf_frac is None:
        rates = {name: _rate(chip, name, weights, find) for name in ARITHMETIC}
        return rates, find(f"accelerators.{chip.id}.memory_bytes_per_s")
    wide = find(f"accelerators.{REFERENCE}.flop_per_s.bf16")
    wide = wide * find(f"accelerators.{chip.id}.prefill_perf_frac")
    rates = {name: wide if name == "bf16" else 2 * wide for name in ARITHMETIC}
    bytes_per_s = find(f"accelerators.{REFERENCE}.memory_bytes_per_s")
    return rates, bytes_per_s * find(f"accelerators.{chip.id}.decode_perf_frac")


def _rate(chip: Accelerator, precision: str, weights: str, find: Find) -> float:
    """Peak in the precision that stands in for the one asked; nan where the chip has none."""
    stored = weights if precision == "fp4" and weights in WEIGHTS_ONLY else precision
    used = compute_precision(chip, stored)
    return float(find(f"accelerators.{chip.id}.flop_per_s.{used}")) if used else np.nan


def _link_bytes_per_s(chip: Accelerator, find: Find, way: str) -> float:
    """Published link of a chip inside (up) or beyond (out) its domain, else the estimate."""
    if getattr(chip, f"scale_{way}_bytes_per_s") is None:
        return float(find("estimates.serving.link_bytes_per_s"))
    return float(find(f"accelerators.{chip.id}.scale_{way}_bytes_per_s"))
