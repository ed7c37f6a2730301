"""The boxes of a form for a chip, a model or a price: units, help, and what each number may be.

A number far beyond all that the catalog holds of its kind is most likely of another unit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner import text
from planner.facts.accelerators import Accelerator
from planner.facts.catalog import Catalog
from planner.facts.models import Model
from planner.facts.quantities import Quantity
from planner.facts.units import UNITS

CHIPS, MODELS, PRICES = "accelerators", "models", "prices"
FARTHEST = 10.0
"""How far beyond the catalog's own values, above and below, a number may lie."""


@dataclass(frozen=True, slots=True)
class Box:
    """One number that may be typed, in the unit it is typed in.

    field: dotted path below the entry. value: what stands in the catalog, None where nothing does.
    low, high: what is allowed. whole: only whole numbers are.
    """

    field: str
    title: str
    unit: str
    about: str
    value: float | None
    low: float
    high: float
    needed: bool = False
    whole: bool = False


_CHIP: Mapping[str, tuple[str, str, str, bool]] = {
    "memory_bytes": ("Memory", "GB", "Memory of one chip.", True),
    "memory_bytes_per_s": ("Memory bandwidth", "TB/s", "Bytes read from memory a second.", True),
    "flop_per_s.bf16": ("Arithmetic, 16 bits", "TFLOP/s", "Dense peak rate; no sparsity.", True),
    "flop_per_s.fp8": ("Arithmetic, 8 bits", "TFLOP/s", "Dense peak rate; empty: none.", False),
    "tdp_w": ("Chip power", "W", "Highest power that the maker states (TDP).", True),
    "price_usd": ("Price", "USD", "To buy one chip; empty: not sold.", False),
    "rental_usd_per_hour": ("Rent", "USD/h", "To rent one chip; empty: not for rent.", False),
}
"""Title, unit, help and need of each number of a chip."""

_MODEL: Mapping[str, tuple[str, str]] = {
    "n_layers": ("Layers", "Layers of the model."),
    "hidden": ("Hidden size", "Width of the vectors between layers."),
    "dense_ffn": ("Width of dense layers", "Inner width of a layer's dense part."),
    "n_experts": ("Experts", "Experts of a layer."),
    "n_experts_active": ("Experts in use", "Experts that answer one token."),
    "expert_ffn": ("Width of an expert", "Inner width of one expert."),
    "vocab": ("Vocabulary", "Tokens the model knows."),
    "max_context": ("Longest context", "Most tokens in one conversation."),
}
"""Title and help of each dimension of a model."""


def boxes(file: str, entry: str, catalog: Catalog) -> tuple[Box, ...]:
    """The numbers of a chip, a model or a price that a reader may type.

    entry: of a price, its whole path: `prices.running.it_support_frac_per_year`.
    """
    if file == CHIPS:
        return tuple(_chip_box(name, catalog.accelerators[entry], catalog) for name in _CHIP)
    if file == MODELS:
        held = catalog.models[entry]
        return tuple(_model_box(name, held, catalog) for name in _MODEL if getattr(held, name))
    price = catalog.number(entry)
    return (_box(entry, "Value", price.unit, "In the unit of the catalog.", [price], price),)


def allowed(box: Box) -> str:
    """The allowed range in words: "0.8 to 2,880 GB"."""
    return f"{text.number(box.low)} to {text.number(box.high)} {box.unit}".removesuffix(" 1")


def _chip_box(field: str, chip: Accelerator, catalog: Catalog) -> Box:
    title, unit, about, needed = _CHIP[field]
    every = [_number(each, field) for each in catalog.accelerators.values()]
    return _box(field, title, unit, about, filter(None, every), _number(chip, field), needed)


def _number(chip: Accelerator, field: str) -> Quantity | None:
    first, _, rest = field.partition(".")
    held = getattr(chip, first)
    found: Quantity | None = held.get(rest) if rest else held
    return found


def _model_box(field: str, model: Model, catalog: Catalog) -> Box:
    title, about = _MODEL[field]
    every = [value for each in catalog.models.values() if (value := getattr(each, field))]
    low, high = max(1.0, min(every) // FARTHEST), max(every) * FARTHEST
    return Box(field, title, "1", about, float(getattr(model, field)), low, high, True, True)


def _box(
    field: str, title: str, unit: str, about: str, every: Iterable[Quantity],
    now: Quantity | None, needed: bool = True,
) -> Box:  # fmt: skip
    factor = UNITS[unit][1]
    values = [each.value / factor for each in every]
    low, high = min(values) / FARTHEST, max(values) * FARTHEST
    return Box(field, title, unit, about, now.value / factor if now else None, low, high, needed)
