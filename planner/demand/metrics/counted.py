"""Counters of serving engines as requests, tokens and times for each model and minute."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from planner.demand.metrics.names import (
    COUNTERS,
    HISTOGRAMS,
    KNOWN,
    MODEL_LABELS,
    ORDER,
    Measure,
    engine_of,
    spelled,
)

Floats = NDArray[np.float64]
NO_MODEL = "(none)"
PARTS = ("_bucket", "_sum", "_count")
FRONTEND = "dynamo"


@dataclass(frozen=True, slots=True)
class Rise:
    """How much one series rose in each bin [k], or a gauge's values in each bin."""

    name: str
    labels: Mapping[str, str]
    by_bin: Floats


@dataclass(slots=True)
class Buckets:
    """A histogram: `le` -> requests at or below over the whole time; sum and count per bin [k]."""

    n_bins: int
    below: dict[float, float] = field(default_factory=dict)
    sums: Floats = field(init=False)
    counts: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is counted yet."""
        self.sums, self.counts = np.zeros(self.n_bins), np.zeros(self.n_bins)

    def add(self, rise: Rise) -> None:
        """Take in one of the series that make up a histogram."""
        if rise.name.endswith("_sum"):
            self.sums += rise.by_bin
        elif rise.name.endswith("_count"):
            self.counts += rise.by_bin
        else:
            edge = _edge(rise.labels.get("le", ""))
            if edge is not None:
                self.below[edge] = self.below.get(edge, 0) + float(rise.by_bin.sum())


def _edge(word: str) -> float | None:
    """The upper edge of a bucket; None for a label that is none."""
    try:
        edge = float(word)
    except ValueError:
        return None
    return None if np.isnan(edge) else edge


@dataclass(slots=True)
class ModelCounts:
    """What was counted of one model: counters per bin [k], and histograms."""

    counters: dict[Measure, Floats] = field(default_factory=dict)
    histograms: dict[Measure, Buckets] = field(default_factory=dict)
    kv_use: list[float] = field(default_factory=list)

    def everything(self) -> Iterator[Floats]:
        """Every figure but the gauges."""
        yield from self.counters.values()
        for held in self.histograms.values():
            yield from (held.sums, held.counts, np.array([*held.below.values()]))


@dataclass(frozen=True, slots=True)
class Counts:
    """Everything counted. starts_at: of the first bin; None for a snapshot without times."""

    models: Mapping[str, ModelCounts]
    starts_at: datetime | None
    bin_s: int
    n_bins: int
    n_series: int


def counted(rises: Iterable[Rise], n_bins: int) -> dict[str, ModelCounts]:
    """Rises added up by model; of two names for one thing in one engine the first is read."""
    models: dict[str, ModelCounts] = {}
    for rise in _without_doubles([rise for rise in rises if measure_of(rise.name)]):
        measure = measure_of(rise.name)
        model = models.setdefault(_model(rise.labels), ModelCounts())
        if measure in HISTOGRAMS:
            model.histograms.setdefault(measure, Buckets(n_bins)).add(rise)
        elif measure in COUNTERS:
            before = model.counters.get(measure, np.zeros(n_bins))
            model.counters[measure] = before + rise.by_bin
        else:
            model.kv_use += [float(value) for value in rise.by_bin if np.isfinite(value)]
    return models


def measure_of(name: str) -> Measure | None:
    """What a series tells, or None where an audit does not need it."""
    plain, stem = spelled(name), _stem(name)
    found = KNOWN.get(stem)
    return found if (found in HISTOGRAMS) == (stem != plain) else None


def _stem(name: str) -> str:
    """A name without the ending of a histogram's parts, as spelled; a whole name stays."""
    plain = spelled(name)
    cut = next((plain.removesuffix(part) for part in PARTS if plain.endswith(part)), plain)
    return plain if plain in KNOWN else cut


def _without_doubles(rises: list[Rise]) -> list[Rise]:
    """One name for one measure of one engine; a front end only where no engine tells of tokens."""
    first: dict[tuple[str, Measure | None], int] = {}
    for rise in rises:
        key = (engine_of(rise.name), measure_of(rise.name))
        first[key] = min(ORDER[_stem(rise.name)], first.get(key, len(ORDER)))
    tokens = {Measure.INPUT, Measure.INPUT_LENGTHS}
    told = any(measure in tokens and engine != FRONTEND for engine, measure in first)
    return [
        rise
        for rise in rises
        if ORDER[_stem(rise.name)] == first[engine_of(rise.name), measure_of(rise.name)]
        and not (told and engine_of(rise.name) == FRONTEND)
    ]


def _model(labels: Mapping[str, str]) -> str:
    """The model that a series is of."""
    return next((labels[name] for name in MODEL_LABELS if labels.get(name)), NO_MODEL)
