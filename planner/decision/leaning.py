"""What the measured ratio leans on: the same log looked at otherwise."""

from collections.abc import Iterator

import numpy as np

from planner.decision.headline import prefill_time_frac
from planner.decision.plan import Plan, plan
from planner.demand.logs.results import Audit, Sensitivity
from planner.demand.scenario import Scenario
from planner.errors import ScenarioError

AS_BUILT = "as-built"
ENDS = (
    (10, "Hour at the 10th percentile of the ratio"),
    (90, "Hour at the 90th percentile of the ratio"),
)
TWICE, HALF = 2.0, 1 / 2


def sensitivities(found: Audit, served: Plan) -> tuple[Sensitivity, ...]:
    """The decode:prefill ratio, by tokens and by modelled time, when one thing changes.

    served: the plan of the audited demand as it is.
    """
    as_is = found.decode_to_prefill_token_ratio
    rows = [Sensitivity("As audited", as_is, prefill_time_frac(served, AS_BUILT))]
    rows += [Sensitivity(name, ratio, _time_at(served, ratio)) for name, ratio in _by_tokens(found)]
    rows += [Sensitivity(name, as_is, _time(other)) for name, other in _by_fleet(served)]
    return tuple(rows)


def _by_tokens(found: Audit) -> Iterator[tuple[str, float]]:
    """Other ways to count the same tokens."""
    fresh = found.input_tokens - (found.cached_tokens or 0)
    if found.cached_tokens and fresh > 0:
        yield "Cached tokens not counted as read", found.output_tokens / fresh
    hours = [hour for hour in found.by_hour if hour.decode_to_prefill_token_ratio]
    if len(hours) > 2:
        ratios = [hour.decode_to_prefill_token_ratio or 0.0 for hour in hours]
        requests = [hour.requests for hour in hours]  # an hour of one request says little
        for percentile, name in ENDS:
            found_at = np.percentile(ratios, percentile, weights=requests, method="inverted_cdf")
            yield name, float(found_at)


def _by_fleet(served: Plan) -> Iterator[tuple[str, Scenario]]:
    """Other fleets and rates for the same tokens."""
    scenario = served.scenario
    for name, factor in (("Half the demand", HALF), ("Twice the demand", TWICE)):
        yield name, scenario.model_copy(update={"demand_scale": scenario.demand_scale * factor})
    cached = not scenario.software.prefix_cache
    software = scenario.software.model_copy(update={"prefix_cache": cached})
    yield (
        f"Prefix cache {'on' if cached else 'off'}",
        scenario.model_copy(update={"software": software}),
    )


def _time_at(served: Plan, ratio: float) -> float | None:
    """Share of time in prefill when the tokens stand in another ratio."""
    return _time(served.scenario.model_copy(update={"decode_to_prefill_token_ratio": ratio}))


def _time(scenario: Scenario) -> float | None:
    """Share of time in prefill of a scenario as built; None where it cannot be served."""
    try:
        return prefill_time_frac(plan(scenario), AS_BUILT)
    except ScenarioError:
        return None
