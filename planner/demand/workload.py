"""What a scenario asks for in the month that the fleet is sized for."""

from dataclasses import dataclass

import numpy as np

from planner.demand.parts import WorkloadClass
from planner.demand.scenario import Scenario
from planner.facts.units import MONTHS_PER_YEAR

RATIO_MONTHS = 18


@dataclass(frozen=True, slots=True)
class Demand:
    """One workload class at the planning month; rates in requests per second over the fleet.

    fresh_input_tokens: mean prompt tokens that must be computed (set with the software's cache).
    """

    source: WorkloadClass
    mean_per_s: float
    peak_per_s: float
    input_tokens: float
    output_tokens: float

    @property
    def name(self) -> str:
        """The class's name."""
        return self.source.name

    @property
    def iterations(self) -> float:
        """Decode iterations of a request: every output token but the first. [1]"""
        return max(self.output_tokens - 1, 1)

    @property
    def context_tokens(self) -> float:
        """Mean tokens in the cache of a running request: its prompt and half its answer."""
        return self.input_tokens + self.output_tokens / 2

    def fresh_tokens(self, *, prefix_cache: bool) -> float:
        """Mean prompt tokens computed anew."""
        hit = self.source.cache_hit_frac if prefix_cache else 0
        return max(self.input_tokens * (1 - hit), 1)


def audited_ratio(scenario: Scenario) -> float:
    """Output over input tokens of the workload as audited. [1]"""
    inputs, outputs = _tokens_per_s(scenario)
    return outputs / inputs


def ratio(scenario: Scenario, month: float) -> float:
    """Output over input tokens in a month: the slider's (else the audited) with its drift. [1]

    The drift runs geometrically and reaches `ratio_in_18_months` from the audited ratio.
    """
    today = scenario.decode_to_prefill_token_ratio or audited_ratio(scenario)
    target = scenario.ratio_in_18_months
    if target is None:
        return today
    return float(today * (target / audited_ratio(scenario)) ** (month / RATIO_MONTHS))


def growth(scenario: Scenario, month: float) -> float:
    """Demand in a month over demand today. [1]"""
    return float((1 + scenario.growth_frac_per_year) ** (month / MONTHS_PER_YEAR))


def length_scales(scenario: Scenario, wanted: float) -> tuple[float, float]:
    """Factors on prompt and answer lengths that reach a ratio at unchanged total tokens. [1]"""
    inputs, outputs = _tokens_per_s(scenario)
    total = inputs + outputs
    return total / (1 + wanted) / inputs, total * wanted / (1 + wanted) / outputs


def relative_lengths(scenario: Scenario, planned: float, other: float) -> tuple[float, float]:
    """Factors on planned prompt and answer lengths when another ratio comes true. [1]"""
    before, after = length_scales(scenario, planned), length_scales(scenario, other)
    return after[0] / before[0], after[1] / before[1]


def demands(scenario: Scenario, month: float | None = None) -> tuple[Demand, ...]:
    """The classes in a month (None: the planning month), lengths rescaled, rates grown."""
    when = scenario.planning_month if month is None else month
    prompts, answers = length_scales(scenario, ratio(scenario, when))
    scale = scenario.demand_scale * growth(scenario, when)
    return tuple(_demand(item, scale, prompts, answers) for item in scenario.classes)


def _demand(item: WorkloadClass, scale: float, prompts: float, answers: float) -> Demand:
    mean = item.requests_per_s * scale
    return Demand(
        source=item,
        mean_per_s=mean,
        peak_per_s=mean * item.peak_to_mean,
        input_tokens=item.input_tokens * prompts,
        output_tokens=max(item.output_tokens * answers, 1),
    )


def _tokens_per_s(scenario: Scenario) -> tuple[float, float]:
    """Input and output tokens per second of the unscaled workload."""
    rows = scenario.classes
    rates = np.array([row.requests_per_s for row in rows])
    rates = rates if rates.any() else np.ones(len(rows))
    inputs = float(rates @ [row.input_tokens for row in rows])
    outputs = float(rates @ [row.output_tokens for row in rows])
    return inputs, outputs
