"""The bridge from as-built to the best mixed split, and the tax that remains after software."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

LABELS = {
    "software": "Software on the same chips",
    "topology": "Splitting into two pools",
    "capping": "Capping decode power",
    "silicon": "Best chip for each pool",
    "fabric": "Network between the pools",
    "orchestration": "Team and risk of the change",
    "flexibility": "Flexibility given up",
}
STEPS = ("as-built", "monolithic-software", "split-same-chip", "split-capped", "split-mixed")


@dataclass(frozen=True, slots=True)
class Extras:
    """What only a split costs [USD/year]: fabric, orchestration, flexibility."""

    fabric: Any
    orchestration: Any
    flexibility: Any

    @property
    def total(self) -> Any:
        """All three together."""
        return self.fabric + self.orchestration + self.flexibility


@dataclass(frozen=True, slots=True)
class Bridge:
    """Savings per step [USD/year] in order; costs are negative; they sum to net."""

    steps: Mapping[str, Any]
    base: Any

    @property
    def net(self) -> Any:
        """What is left of all steps."""
        return sum(self.steps.values())

    def frac(self, step: str) -> Any:
        """A step over the as-built yearly cost."""
        return self.steps[step] / self.base


def carried(gross: Mapping[str, Any], feasible: Mapping[str, bool]) -> list[Any]:
    """Gross cost along the ladder; an infeasible option carries the last feasible cost forward."""
    along = [gross[STEPS[0]]]
    for step in STEPS[1:]:
        along.append(gross[step] if feasible[step] else along[-1])
    return along


def bridge(
    gross: Mapping[str, Any], feasible: Mapping[str, bool], extras: Mapping[str, Extras]
) -> Bridge:
    """Differences along the ladder, then what its last option that serves costs on top.

    extras: by option; where no split serves there is nothing on top.
    """
    along = carried(gross, feasible)
    savings = [before - after for before, after in pairwise(along)]
    last = extras[last_serving(feasible)]
    on_top = (-last.fabric, -last.orchestration, -last.flexibility)
    return Bridge(dict(zip(LABELS, (*savings, *on_top), strict=True)), along[0])


def last_serving(feasible: Mapping[str, bool]) -> str:
    """The last option of the ladder that serves; as-built is the base even where it does not."""
    return [STEPS[0], *(step for step in STEPS[1:] if feasible[step])][-1]


def cheapest(costs: Sequence[Any]) -> Any:
    """The least of several costs, sample by sample."""
    return np.minimum.reduce([np.asarray(cost) for cost in costs])


def tax_frac(gross: Mapping[str, Any], feasible: Mapping[str, bool]) -> Any:
    """1 − cost(best purchasable)/cost(best on the owned chip types), gross. Returns: [frac]

    Only options that serve are compared; where none on owned chips does, as-built is the measure.
    """
    return 1 - _best(gross, feasible, STEPS) / _best(gross, feasible, STEPS[:-1])


def _best(gross: Mapping[str, Any], feasible: Mapping[str, bool], steps: Sequence[str]) -> Any:
    serving = [gross[step] for step in steps if feasible[step]]
    return cheapest(serving or [gross[STEPS[0]]])


def gross_gap_frac(gross: Mapping[str, Any], feasible: Mapping[str, bool]) -> Any:
    """1 − cost(split-mixed)/cost(as-built), before fabric, team and flexibility. Returns: [frac]"""
    along = carried(gross, feasible)
    return 1 - along[-1] / along[0]


def paper_tax_frac(gross: Mapping[str, Any], feasible: Mapping[str, bool], paper: Any) -> Any:
    """The tax against phase-specialised chips on paper. Returns: [frac]"""
    return 1 - paper / _best(gross, feasible, STEPS[:-1])
