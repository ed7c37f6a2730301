"""Bridge and megawatts: from as built to matched pools, and from provisioned to needed power."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from planner.decision.plan import Plan
from planner.export.workbook.cells import Cell, cell, least
from planner.export.workbook.changing import nameplates
from planner.export.workbook.options import Year
from planner.export.workbook.shape import CHIPS, FIRST, WORDS, Shape
from planner.export.workbook.sheets import Book, Sheet
from planner.facts.units import W_PER_MW
from planner.fleet.options import PURCHASABLE
from planner.fleet.pools import ROLES
from planner.fleet.watts import Watts, capped, provisioned_w
from planner.money import stranded as megawatts
from planner.money import tax

NOTE = (
    "A step is what the yearly cost falls by against the step before, at replacement cost: savings "
    "positive, costs negative. An option that cannot serve carries the cost before it forward."
)
WIDTHS = (44, 20, 16)
SHARES = {
    "gross_gap_frac": "Matched pools against as built, before friction",
    "software_gain_frac": "of which software and splitting on owned chips",
    "tax_frac": "Bifurcation tax: what better chips save after software",
    "paper_tax_frac": "The same with chips on paper",
}
POWER = {
    "stranded_w": "Stranded: surplus, cappable nameplate and mismatch",
    "recovered_w": "Recovered: provisioned less the best option's",
}


@dataclass(frozen=True, slots=True)
class Bridged:
    """Steps and net [USD/year], and the shares beside them."""

    steps: Mapping[str, Cell]
    net: Cell
    shares: Mapping[str, Cell]


def bridge(book: Book, held: Shape, of: Mapping[str, Year]) -> Bridged:
    """Write the bridge, and the shares that headlines show."""
    sheet = book.sheets["Bridge"]
    gross, feasible = _ladder(held, of)
    found = tax.bridge(gross, feasible, {name: of[name].extras for name in of})
    row = sheet.headed("Bridge", NOTE, WIDTHS)
    sheet.texts(row, ("Step", "USD a year", "of as built"), "head")
    row += 1
    sheet.text(row, 0, "Cost as built")
    base = sheet.formula(row, 1, cell(found.base), "usd")
    steps = {}
    for step, saving in found.steps.items():
        row += 1
        sheet.text(row, 0, tax.LABELS[step])
        steps[step] = sheet.formula(row, 1, cell(saving), "usd")
        sheet.formula(row, 2, steps[step] / base, "frac")
    row += 1
    sheet.text(row, 0, "Net", "total")
    block = sheet.span((row - len(steps), 1), (row - 1, 1))
    total = Cell(sum(step.value for step in steps.values()), f"SUM({block})")
    net = sheet.formula(row, 1, total, "usd", "total")
    sheet.formula(row, 2, net / base, "frac", "total")
    return Bridged(steps, net, _shares(sheet, row + 2, held, of))


def _ladder(held: Shape, of: Mapping[str, Year]) -> tuple[dict[str, Any], dict[str, bool]]:
    """Gross cost of the purchasable options, and which of them serve."""
    gross = {name: of[name].figures["gross"] for name in PURCHASABLE if name in of}
    return gross, {name: held.plan.fleets[name].feasible and name in of for name in PURCHASABLE}


def _shares(sheet: Sheet, row: int, held: Shape, of: Mapping[str, Year]) -> dict[str, Cell]:
    """What the headlines say of the bridge. [frac]"""
    gross, feasible = _ladder(held, of)
    owned = _cheapest(gross, feasible, tax.STEPS[:-1])
    left = 1 - _cheapest(gross, feasible, tax.STEPS) / owned
    gap = cell(tax.gross_gap_frac(gross, feasible))
    found = {"gross_gap_frac": gap, "software_gain_frac": gap - left, "tax_frac": left}
    if held.plan.fleets["split-specialised"].feasible:
        found["paper_tax_frac"] = 1 - of["split-specialised"].figures["gross"] / owned
    sheet.text(row, 0, "Shares", "part")
    placed = {}
    for name, value in found.items():
        row += 1
        sheet.text(row, 0, SHARES[name])
        placed[name] = sheet.formula(row, 1, value, "frac")
    return placed


def _cheapest(gross: Mapping[str, Any], feasible: Mapping[str, bool], steps: Any) -> Cell:
    serving = [gross[step] for step in steps if feasible[step]]
    return least(*(serving or [gross[tax.STEPS[0]]]))


@dataclass(frozen=True, slots=True)
class Megawatts:
    """Power at the meter [MW], its causes, and the extra throughput it allows."""

    figures: Mapping[str, Cell]
    causes: Mapping[str, Cell]


def stranded(book: Book, held: Shape, of: Mapping[str, Year]) -> Megawatts:
    """Write the stranded megawatts below the power of the options."""
    sheet, inputs = book.sheets["Power"], held.inputs
    best, row = _best(sheet, held.row, held, of)
    pue = inputs["site.pue"]
    found = megawatts.stranded(
        _owned_w(held),
        held.sized.watts["as-built"].times(pue),
        _harmless_w(held) * pue,
        best.times(pue),
    )
    sheet.texts(row, ("Stranded power at the meter", "MW"), "head")

    def line(label: str, given: Any, shown: str = "mw", look: str = "plain") -> Cell:
        nonlocal row
        row += 1
        sheet.text(row, 0, label, look)
        return sheet.formula(row, 1, cell(given), shown, look)

    provisioned = line("Provisioned", found.provisioned_w / W_PER_MW, look="strong")
    causes = {
        cause: line(_either(cause), watts / W_PER_MW) for cause, watts in found.causes.items()
    }
    needed = line("Needed", provisioned - reduce(add, causes.values()), look="total")
    row += 1
    figures = {"provisioned_mw": provisioned, "needed_mw": needed}
    for name, label in POWER.items():
        figures[name] = line(label, getattr(found, name) / W_PER_MW)
    figures["free_mw"] = line(
        "Free under the power budget", inputs["power_budget_mw"] - provisioned
    )
    figures["extra_throughput_frac"] = line(
        "Extra throughput from this site; the line is 20%", found.extra_throughput_frac, "frac"
    )
    return Megawatts(figures, causes)


def _either(cause: str) -> str:
    """What a cause is called whichever way its live figure turns."""
    below = megawatts.SHORT_OF.get(cause)
    return megawatts.LABELS[cause] + (f"; below zero: {below.lower()}" if below else "")


def _best(sheet: Sheet, row: int, held: Shape, of: Mapping[str, Year]) -> tuple[Watts, int]:
    """IT power of the cheapest option on sale, whichever it is, and the next free row."""
    gross, feasible = _ladder(held, of)
    allowed = [name for name in gross if feasible[name]] or list(gross)
    sheet.text(row, 0, "Options on sale that serve: the cheapest before friction counts", "part")
    sheet.texts(row + 1, ("Option", *[""] * (CHIPS - 1), "Cost a year", *WORDS.values()), "head")
    first, row = row + 2, row + 1
    for name in allowed:
        row += 1
        sheet.text(row, 0, held.names[name])
        sheet.formula(row, CHIPS, gross[name], "usd")
        for column, word in enumerate(WORDS, len(FIRST)):
            sheet.formula(row, column, getattr(held.sized.watts[name], word), "count")
    costs = sheet.span((first, CHIPS), (row, CHIPS))
    sheet.text(row + 1, 0, "The cheapest", "total")
    found = {}
    for column, word in enumerate(WORDS, len(FIRST)):
        block = sheet.span((first, column), (row, column))
        text = f"INDEX({block},MATCH(MIN({costs}),{costs},0))"
        value = float(getattr(held.plan.watts[held.plan.best], word))
        found[word] = sheet.formula(row + 1, column, Cell(value, text), "count", "total")
    return Watts(**found), row + 2 + 1


def _owned_w(held: Shape) -> Any:
    """Nameplate of the owned fleet at the meter; None where nothing is owned. [W]"""
    each = nameplates(held)
    owned = [n * each[chip] for chip, n in held.sized.owned.items()]
    return reduce(add, owned) * held.inputs["site.pue"] if owned else None


def _harmless_w(held: Shape) -> Cell:
    """IT power of as-built under caps that slow nothing, as sized. [W]"""
    plan: Plan = held.plan
    fleet = capped(plan.fleets["as-built"], plan.catalog, plan.ledger, ROLES)
    watts = float(provisioned_w(fleet, plan.catalog, plan.ledger))
    label = "As built under caps that slow nothing"
    return held.inputs.given("as_built.harmless_w", label, watts, "W", held=True)
