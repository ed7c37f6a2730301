"""Where a plan finds its numbers: the scenario, then the chips, then the rest of the catalog."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from planner.demand import profiles
from planner.demand.scenario import Scenario
from planner.facts.catalog import Catalog
from planner.facts.draws import ties_of
from planner.facts.ledger import Assumption, Ledger
from planner.physics.efficiency import calibrated


@dataclass(frozen=True, slots=True)
class Input:
    """A numeric input: its path in the profile, value, unit, and the limits of its field."""

    path: str
    value: float
    unit: str
    low: float
    high: float


def ledger_of(scenario: Scenario, catalog: Catalog) -> Ledger:
    """A fresh register that finds every number a plan of this scenario may use."""
    return Ledger(_finder(scenario, catalog), ties=ties_of(catalog))


def _finder(scenario: Scenario, catalog: Catalog) -> Callable[[str], Assumption]:
    fields = scenario_numbers(scenario)

    def find(name: str) -> Assumption:
        if name in fields:
            return _scenario_assumption(scenario, name, fields[name])
        if name.startswith("calibration."):
            return Assumption.of(name, calibrated(catalog, name))
        return Assumption.of(name, catalog.fact(name))

    return find


def scenario_numbers(scenario: Scenario) -> dict[str, Input]:
    """Every numeric input by its name in the register."""
    found: dict[str, Input] = {}
    _collect(found, "", "", scenario)
    for row in scenario.classes:
        _collect(found, f"classes.{row.name}.", f"classes.{row.name}.", row)
    for chip in scenario.owned:
        _collect(found, f"owned.{chip.accelerator}.", f"owned.{chip.accelerator}.", chip)
    for part in ("fabric", "site", "operator", "finance"):
        _collect(found, f"{part}.", f"{part}.", getattr(scenario, part))
    return found


def with_number(scenario: Scenario, name: str, value: float) -> Scenario:
    """The scenario with another value under a name of the register, within its field's limits."""
    first, *rest = name.split(".")
    if not rest:
        return scenario.model_copy(update={first: value})
    field, key = rest[-1], ".".join(rest[:-1])
    part = getattr(scenario, first)
    if first == "classes":
        part = tuple(_with(row, field, value, row.name == key) for row in part)
    elif first == "owned":
        part = tuple(_with(row, field, value, row.accelerator == key) for row in part)
    else:
        part = part.model_copy(update={field: value})
    return scenario.model_copy(update={first: part})


def _with(row: Any, field: str, value: float, meant: bool) -> Any:
    return row.model_copy(update={field: value}) if meant else row


def _collect(found: dict[str, Input], name: str, path: str, part: Any) -> None:
    for field, about in type(part).model_fields.items():
        value = getattr(part, field)
        extra = about.json_schema_extra
        if isinstance(value, int | float) and not isinstance(value, bool) and extra:
            unit = str(extra["unit"]) if isinstance(extra, Mapping) else "1"
            low, high = (_limit(about.metadata, end) for end in ("ge", "le"))
            found[name + field] = Input(path + field, float(value), unit, low, high)


def _limit(metadata: Iterable[Any], end: str) -> float:
    """The lower or upper limit of a field; infinite where it has none."""
    open_end = -math.inf if end == "ge" else math.inf
    return next((float(getattr(item, end)) for item in metadata if hasattr(item, end)), open_end)


def _scenario_assumption(scenario: Scenario, name: str, given: Input) -> Assumption:
    """The profile's cited start, or the user's value in its place; never beyond its limits."""
    start = profiles.quantity(scenario.profile, given.path)
    value, unit = given.value, given.unit
    if start is None:
        return Assumption(name, value, unit, value, value, "assumption", "scenario", True)
    scale = profiles.per_base_unit(given.path.rpartition(".")[2])
    low, high = (min(max(end / scale, given.low), given.high) for end in (start.low, start.high))
    held = Assumption(name, start.value / scale, unit, low, high, start.kind, start.source)
    if held.value == value:
        return held
    mine = held.overridden_by(value)
    low, high = max(mine.low, given.low), min(mine.high, given.high)
    return replace(mine, low=min(low, value), high=max(high, value))
