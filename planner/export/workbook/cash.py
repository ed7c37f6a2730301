"""Cash flow: quarter by quarter what each option earns, spends, deducts and is worth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from planner.export.workbook.cells import (
    Cell,
    both,
    cell,
    floor,
    least,
    most,
    remainder,
    rounded,
    where,
)
from planner.export.workbook.changing import Changing, changing
from planner.export.workbook.options import Year
from planner.export.workbook.shape import Shape
from planner.export.workbook.sheets import Book, Sheet
from planner.facts.units import MONTHS_PER_YEAR, QUARTERS_PER_YEAR

AS_BUILT = "as-built"
PER_YEAR = cell(QUARTERS_PER_YEAR)
QUARTER = {
    "years": ("Years from the decision", "number"),
    "served": ("Demand over what is planned for", "frac"),
    "price": ("Price of tokens over today's", "frac"),
    "hardware": ("Price of hardware over today's", "frac"),
    "discount": ("Present value of a dollar", "number"),
}
ROWS = {
    "live": ("Share in service", "frac"),
    "margin": ("Margin a year at this quarter's demand", "usd"),
    "operating": ("Operating cash", "usd"),
    "spent": ("Set-up and team", "usd"),
    "capital": ("Chips bought, sold and left over", "usd"),
    "deducted": ("Deducted for tax", "usd"),
}
AGAINST = {
    "flow": ("After tax, against as built", "usd"),
    "present": ("Present value", "usd"),
}


@dataclass(frozen=True, slots=True)
class Life:
    """Terms that every quarter shares. life_quarters: of a chip; last: the horizon's quarter."""

    life_quarters: Cell
    last: Cell
    tax_frac: Cell


def npvs(book: Book, held: Shape, of: Mapping[str, Year]) -> dict[str, Cell]:
    """Write the sheet. Returns: net present value of each option against as built. [USD]"""
    plans, row = changing(book, held, of)
    flow = _Flow(book.sheets["Cash flow"], held, row)
    base = flow.option(AS_BUILT, plans[AS_BUILT], None)
    worth = {}
    for name, mine in plans.items():
        if name != AS_BUILT:
            flow.option(name, mine, base)
            worth[name] = flow.worth[name]
    return worth


