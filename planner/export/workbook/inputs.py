"""Inputs: every number of the money side that may be changed, yellow and named."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from planner.decision.assumptions import ledger_of
from planner.decision.plan import Plan
from planner.decision.wording import name_of
from planner.export.workbook.cells import Cell
from planner.export.workbook.sheets import Book
from planner.facts.ledger import Assumption, Ledger

SCOPE = (
    "Change a yellow cell and every sheet follows, as the planner would with the fleets held as "
    "sized. What decides how many chips a fleet has and how hard they work stands in grey: change "
    "that in Switchyard, which sizes anew. The sheet Checks shows what has moved."
)
YELLOW = re.compile(
    r"(prices|site|finance|operator|estimates\.money|fabric|owned)\..*|power_budget_mw|backlog_frac"
    r"|accelerators\..*\.(price_usd|rental_usd_per_hour|manufacturing_cost_usd)"
    r"|classes\..*\.usd_per_mtok_(input|cached|output)"
)
GREY = re.compile(r"classes\..*\.cache_hit_frac|estimates\.serving\.slo_quantile|horizon_years")
GROUPS = {
    "accelerators": "Chips",
    "prices": "Capital and running cost",
    "site": "Site",
    "power_budget_mw": "Site",
    "backlog_frac": "Site",
    "finance": "Finance",
    "classes": "Prices of tokens",
    "owned": "Owned chips",
    "operator": "Team and risk",
    "fabric": "Team and risk",
    "estimates": "Estimates",
}
FIXED = "Held as planned"
HEAD = ("Input", "Value", "Unit", "Low", "High", "Kind", "Source", "Name in formulas")
WIDTHS = (46, 16, 14, 14, 14, 12, 28, 44)
NAME_CHARACTERS = 200
ADDRESS = "in_"
UNIT_WORDS = {"1": "", "frac": "", "frac/year": "a year", "frac/quarter": "a quarter"}


@dataclass(frozen=True, slots=True)
class Row:
    """An input as it stands on the sheet."""

    assumption: Assumption
    label: str
    name: str
    held: bool


class Inputs(Ledger):
    """A register that gives cells for money, and for the rest the numbers of the plan.

    It lists what formulas have asked for.
    """

    def __init__(self, book: Book, plan: Plan) -> None:
        super().__init__(ledger_of(plan.scenario, plan.catalog).find)
        self._book, self._plan = book, plan
        self.asked: dict[str, Row] = {}

    def __getitem__(self, parameter: str) -> Any:
        """The named cell of a number that is money, the plain number of one that is not."""
        yellow = YELLOW.fullmatch(parameter)
        if not (yellow or GREY.fullmatch(parameter)):
            return super().__getitem__(parameter)
        if parameter not in self.asked:
            found = self.find(parameter)
            self._add(found, name_of(found, self._plan.catalog), held=not yellow)
        return self._cell(parameter)

    def given(self, parameter: str, label: str, value: float, unit: str, *, held: bool) -> Cell:
        """The named cell of a number that stands in no register: a fact of this plan."""
        if parameter not in self.asked:
            fact = Assumption(parameter, value, unit, value, value, "exact", "scenario")
            self._add(fact, label, held=held)
        return self._cell(parameter)

    def _cell(self, parameter: str) -> Cell:
        row = self.asked[parameter]
        return Cell(row.assumption.value, row.name)

    def _add(self, held_number: Assumption, label: str, *, held: bool) -> None:
        name = self._name(held_number.parameter)
        self.asked[held_number.parameter] = Row(held_number, label, name, held)

    def _name(self, parameter: str) -> str:
        """A name that no spreadsheet takes for an address, and no other input has."""
        if parameter.startswith("classes."):
            name, field = parameter.removeprefix("classes.").rsplit(".", 1)
            names = [row.name for row in self._plan.scenario.classes]
            parameter = f"class_{names.index(name) + 1}.{field}"
        plain = re.sub(r"[^a-z0-9]+", "_", parameter.lower()).strip("_")[:NAME_CHARACTERS]
        taken = {row.name for row in self.asked.values()}
        return next(name for name in _variants(ADDRESS + plain) if name not in taken)

    def write(self) -> None:
        """The sheet, once every formula has asked for what it needs."""
        sheet = self._book.sheets["Inputs"]
        row = sheet.headed("Inputs", SCOPE, WIDTHS)
        sheet.texts(row, HEAD, "head")
        sheet.raw.freeze_panes(row + 1, 1)
        for group, held in self._grouped():
            row += 2
            sheet.text(row, 0, group, "part")
            for each in held:
                row += 1
                self._write(row, each)

    def _grouped(self) -> Iterable[tuple[str, list[Row]]]:
        order = dict.fromkeys([*GROUPS.values(), FIXED])
        found: dict[str, list[Row]] = {group: [] for group in order}
        for each in self.asked.values():
            first = each.assumption.parameter.partition(".")[0]
            found[FIXED if each.held else GROUPS[first]].append(each)
        return ((group, held) for group, held in found.items() if held)

    def _write(self, row: int, each: Row) -> None:
        sheet, held = self._book.sheets["Inputs"], each.assumption
        shown = "frac" if held.unit.startswith("frac") else "number"
        sheet.text(row, 0, each.label)
        sheet.number(row, 1, held.value, shown, "held" if each.held else "input")
        sheet.text(row, 2, UNIT_WORDS.get(held.unit, held.unit))
        low, high = HEAD.index("Low"), HEAD.index("High")
        sheet.number(row, low, held.low, shown, "held")
        sheet.number(row, high, held.high, shown, "held")
        sheet.texts(row, (held.kind, held.source, each.name), column=high + 1)
        self._book.named(each.name, sheet.place(row, 1))


def _variants(name: str) -> Iterable[str]:
    """The name, then the name with a number after it."""
    yield name
    n = 1
    while True:
        n += 1
        yield f"{name}_{n}"
