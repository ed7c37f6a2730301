"""A model on the chips of a published experiment: what one step of it takes with us."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from planner.errors import CatalogError
from planner.facts.catalog import Catalog
from planner.physics.efficiency import Efficiency, efficiency, groups, model_kind
from planner.physics.layout import Layout
from planner.physics.machines import Machine, assembled, sheet
from planner.physics.phases import StepTime, step_time
from planner.physics.profile import Profile, profile
from planner.physics.roofline import Links
from planner.physics.transformer import decode_work, prefill_work
from planner.physics.weights import WIDE


@dataclass(frozen=True, slots=True)
class Rig:
    """One replica: a model in a checkpoint, a machine, and how it lies over chips."""

    held: Profile
    machine: Machine
    layout: Layout

    def prefill(self, new_tokens: Any, cached_tokens: Any = 0, *, sequences: Any = 1) -> StepTime:
        """A step that works on whole prompts together."""
        work = prefill_work(self.held, new_tokens, cached_tokens, sequences=sequences)
        return step_time(self.held, self.machine, self.layout, work)

    def decode(self, batch: Any, context_tokens: Any) -> StepTime:
        """A step that gives each sequence of a batch its next token."""
        work = decode_work(self.held, batch, context_tokens)
        return step_time(self.held, self.machine, self.layout, work)

    def with_peaks(self, *, compute: float = 1.0, bandwidth: float = 1.0) -> "Rig":
        """The same with peak arithmetic and memory bandwidth times a factor."""
        machine = self.machine
        rates = {name: rate * compute for name, rate in machine.flop_per_s.items()}
        per_s = machine.memory_bytes_per_s * bandwidth
        return replace(self, machine=replace(machine, flop_per_s=rates, memory_bytes_per_s=per_s))


def shipped_rig(
    catalog: Catalog,
    model: str,
    chip: str,
    layout: Layout,
    *,
    weights: str = WIDE,
    engine: str = "",
) -> Rig:
    """With the shares and overheads of the shipped calibration, at no release in particular.

    engine: "" for none in particular. The cache is kept at 16 bits.

    Raises:
        CatalogError: there is no calibration.
    """
    calibration = catalog.calibration
    if calibration is None:
        raise CatalogError("The catalog holds no calibration.toml; `calibrate` makes one.")
    numbers, held = calibration.numbers, catalog.accelerators[chip]
    at = groups(model_kind(catalog.models[model]), held, weights, engine)
    reached = efficiency(lambda name: numbers[name].at(at))
    peaks = sheet(held, weights, lambda name: catalog.fact(name).value)
    return Rig(profile(catalog.models[model], weights, WIDE), assembled(peaks, reached), layout)


def two_roof_rig(catalog: Catalog, model: str, chip: str, layout: Layout) -> Rig:
    """Peak arithmetic and peak bandwidth of the data sheet at 16 bits, and nothing else."""
    name = f"accelerators.{chip}"
    machine = Machine(
        flop_per_s={WIDE: catalog.fact(f"{name}.flop_per_s.{WIDE}").value},
        memory_bytes_per_s=catalog.fact(f"{name}.memory_bytes_per_s").value,
        memory_bytes=catalog.fact(f"{name}.memory_bytes").value,
        links=Links(layout.n_chips, np.inf, np.inf, 0.0),
        efficiency=_ideal(),
    )
    return Rig(profile(catalog.models[model], WIDE, WIDE), machine, layout)


def _ideal() -> Efficiency:
    """All shares and factors 1, no overheads, arithmetic and traffic wholly overlapped."""
    return efficiency(_ideal_number)


def _ideal_number(name: str) -> float:
    if name.endswith("_order"):
        return np.inf
    return 1.0 if name.endswith("_frac") or name in ("slowdown", "expert_imbalance") else 0.0