class _Flow:
    """The sheet while it is written: a column a quarter."""

    def __init__(self, sheet: Sheet, held: Shape, row: int) -> None:
        self.sheet, self.held, self.row = sheet, held, row
        self.worth: dict[str, Cell] = {}
        inputs, horizon = held.inputs, float(held.plan.ledger["horizon_years"])
        n = round(horizon * QUARTERS_PER_YEAR)
        sheet.text(row, 0, "Life of a chip, whole quarters")
        life = most(rounded(inputs["finance.life_years"] * PER_YEAR), 1)
        self.life = Life(sheet.formula(row, 1, life, "count"), cell(0), inputs["finance.tax_frac"])
        self.row += 2
        sheet.text(self.row, 0, "Quarter", "head")
        self.q = [sheet.number(self.row, at + 1, at, "count", "head") for at in range(n + 1)]
        self.life = Life(self.life.life_quarters, self.q[-1], self.life.tax_frac)
        self.common = self._common()

    def _line(
        self, about: tuple[str, str], each: Callable[[int], Cell], look: str = "plain"
    ) -> list[Cell]:
        """A row of one formula a quarter."""
        self.row += 1
        label, shown = about
        self.sheet.text(self.row, 0, label, look)
        return [
            self.sheet.formula(self.row, at + 1, each(at), shown, look) for at in range(len(self.q))
        ]

    def _common(self) -> dict[str, list[Cell]]:
        """What is the same for every option: demand, prices and the value of a later dollar."""
        inputs, ledger = self.held.inputs, self.held.plan.ledger
        growth = inputs.given(
            "growth", "Growth of demand", ledger["growth_frac_per_year"], "frac/year", held=True
        )
        planned = inputs.given(
            "planned_years",
            "Planned for",
            ledger["planning_month"] / MONTHS_PER_YEAR,
            "years",
            held=True,
        )
        years = self._line(QUARTER["years"], lambda at: self.q[at] / PER_YEAR)
        rate = {
            "served": lambda at: least((1 + growth) ** (years[at] - planned), 1),
            "price": lambda at: (1 - inputs["finance.price_erosion_frac_per_year"]) ** years[at],
            "hardware": lambda at: self._hardware(years[at]),
            "discount": lambda at: (1 + inputs["finance.wacc_frac"]) ** -years[at],
        }
        return {name: self._line(QUARTER[name], each) for name, each in rate.items()}

    def _hardware(self, years: Cell) -> Cell:
        """Price of hardware after some years over today's."""
        inputs = self.held.inputs
        memory = inputs["prices.memory.capital_share_frac"]
        rest_drift = 1 + inputs["finance.component_drift_frac_per_year"]
        memory_drift = 1 + inputs["prices.memory.drift_frac_per_year"]
        return cell((1 - memory) * rest_drift**years + memory * memory_drift**years)

    def option(
        self, name: str, mine: Changing, base: Mapping[str, list[Cell]] | None
    ) -> dict[str, list[Cell]]:
        """The rows of an option; base: those of as-built, None for its own."""
        self.row += 2
        self.sheet.text(self.row, 0, self.held.names[name], "part")
        rows: dict[str, list[Cell]] = {}
        each = {
            "live": lambda at: most(least(self.q[at] - mine.start, 1), 0),
            "margin": lambda at: self._margin(mine, at),
            "operating": lambda at: self._operating(mine, rows, base or rows, at),
            "spent": lambda at: self._spent(mine, at),
            "capital": lambda at: self._capital(mine, at),
            "deducted": lambda at: self._deducted(mine, at),
        }
        for line, formula in each.items():
            rows[line] = self._line(ROWS[line], formula)
        if base is not None:
            flow = self._line(AGAINST["flow"], lambda at: self._flow(rows, base, at), "strong")
            present = self._line(
                AGAINST["present"], lambda at: flow[at] * self.common["discount"][at]
            )
            self._worth(name, present)
        return rows

    def _worth(self, name: str, present: list[Cell]) -> None:
        block = self.sheet.span((self.row, 1), (self.row, len(present)))
        total = Cell(sum(each.value for each in present), f"SUM({block})")
        self.row += 1
        self.sheet.text(self.row, 0, "Net present value", "total")
        self.worth[name] = self.sheet.formula(self.row, 1, total, "usd", "total")

    def _margin(self, mine: Changing, at: int) -> Cell:
        held = mine.cash
        moved = held.revenue_usd_per_year * self.common["price"][at] - held.energy_usd_per_year
        margin = self.common["served"][at] * moved - held.running_usd_per_year
        return cell(margin)

    def _operating(
        self,
        mine: Changing,
        rows: Mapping[str, list[Cell]],
        base: Mapping[str, list[Cell]],
        at: int,
    ) -> Cell:
        """A quarter's margin: of the option where it serves, before that of what is owned."""
        if not at:
            return cell(0)
        live, waits = rows["live"][at], mine.cash.interim_frac * base["margin"][at]
        mixed = live * rows["margin"][at] + (1 - live) * waits
        return cell(mixed / PER_YEAR)

    def _spent(self, mine: Changing, at: int) -> Cell:
        held = mine.cash
        return cell(held.team_usd_per_year / PER_YEAR if at else held.setup_usd)

    def _starts(self, mine: Changing, at: int) -> Cell:
        """Whether this is the quarter of the start, within the horizon."""
        return both(self.q[at].equals(mine.start), self.life.last > mine.start)

    def _left_frac(self, mine: Changing) -> Cell:
        """Share of the last purchase's life that the horizon leaves over."""
        used = remainder(self.life.last - mine.start, self.life.life_quarters)
        within = both(self.life.last > mine.start, used > 0)
        return where(within, 1 - used / self.life.life_quarters, 0)

    def _capital(self, mine: Changing, at: int) -> Cell:
        """Chips idle either way sold at once, those freed at the start; purchases; what is left."""
        q, life, held = self.q[at], self.life.life_quarters, mine.cash
        price = held.purchase_usd * self.common["hardware"][at]
        sold = where(self._starts(mine, at), held.resale_usd, 0)
        sold = sold if at else sold + held.surplus_resale_usd
        if at == len(self.q) - 1:
            return cell(sold + price * self._left_frac(mine))
        worn, before = floor((q - mine.start) / life), floor((q - 1 - mine.start) / life)
        return sold - where(both(q >= mine.start, worn > before), price, 0)

    def _deducted(self, mine: Changing, at: int) -> Cell:
        """Depreciation of purchases, and the loss on displaced chips less what they would shed."""
        q, life, held, start = self.q[at], self.life.life_quarters, mine.cash, mine.start
        bought = start + life * most(floor((q - 1 - start) / life), 0)
        worn = held.purchase_usd * self._hardware(bought / PER_YEAR) / life
        wears = where(both(q > start, self.life.last > start), worn, 0)
        book, rest = held.displaced_book_usd, most(held.displaced_years * PER_YEAR, 1)
        lost = book * most(1 - start / rest, 0) - held.resale_usd
        shed = where(q > start, self._shed(book, rest, at), 0)
        deducted = wears + where(self._starts(mine, at), lost, 0) - shed + self._surplus(mine, at)
        return deducted + self._fallen(mine) if at == len(self.q) - 1 else deducted

    def _shed(self, book: Cell, rest: Cell, at: int) -> Cell:
        """Depreciation of a quarter that chips would have had, were they not sold."""
        return cell(book / rest * most(least(rest - (self.q[at] - 1), 1), 0))

    def _surplus(self, mine: Changing, at: int) -> Cell:
        """Loss on chips that are idle either way, sold at the decision, less what they shed."""
        held = mine.cash
        if not at:
            return cell(held.surplus_book_usd - held.surplus_resale_usd)
        rest = most(held.surplus_years * PER_YEAR, 1)
        return -self._shed(held.surplus_book_usd, rest, at)

    def _fallen(self, mine: Changing) -> Cell:
        """Book of what is left at the horizon over what it fetches then."""
        life, start = self.life.life_quarters, mine.start
        last = start + life * floor((self.life.last - start) / life)
        fall = self._hardware(last / PER_YEAR) - self.common["hardware"][-1]
        return cell(mine.cash.purchase_usd * fall * self._left_frac(mine))

    def _flow(
        self, rows: Mapping[str, list[Cell]], base: Mapping[str, list[Cell]], at: int
    ) -> Cell:
        """After-tax cash of an option less that of as-built."""
        more = {line: rows[line][at] - base[line][at] for line in ROWS}
        gained, spent = more["operating"], more["spent"]
        taxed = self.life.tax_frac * (gained - spent - more["deducted"])
        return gained - spent + more["capital"] - taxed
