"""Options: a year of every option, line by line, and what it earns and costs per unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

from planner.decision.valued import extras_of, volumes_of
from planner.export.words import title_of
from planner.export.workbook.cells import Cell, cell, paid_monthly
from planner.export.workbook.shape import Shape, by_value
from planner.export.workbook.sheets import TOP, Book
from planner.money.economics import (
    Costs,
    costs,
    j_per_useful_token,
    revenue_usd_per_kwh,
    usd_per_mtok,
)
from planner.money.friction import fabric_usd_per_year
from planner.money.prices import paid_monthly_frac
from planner.money.tax import Extras
from planner.money.volumes import Volumes

NOTE = (
    "A year at the planning month's demand, every chip at replacement cost. Lines of an option are "
    "the sums of its pools below. A useful token is an output token inside both service levels."
)
UNITS = {
    "usd_per_mtok": "usd_small",
    "capex_usd_per_mtok": "usd_small",
    "revenue_usd_per_kwh": "usd_small",
    "j_per_useful_token": "number",
}
TOTALS = ("revenue", "gross", "cost")
PARTS = ("What it serves and earns", "What it costs", "Per unit")
WIDTHS = (42, *[22] * 14)
FIRST = ("Option", "Role", "Class", "Chip")
FABRIC = "fabric"
COSTS = tuple(field.name for field in fields(Costs))
SOLD = tuple(field.name for field in fields(Volumes))
Block: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Year:
    """A year of one option as cells. [USD/year, and per unit]"""

    costs: Costs
    sold: Volumes
    extras: Extras
    figures: Mapping[str, Cell]


def years(book: Book, held: Shape) -> dict[str, Year]:
    """Write the sheet. Returns: by option."""
    return Options(book, held).written()


class Options:
    """The sheet while it is written: a column an option, then a row a pool."""

    def __init__(self, book: Book, held: Shape) -> None:
        self.held, self.sheet = held, book.sheets["Options"]
        self.row = self.sheet.headed("Options", NOTE, WIDTHS)
        self.columns = {name: column for column, name in enumerate(held.names, 1)}

    def written(self) -> dict[str, Year]:
        """All of it: pools and classes stand below, so that what is read first stands on top."""
        held, top = self.held, self.row
        n_lines = len(fields(Volumes)) + len(fields(Costs)) + len(fields(Extras)) + len(UNITS)
        self.row = top + n_lines + len(TOTALS) + len(PARTS) + 2
        payments = self._payments()
        pools = self._pools(payments)
        classes = self._classes()
        self.sheet.texts(top, ("A year, USD", *held.names.values()), "head")
        self.sheet.raw.freeze_panes(top + 1, 1)
        self.row = top
        sold = self._summed(PARTS[0], Volumes, classes, self.held.plan.money.sold)
        revenue = self._line("revenue", {o: each.revenue_usd for o, each in sold.items()})
        priced = self._summed(PARTS[1], Costs, pools, self.held.plan.money.costs)
        extras = self._extras(priced, sold, pools)
        found = self._figures(priced, sold, extras)
        return {o: Year(priced[o], sold[o], extras[o], {**found[o], "revenue": revenue[o]})
                for o in held.names}  # fmt: skip

    def _part(self, words: str) -> None:
        self.row += 1
        self.sheet.text(self.row, 0, words, "part")

    def _line(self, name: str, given: Mapping[str, Any]) -> dict[str, Cell]:
        """A row of one formula an option."""
        self.row += 1
        look = "total" if name in TOTALS else "plain"
        self.sheet.text(self.row, 0, title_of(name), look)
        shown = shown_of(name)
        return {
            option: self.sheet.formula(self.row, self.columns[option], cell(value), shown, look)
            for option, value in given.items()
        }

    def _payments(self) -> dict[Cell, Cell]:
        """What a dollar of chips and of halls costs a year. Returns: the formula to its cell."""
        inputs, found = self.held.inputs, {}
        self._part("Paid a year per dollar of capital, in monthly payments")
        lives = {"Chips and servers": "finance.life_years"}
        if self.held.plan.scenario.finance.basis == "own":
            lives["Halls"] = "prices.life.facility_years"
        for label, life in lives.items():
            self.row += 1
            self.sheet.text(self.row, 0, label)
            rate, years = inputs["finance.wacc_frac"], inputs[life]
            paid = paid_monthly_frac(rate, years)
            found[paid] = self.sheet.formula(self.row, 1, paid_monthly(rate, years, paid), "number")
        return found

    def _pools(self, payments: Mapping[Cell, Cell]) -> Block:
        """A row a pool, a column a line of cost."""
        held = self.held
        self._headed("Pools: what each costs a year", ("Role", "Class", "Chip"), (*COSTS, FABRIC))
        first = self.row + 1
        for option, label in held.names.items():
            fleet = held.fleet(option)
            for pool, each_w in zip(fleet.pools, held.each_w[option], strict=True):
                own = replace(fleet, pools=(pool,))
                about = (held.plan.scenario, held.plan.catalog, held.inputs, held.inputs)
                found = costs(own, *about)
                lines = {line: getattr(found, line) for line in COSTS}
                lines[FABRIC] = fabric_usd_per_year(own, *about)
                chip = held.plan.catalog.accelerators[pool.accelerator].name
                names = (label, pool.role, pool.class_name, chip)
                self._row(names, lines, {**payments, **by_value(each_w)})
        return first, self.row

    def _classes(self) -> Block:
        """A row a class of each option: its tokens, and what they earn."""
        held = self.held
        self._headed("Classes: what each is served and earns a year", ("Class", "", ""), SOLD)
        first = self.row + 1
        for option, label in held.names.items():
            for demand in held.sized.demands:
                alone = replace(held.sized, demands=(demand,))
                found = volumes_of(alone, option, held.inputs)
                lines = {line: getattr(found, line) for line in SOLD}
                self._row((label, demand.name, "", ""), lines, {})
        return first, self.row

    def _headed(self, title: str, about: Sequence[str], lines: Sequence[str]) -> None:
        self._part(title)
        self.row += 1
        names = map(title_of, lines)
        self.sheet.texts(self.row, ("Option", *about, *names), "head")

    def _row(
        self, about: Sequence[str], lines: Mapping[str, Any], placed: Mapping[Cell, Cell]
    ) -> None:
        """A pool or a class, its lines as formulas."""
        self.row += 1
        self.sheet.texts(self.row, about)
        for column, (line, value) in enumerate(lines.items(), len(FIRST)):
            self.sheet.formula(self.row, column, cell(value).using(placed), shown_of(line))

    def _summed(
        self, part: str, kind: type, block: Block, now: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Lines of every option: sums of its pools or classes."""
        self._part(part)
        rows = {
            field.name: self._line(field.name, self._picked(block, at, {
                option: float(getattr(now[option], field.name)) for option in self.columns
            }))
            for at, field in enumerate(fields(kind))
        }  # fmt: skip
        return {o: kind(**{name: row[o] for name, row in rows.items()}) for o in self.columns}

    def _picked(self, block: Block, at: int, now: Mapping[str, float]) -> dict[str, Cell]:
        """Sums of a block's line for each option, picked by its name. now: what they come to."""
        first, last = block
        names = self.sheet.span((first, 0), (last, 0))
        values = self.sheet.span((first, len(FIRST) + at), (last, len(FIRST) + at))
        return {
            option: Cell(now[option], f"SUMIF({names},{self.sheet.place(TOP, column)},{values})")
            for option, column in self.columns.items()
        }

    def _extras(
        self, priced: Mapping[str, Costs], sold: Mapping[str, Volumes], pools: Block
    ) -> dict[str, Extras]:
        """What only a split costs; its network is the sum of its pools'."""
        held, fleets = self.held, self.held.sized.fleets
        found = {
            o: extras_of(held.sized, fleets, fleets[o], priced, sold[o], held.inputs)
            for o in held.names
        }
        given = {
            field.name: {o: cell(getattr(found[o], field.name)) for o in found}
            for field in fields(Extras)
        }
        now = {o: float(each.fabric) for o, each in held.plan.money.extras.items()}
        given[FABRIC] = self._picked(pools, len(COSTS), now)
        rows = {name: self._line(name, each) for name, each in given.items()}
        return {o: Extras(**{name: row[o] for name, row in rows.items()}) for o in found}

    def _figures(
        self,
        priced: Mapping[str, Costs],
        sold: Mapping[str, Volumes],
        extras: Mapping[str, Extras],
    ) -> dict[str, dict[str, Cell]]:
        """Totals, and what a token and a kilowatt-hour cost and earn."""
        held = self.held
        gross = self._line("gross", {o: own.gross_usd_per_year for o, own in priced.items()})
        cost = self._line("cost", {o: gross[o] + extras[o].total for o in gross})
        self._part(PARTS[2])
        units = {
            "usd_per_mtok": {o: usd_per_mtok(cost[o], sold[o]) for o in gross},
            "capex_usd_per_mtok": {
                o: usd_per_mtok(priced[o].capital_usd_per_year, sold[o]) for o in gross
            },
            "revenue_usd_per_kwh": {o: revenue_usd_per_kwh(sold[o], priced[o]) for o in gross},
            "j_per_useful_token": {
                o: j_per_useful_token(held.facility_w(o, "mean_w"), sold[o]) for o in gross
            },
        }
        rows = {"gross": gross, "cost": cost}
        rows |= {name: self._line(name, given) for name, given in units.items()}
        return {o: {name: row[o] for name, row in rows.items()} for o in gross}


def shown_of(line: str) -> str:
    """How the numbers of a line are shown."""
    if line in UNITS:
        return UNITS[line]
    return "count" if line.endswith(("tokens", "kwh_per_year")) else "usd"
