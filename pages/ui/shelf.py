"""The catalog of chips as a table: what each holds, draws and costs, and where that is said."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from planner import Catalog, Plan

ACCESS = {"buy": "Buy", "rent": "Rent", "captive": "Owner only", "paper": "Paper design"}
STATUS = {"shipping": "On sale", "announced": "Announced", "modelled": "Modelled"}
SOLD_AS = {"accelerator": "chip", "rack": "share of a rack", "system": "share of a system"}
HERE, REACHABLE, ALL = "In this plan", "Can buy or rent", "All chips"
VIEWS = (HERE, REACHABLE, ALL)
COLUMNS: Mapping[str, tuple[str, float, str]] = {
    "Memory": ("memory_bytes", 1e9, "%,.0f GB"),
    "Bandwidth": ("memory_bytes_per_s", 1e12, "%.2f TB/s"),
    "16 bits": ("flop_per_s.bf16", 1e12, "%,.0f TFLOP/s"),
    "8 bits": ("flop_per_s.fp8", 1e12, "%,.0f TFLOP/s"),
    "Power": ("tdp_w", 1.0, "%,.0f W"),
    "Price": ("price_usd", 1.0, "$%,.0f"),
    "Rent": ("rental_usd_per_hour", 1.0, "$%.2f/h"),
}
"""Field, base units in the shown unit, and format of every number."""


def number(chip: Any, field: str) -> Any:
    """A cited number of a chip by its dotted field; None where it is not published."""
    first, _, rest = field.partition(".")
    held = getattr(chip, first)
    return held.get(rest) if rest else held


def chosen(view: str, plan: Plan) -> list[str]:
    """Ids of the chips of a view."""
    scenario, chips = plan.scenario, plan.catalog.accelerators
    owned = [row.accelerator for row in scenario.owned]
    pools = [pool.accelerator for fleet in plan.fleets.values() for pool in fleet.pools]
    here = dict.fromkeys([*owned, scenario.default_accelerator, *scenario.candidates, *pools])
    if view == HERE:
        return list(here)
    if view == ALL:
        return list(chips)
    return [name for name, chip in chips.items() if not chip.why_not("access")]


def table(names: Iterable[str], catalog: Catalog) -> pd.DataFrame:
    """A row a chip, numbers in the units of `COLUMNS`."""
    own_first = sorted(names, key=lambda name: not is_own(catalog.accelerators[name]))
    return pd.DataFrame([_row(catalog.accelerators[name], catalog) for name in own_first])


def is_own(chip: Any) -> bool:
    """Whether a chip holds figures of the reader's own."""
    return str(chip.name).endswith(("(own)", "(edited)"))


def short(name: str) -> str:
    """A name without what stands in brackets, apart from the mark of one's own figures."""
    head, _, mark = name.rpartition(" (")
    kept = f" ({mark}" if mark in {"own)", "edited)"} else ""
    return (head.partition(" (")[0] + kept) if head else name


def _row(chip: Any, catalog: Catalog) -> dict[str, Any]:
    numbers = {
        label: held.value / factor if (held := number(chip, field)) else None
        for label, (field, factor, _) in COLUMNS.items()
    }
    sold = SOLD_AS[chip.price_scope] if chip.price_usd else ""
    return {
        "Chip": chip.name,
        "Access": ACCESS[chip.access] + (f" ({chip.owner})" if chip.owner else ""),
        **numbers,
        "Price is of": sold,
        "Status": STATUS[chip.status],
        "Sources": "; ".join(_cited(chip, catalog)),
    }


def _cited(chip: Any, catalog: Catalog) -> list[str]:
    """Titles of the documents that the shown numbers come from."""
    held = [number(chip, field) for field, _, _ in COLUMNS.values()]
    ids = dict.fromkeys(each.source for each in held if each)
    return [catalog.sources[name].title for name in ids]
