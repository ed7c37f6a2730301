"""How much of its peak a chip reaches in serving, and what a step costs beside arithmetic.

The numbers come from `calibration.toml` (see `planner.facts.calibration`); here are the groups that
a point belongs to, and the names of the numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from planner.errors import CatalogError
from planner.facts.accelerators import Accelerator
from planner.facts.attention import Compressed, Delta, Latent
from planner.facts.calibration import Calibration
from planner.facts.catalog import Catalog
from planner.facts.models import Model
from planner.facts.quantities import Quantity

FALLBACKS = {
    "fp4": ("fp4", "fp8", "int8", "bf16"),
    "mxfp4": ("fp4", "fp8", "int8", "bf16"),
    "fp8": ("fp8", "int8", "bf16"),
    "int8": ("int8", "fp8", "bf16"),
    "int4": ("bf16", "fp8", "int8"),
    "bf16": ("bf16", "fp8", "int8"),
}
"""What a chip multiplies in when weights are stored as the key: the first that it has."""

WEIGHTS_ONLY = ("fp4", "mxfp4", "int4")
"""Formats that chips without 4-bit arithmetic widen to 16 bits, as their kernels do."""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Shares of peak that serving reaches, and overheads; numbers, or arrays of one a point.

    compute_frac, expert_compute_frac, attention_compute_frac: of peak arithmetic, in products with
    weights, in experts (grouped products) and in attention. memory_frac, expert_memory_frac,
    cache_memory_frac: of peak bandwidth, reading weights, experts and the cache. link_frac,
    link_latency_s: of link bandwidth, and start-up of a collective. layer_overhead_s,
    expert_layer_overhead_s: gaps between kernels of a layer, and more where it has experts.
    launch_layer_s, launch_expert_layer_s: host time to launch a layer's kernels one by one.
    iteration_overhead_s, sequence_overhead_s: scheduling and sampling of a step, and per sequence.
    expert_padding_rows: rows that fill up the tiles of each expert's product. expert_imbalance:
    time of the fullest chip over the mean where experts are spread. slowdown: of the software
    release. roof_order, launch_order: of the p-norms that join bounds. request_overhead_s: host
    time before a prompt starts. clump_prompts: prompts that a prompt finds before it where
    requests of equal length keep in step. handoff_s: visible part of moving a cache between pools.
    matching_frac: share of the ideal rate that unlike pools keep.
    """

    compute_frac: Any
    expert_compute_frac: Any
    attention_compute_frac: Any
    memory_frac: Any
    expert_memory_frac: Any
    cache_memory_frac: Any
    link_frac: Any
    link_latency_s: Any
    layer_overhead_s: Any
    expert_layer_overhead_s: Any
    launch_layer_s: Any
    launch_expert_layer_s: Any
    iteration_overhead_s: Any
    sequence_overhead_s: Any
    expert_padding_rows: Any
    expert_imbalance: Any
    slowdown: Any
    roof_order: Any
    launch_order: Any
    request_overhead_s: Any
    clump_prompts: Any
    handoff_s: Any
    matching_frac: Any


NAMES = tuple(field.name for field in fields(Efficiency))


def efficiency(resolve: Callable[[str], Any]) -> Efficiency:
    """Every number by its name. resolve: value, or array, of a number."""
    return Efficiency(**{name: resolve(name) for name in NAMES})


def compute_precision(chip: Accelerator, weights: str) -> str:
    """The precision a chip multiplies in when weights are stored as `weights`; "" if none."""
    order: Sequence[str] = FALLBACKS[weights]
    if weights in WEIGHTS_ONLY and "fp4" not in chip.flop_per_s:
        order = ("bf16", *order)
    return next((name for name in order if name in chip.flop_per_s), "")


def model_kind(model: Model) -> str:
    """What sets the kernels of a model apart, in one word.

    Returns: dense, experts, latent (MLA), sparse (an index or compression picks) or hybrid.
    """
    kinds = model.attention
    if any(isinstance(k, Compressed) or getattr(k, "indexer", None) for k in kinds):
        return "sparse"
    if any(isinstance(k, Delta) for k in kinds):
        return "hybrid"
    if any(isinstance(k, Latent) for k in kinds):
        return "latent"
    return "experts" if model.n_experts else "dense"


def groups(
    kind: str, chip: Accelerator, weights: str, engine: str = "", release: str = ""
) -> Mapping[str, str]:
    """The group of a point on each level of the calibration.

    kind: of the model, as `model_kind` names it. engine, release: serving engine and half-year of
    its release; "" where nobody says, which is then no group at all.
    """
    return {
        "family": chip.family,
        "chip": chip.id,
        "engine": engine,
        "kind": kind,
        "release": release,
        "precision": _joined(chip.family, f"{weights}>{compute_precision(chip, weights)}"),
        "family+engine": _joined(chip.family, engine),
        "engine+kind": _joined(engine, kind),
        "chip+engine+kind": _joined(chip.id, engine, kind),
        "release+engine+kind": _joined(release, engine, kind),
    }


def _joined(*parts: str) -> str:
    """One name for several; none where a part has none."""
    return " ".join(parts) if all(parts) else ""


def calibrated(catalog: Catalog, name: str) -> Quantity:
    """A number of the calibration under a name of the register.

    calibration.<number>: what holds for everybody. calibration.<number>.<chip>.<kind>.<weights>:
    for a chip, a kind of model and a checkpoint, on no engine in particular, at the latest release.
    calibration.speed.<chip>_frac: how far a chip's measured rates lie from their prediction, on
    models that it was not measured with, or all of them where it was never measured.

    Raises:
        CatalogError: there is no calibration, or no such number in it.
    """
    known = catalog.calibrated
    if name not in known:
        known[name] = _calibrated(catalog, name)
    return known[name]


def _calibrated(catalog: Catalog, name: str) -> Quantity:
    held = catalog.calibration
    if held is None:
        raise CatalogError("The catalog holds no calibration.toml; `calibrate` makes one.")
    _, number, *where = name.split(".")
    if number == "speed":
        return _speed(held, where[0].removesuffix("_frac"))
    if number not in held.numbers:
        raise CatalogError(f"calibration.toml holds no number {number}; `calibrate` adds it.")
    found = held.numbers[number]
    if not where:
        return found.whole
    chip, kind, weights = where
    at = groups(kind, catalog.accelerators[chip], weights, release=held.latest_release)
    value = found.at(at)
    return replace(found.whole, value=value, low=value, high=value)


def _speed(held: Calibration, chip: str) -> Quantity:
    """1, with the band of rates that its chip deserves."""
    scope = "pairs" if chip in held.measured_chips else "chips"
    band = held.bands["rate"][scope]
    source = held.numbers[NAMES[0]].whole.source
    low, high = min(band.low_frac, 1.0), max(band.high_frac, 1.0)
    return Quantity(1.0, low, high, "frac", "measured", source)
