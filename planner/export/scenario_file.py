"""A scenario as TOML that reads back as the same scenario."""

from collections.abc import Mapping
from typing import Any

import tomlkit

from planner.demand.scenario import NONE, Scenario

HEAD = "Every input of a scenario; what is left out takes its profile's starting value."


def scenario_toml(scenario: Scenario) -> str:
    """All fields that have a value, and those that were emptied, in the word that reads back."""
    start = Scenario.read({"profile": scenario.profile})
    held = scenario.model_dump(mode="json")
    emptied = {key: NONE for key, value in held.items() if value is None != getattr(start, key)}
    document = tomlkit.document()
    document.add(tomlkit.comment(HEAD))
    for key, value in _ordered(held | emptied).items():
        document.add(key, tomlkit.item(value))
    return tomlkit.dumps(document)


def _ordered(given: Mapping[str, Any]) -> dict[str, Any]:
    """Single values first, as TOML wants them, and nothing that is empty."""
    held = {key: _without_none(value) for key, value in given.items() if value is not None}
    return dict(sorted(held.items(), key=lambda item: _is_table(item[1])))


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _ordered(value)
    return [_without_none(each) for each in value] if isinstance(value, list) else value


def _is_table(value: Any) -> bool:
    if isinstance(value, list):
        return any(isinstance(each, Mapping) for each in value)
    return isinstance(value, Mapping)
