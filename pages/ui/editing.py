"""A scenario as plain values, and how a reader's step changes one."""

import math
from typing import Any

from planner import Scenario

NEW_CHIPS = {"n": 8, "age_years": 0.0, "book_usd": 0.0, "resale_usd": 0.0}
SHOWN_EXACTLY = 1e-12


def put(document: Any, path: str, value: Any) -> None:
    """Set a field by its dotted path."""
    *branches, leaf = (int(part) if part.isdigit() else part for part in path.split("."))
    for branch in branches:
        document[branch] = _open(document[branch])
        document = document[branch]
    document[leaf] = value


def _open(branch: Any) -> Any:
    """A branch that can be written to; the classes of a scenario come as a tuple."""
    return list(branch) if isinstance(branch, tuple) else branch


def another(scenario: Scenario, group: str, index: int) -> dict[str, Any]:
    """One more class or owned chip: like the one at an index, under a name that is free."""
    rows = scenario.model_dump()[group]
    if group == "classes":
        taken = {row["name"] for row in rows}
        name = next(
            n for n in map(f"{rows[index]['name']}_{{}}".format, range(2, 99)) if n not in taken
        )
        return {**rows[index], "name": name}
    owned = {row["accelerator"] for row in rows}
    free = [chip for chip in scenario.candidates if chip not in owned]
    return {"accelerator": (free or [scenario.default_accelerator])[0], **NEW_CHIPS}


def same(shown: Any, value: Any) -> bool:
    """Whether a widget shows a value; a number that went through another unit is the same."""
    if isinstance(shown, float) and isinstance(value, float):
        return math.isclose(shown, value, rel_tol=SHOWN_EXACTLY)
    return bool(shown == value)
