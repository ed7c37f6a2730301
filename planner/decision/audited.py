"""An audit with the wall-clock share of each phase, through the phase model."""

import os

from planner.decision.headline import prefill_time_frac
from planner.decision.plan import plan
from planner.demand import audit as logs
from planner.demand.adopting import adopted
from planner.demand.logs.results import Audit
from planner.demand.scenario import Scenario
from planner.errors import ScenarioError


def audit(source: str | os.PathLike[str], scenario: Scenario | None = None) -> Audit:
    """Audit a request log: tokens, lengths, arrivals, and the share of time spent in prefill.

    scenario: on whose model, chips and software the time is counted; None: the default one.

    Raises:
        AuditError: one sentence naming the file, the column, and what is allowed.
    """
    found = logs.audit(source)
    if found.prefill_time_frac is not None:
        return found
    return timed(found, scenario or Scenario.read({}))


def timed(found: Audit, scenario: Scenario) -> Audit:
    """The audit with the modelled share of accelerator-seconds that prefill takes."""
    alone = {"planning_month": 0.0, "ratio_in_18_months": None}
    try:
        served = plan(adopted(scenario, found).model_copy(update=alone))
    except ScenarioError:
        return found
    models = ", ".join(sorted({row.model for row in served.scenario.classes}))
    chips = ", ".join(sorted({pool.accelerator for pool in served.fleets["as-built"].pools}))
    caveat = (
        f"prefill_time_frac is modelled for {models} on {chips}, with the software and the "
        f"demand scale ({scenario.demand_scale:g}) of the scenario."
    )
    return found.with_prefill_time_frac(prefill_time_frac(served, "as-built"), caveat)
