"""A scenario as a file: TOML or JSON with any of its fields, or a whole plan as JSON."""

import json
import tomllib

from planner.demand.scenario import Scenario
from planner.errors import ScenarioError


def read_file(name: str, content: bytes) -> Scenario:
    """The scenario that the file `name` holds; fields left out start from its profile.

    Raises: ScenarioError naming the file and every refused field.
    """
    try:
        text = content.decode()
        given = json.loads(text) if name.lower().endswith(".json") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScenarioError(f"{name}: cannot be read as TOML or JSON in UTF-8: {error}.") from None
    if isinstance(given, dict) and "schema" in given:
        given = given.get("scenario")
    if not isinstance(given, dict):
        raise ScenarioError(f"{name}: holds no table of scenario fields.")
    try:
        return Scenario.read(given)
    except ScenarioError as error:
        raise ScenarioError([f"{name}: {problem}" for problem in error.problems]) from None
