"""The two kinds of document, how each is validated, and how older schemas are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from planner.demand import profiles
from planner.demand.scenario import Scenario
from planner.errors import ScenarioError
from planner.facts.catalog import Catalog
from planner.store.overlays import Overlay

UPGRADES: Mapping[int, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    1: profiles.completed,
}
"""From each schema of scenarios to the next. Schema 1 held any subset of the fields, unchecked;
what it left out starts from the profile. Schema 2 is whole."""

Document: TypeAlias = Scenario | Overlay
SCENARIO_SCHEMA = max(UPGRADES) + 1
OVERLAY_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document. read: the checked document, given the catalog it may name."""

    id: str
    schema_version: int
    read: Callable[[Mapping[str, Any], Catalog], Document]


SCENARIO = Kind("scenario", SCENARIO_SCHEMA, Scenario.read)
OVERLAY = Kind("overlay", OVERLAY_SCHEMA, lambda given, _catalog: Overlay.read(given))


def upgraded(content: Mapping[str, Any], schema_version: int) -> Mapping[str, Any]:
    """A scenario of any released schema in the schema of this release.

    Raises: ScenarioError when a step does not know what to do with it.
    """
    for schema in range(schema_version, SCENARIO_SCHEMA):
        try:
            content = UPGRADES[schema](content)
        except (LookupError, TypeError, ValueError) as error:
            raise ScenarioError(f"A scenario of schema {schema} cannot be read: {error}.") from None
    return content
