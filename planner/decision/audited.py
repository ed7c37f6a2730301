"""An audit with the wall-clock share of each phase, through the phase model."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from planner import text
from planner.decision.headline import prefill_time_frac
from planner.decision.leaning import sensitivities
from planner.decision.plan import Plan, plan
from planner.demand import audit as logs
from planner.demand.adopting import adopted
from planner.demand.logs.results import Audit, Line, Outlook, Range, TimeSplit
from planner.demand.outlook import outlooks
from planner.demand.scenario import Scenario
from planner.errors import ScenarioError
from planner.facts.catalog import Catalog

AS_BUILT = "as-built"
TODAY = {"planning_month": 0.0, "ratio_in_18_months": None}


def audit(
    source: str | os.PathLike[str],
    scenario: Scenario | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    time_unit: str | None = None,
    time_zone: str | None = None,
    backend: str = "duckdb",
    days: float = logs.LAST_DAYS,
    report: Callable[[str, float], None] = logs.unheard,
) -> Audit:
    """Audit a request log: tokens, lengths, arrivals, time in prefill, and the next 18 months.

    source, columns, time_unit, time_zone, backend, days: see `planner.demand.audit.audit`.
    scenario: on whose model, chips and software the time is counted, and whose growth is taken
    where the log is too short to show a trend; None: the default one.
    report: is told each step and the share of the work done before it.

    Raises:
        AuditError: one sentence naming the file, the column, and what is allowed.
    """
    found = logs.audit(
        source,
        columns=columns,
        time_unit=time_unit,
        time_zone=time_zone,
        backend=backend,
        days=days,
        report=report,
    )
    report("Counting chip time", NEARLY_DONE)
    return timed(found, scenario or Scenario.read({}))


NEARLY_DONE = 0.9
"""Share of the work done before the phase model is asked."""


def timed(found: Audit, scenario: Scenario, growth: Range | None = None) -> Audit:
    """The audit with all that follows from the phase model and the scenario's growth.

    growth: as `growth_of` the scenario tells it, where it is known already.
    prefill_time_frac stays the measured one where there is one.
    """
    catalog = scenario.catalog
    ahead = outlooks(found, growth or growth_of(scenario), catalog.number)
    try:
        served = _served(found, scenario)
    except ScenarioError as error:
        return replace(
            found,
            in_18_months=ahead,
            line=_line(found, catalog, found.prefill_time_frac),
            caveats=(*found.caveats, f"No chip time is modelled. {error}"),
        )
    split = _split(served, found.prefill_time_frac)
    modelled = split.modelled_frac
    whole = found
    if found.prefill_time_frac is None and modelled is not None:
        caveat = (
            f"prefill_time_frac is modelled for {split.modelled_on}, with the software and the "
            f"demand scale ({text.number(scenario.demand_scale)}) of the scenario."
        )
        whole = found.with_prefill_time_frac(modelled, caveat)
    return replace(
        whole,
        time=split,
        line=_line(whole, catalog, whole.prefill_time_frac),
        in_18_months=tuple(_timed(one, served) for one in ahead),
        sensitivity=sensitivities(found, served),
    )


def _served(found: Audit, scenario: Scenario) -> Plan:
    """The plan of today's audited demand on the scenario's fleet."""
    return plan(adopted(scenario, found).model_copy(update=TODAY))


def growth_of(scenario: Scenario) -> Range:
    """The scenario's growth with the range of its profile."""
    assumed = plan(scenario).ledger.find("growth_frac_per_year")
    return Range(assumed.low, assumed.value, assumed.high)


def _split(served: Plan, measured: float | None) -> TimeSplit:
    """Time by phase, of all and of each class, as built."""
    known, held = served.catalog.models, served.catalog.accelerators
    models = ", ".join(sorted({known[row.model].name for row in served.scenario.classes}))
    pools = served.fleets[AS_BUILT].pools
    chips = ", ".join(sorted({held[pool.accelerator].name for pool in pools}))
    return TimeSplit(
        measured_frac=measured,
        modelled_frac=prefill_time_frac(served, AS_BUILT),
        modelled_on=f"{models} on {chips}",
        by_class={pool.class_name: float(pool.shares.prefill_frac) for pool in pools},
    )


def _timed(ahead: Outlook, served: Plan) -> Outlook:
    """An outlook with the share of time in prefill at the middle of its ratio."""
    try:
        then = served.scenario.model_copy(
            update={"decode_to_prefill_token_ratio": ahead.decode_to_prefill_token_ratio.value}
        )
        return replace(ahead, prefill_time_frac=prefill_time_frac(plan(then), AS_BUILT))
    except ScenarioError:
        return ahead


def _line(found: Audit, catalog: Catalog, frac: float | None) -> Line:
    """Where the workload stands against the article's line, each with its unit."""
    line = catalog.number("demand.audit.line_ratio").value
    tokens = found.decode_to_prefill_token_ratio
    by_time = (1 - frac) / frac if frac else None
    shown = f"{text.number(line, place=0)} : 1"
    said = [
        f"{text.ratio(value)} by {unit}, {'over' if value > line else 'under'} the line of {shown}"
        for value, unit in ((tokens, "tokens"), (by_time, "wall-clock time"))
        if value is not None
    ]
    sentence = f"Decode : prefill is {'; '.join(said)}." if said else "No ratio is known."
    return Line(line, tokens, by_time, sentence)
