"""Where a plan finds its numbers: the scenario, then the chips, then the rest of the catalog."""

from collections.abc import Callable, Mapping
from typing import Any

from planner.demand import profiles
from planner.demand.scenario import Scenario
from planner.errors import CatalogError
from planner.facts.catalog import Catalog
from planner.facts.ledger import Assumption, Ledger
from planner.facts.quantities import Quantity


def ledger_of(scenario: Scenario, catalog: Catalog) -> Ledger:
    """A fresh register that finds every number a plan of this scenario may use."""
    return Ledger(_finder(scenario, catalog))


def _finder(scenario: Scenario, catalog: Catalog) -> Callable[[str], Assumption]:
    fields = scenario_numbers(scenario)

    def find(name: str) -> Assumption:
        if name in fields:
            return _scenario_assumption(scenario, name, *fields[name])
        if name.startswith("accelerators."):
            return Assumption.of(name, _chip_number(catalog, name))
        return Assumption.of(name, catalog.number(name))

    return find


def scenario_numbers(scenario: Scenario) -> dict[str, tuple[str, float, str]]:
    """Every numeric input by its name in the register: profile path, value and unit."""
    found: dict[str, tuple[str, float, str]] = {}
    _collect(found, "", "", scenario)
    for index, row in enumerate(scenario.classes):
        _collect(found, f"classes.{row.name}.", f"classes.{index}.", row)
    for index, chip in enumerate(scenario.owned):
        _collect(found, f"owned.{chip.accelerator}.", f"owned.{index}.", chip)
    for part in ("fabric", "site", "operator", "finance"):
        _collect(found, f"{part}.", f"{part}.", getattr(scenario, part))
    return found


def _collect(found: dict[str, tuple[str, float, str]], name: str, path: str, part: Any) -> None:
    for field, about in type(part).model_fields.items():
        value = getattr(part, field)
        extra = about.json_schema_extra
        if isinstance(value, int | float) and not isinstance(value, bool) and extra:
            unit = str(extra["unit"]) if isinstance(extra, Mapping) else "1"
            found[name + field] = (path + field, float(value), unit)


def _scenario_assumption(
    scenario: Scenario, name: str, path: str, value: float, unit: str
) -> Assumption:
    """The profile's cited start, or the user's value in its place."""
    start = profiles.quantity(scenario.profile, path)
    if start is None:
        return Assumption(name, value, unit, value, value, "assumption", "scenario", True)
    scale = profiles.per_base_unit(path.rpartition(".")[2])
    held = Assumption(
        name,
        start.value / scale,
        unit,
        start.low / scale,
        start.high / scale,
        start.kind,
        start.source,
    )
    return held if held.value == value else held.overridden_by(value)


def _chip_number(catalog: Catalog, name: str) -> Quantity:
    _, chip, field, *precision = name.split(".")
    held = getattr(catalog.accelerators[chip], field)
    found = held.get(precision[0]) if precision else held
    if not isinstance(found, Quantity):
        raise CatalogError(f"{catalog.accelerators[chip].name} has no published {field}.")
    return found
