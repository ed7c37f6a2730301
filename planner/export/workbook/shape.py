"""The plan as sized, with cells for its chips and watts: what the planner's functions are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from planner.decision.plan import Plan
from planner.decision.sized import Sized
from planner.demand.workload import Demand
from planner.export.words import OPTIONS
from planner.export.workbook.cells import Cell, cell
from planner.export.workbook.inputs import Inputs
from planner.export.workbook.sheets import Book, Sheet
from planner.fleet.pools import Fleet, Pool
from planner.fleet.watts import Watts

WORDS = {
    "nameplate_w": "Nameplate",
    "provisioned_w": "Provisioned",
    "peak_w": "Peak draw",
    "mean_w": "Mean draw",
    "lean_peak_w": "Peak, no reserve",
    "lean_mean_w": "Mean, no reserve",
}
NOTE = (
    "Chips, and the watts of one chip with its share of server and network, are held as sized. "
    "Facility power is chips × watts × PUE. Each cause is the difference of two fleets; in this "
    "order they add up to provisioned less needed."
)
FIRST = ("Option", "Role", "Class", "Chip", "Cache, bytes/s", "Chips")
WIDTHS = (28, 12, 16, 22, 16, 12, 14, 14, 14, 14, 16, 16)
CHIPS, CACHE = FIRST.index("Chips"), FIRST.index("Cache, bytes/s")


@dataclass(frozen=True, slots=True)
class Shape:
    """What is held: `sized` with cells in it, each pool's watts by word, where the sheet goes on.

    names: what the options with money are called. each_w: by option, of one chip of each pool.
    """

    plan: Plan
    inputs: Inputs
    sized: Sized
    names: Mapping[str, str]
    each_w: Mapping[str, Sequence[Mapping[str, Cell]]]
    row: int

    def fleet(self, option: str) -> Fleet:
        """An option with cells for its chips."""
        return self.sized.fleets[option]

    def facility_w(self, option: str, word: str) -> Any:
        """Power of an option at the meter. [W]"""
        return getattr(self.sized.watts[option], word) * self.inputs["site.pue"]


def shape(book: Book, plan: Plan, inputs: Inputs) -> Shape:
    """Write the pools and the power of each option; their cells stand for the numbers."""
    names = {name: OPTIONS[name] for name in OPTIONS if name in plan.money.costs}
    sheet = book.sheets["Power"]
    row = sheet.headed("Power", NOTE, WIDTHS)
    sheet.text(row, 0, "Pools, and IT watts of one chip", "part")
    sheet.texts(row + 1, (*FIRST, *WORDS.values()), "head")
    first = row = row + 2
    fleets, each_w = {}, {}
    for name, label in names.items():
        rows = [_pool(sheet, row + n, plan, label, pool)
                for n, pool in enumerate(plan.fleets[name].pools)]  # fmt: skip
        row += len(rows)
        fleets[name] = replace(plan.fleets[name], pools=tuple(pool for pool, _ in rows))
        each_w[name] = [watts for _, watts in rows]
    block = (first, row - 1)
    sheet.text(row + 1, 0, "IT power of each option, W", "part")
    sheet.texts(row + 2, ("Option", *[""] * CHIPS, *WORDS.values()), "head")
    row += 2
    watts = {}
    for name, label in names.items():
        row += 1
        watts[name] = _watts(sheet, row, label, block, plan.watts[name])
    held = replace(
        plan.sized,
        ledger=inputs,
        demands=tuple(_demand(demand, inputs) for demand in plan.sized.demands),
        fleets=fleets,
        watts=watts,
        owned={chip: _owned(chip, n, plan, inputs) for chip, n in plan.sized.owned.items()},
    )
    return Shape(plan, inputs, held, names, each_w, row + 2)


def _pool(
    sheet: Sheet, row: int, plan: Plan, option: str, pool: Pool
) -> tuple[Pool, Mapping[str, Cell]]:
    """A pool's row. Returns: the pool with cells, and the watts of one of its chips."""
    chip = plan.catalog.accelerators[pool.accelerator].name
    sheet.texts(row, (option, pool.role, pool.class_name, chip))
    one = plan.pool_watts(replace(pool, n_accelerators=1))
    sent = sheet.number(row, CACHE, pool.kv_bytes_per_s, "count", "held")
    chips = sheet.number(row, CHIPS, pool.n_accelerators, "count", "held")
    each = {
        word: sheet.number(row, column, float(getattr(one, word)), "number", "held")
        for column, word in enumerate(WORDS, len(FIRST))
    }
    with_cells: dict[str, Any] = {"n_accelerators": chips, "kv_bytes_per_s": sent}
    return replace(pool, **with_cells), each


def _watts(sheet: Sheet, row: int, label: str, block: tuple[int, int], held: Watts) -> Watts:
    """Chips × watts of an option's pools, picked from the table by the option's name."""
    sheet.text(row, 0, label)
    name = sheet.place(row, 0)
    found = {}
    for column, word in enumerate(WORDS, len(FIRST)):
        names, chips, watts = (
            sheet.span((block[0], at), (block[1], at)) for at in (0, CHIPS, column)
        )
        picked = Cell(float(getattr(held, word)), f"SUMPRODUCT(({names}={name})*{chips}*{watts})")
        found[word] = sheet.formula(row, column, picked, "count")
    return Watts(**found)


def _demand(demand: Demand, inputs: Inputs) -> Demand:
    """A class with cells for its rate and its lengths."""
    about = {
        "mean_per_s": ("mean requests", "requests/s"),
        "input_tokens": ("prompt", "tokens"),
        "output_tokens": ("answer", "tokens"),
    }
    with_cells: dict[str, Any] = {
        field: inputs.given(
            f"classes.{demand.name}.planned_{field}",
            f"{demand.name}: {words} at the planning month",
            float(getattr(demand, field)),
            unit,
            held=True,
        )
        for field, (words, unit) in about.items()
    }
    return replace(demand, **with_cells)


def _owned(chip: str, n: float, plan: Plan, inputs: Inputs) -> Any:
    label = f"{plan.catalog.accelerators[chip].name}: owned chips that serve"
    return inputs.given(f"owned.{chip}.serving", label, n, "chips", held=False)


def by_value(places: Mapping[str, Cell]) -> dict[Cell, Cell]:
    """Numbers that stand in a formula to the cells that hold them."""
    return {cell(place.value): place for place in places.values()}
