"""Checks: every figure of the workbook beside the planner's, red where they differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from planner.decision.plan import Plan
from planner.export.words import OPTIONS, title_of
from planner.export.workbook.bridge import Bridged, Megawatts
from planner.export.workbook.cells import Cell, cell
from planner.export.workbook.options import UNITS, Year, shown_of
from planner.export.workbook.sheets import Book, Sheet
from planner.facts.units import W_PER_MW
from planner.money import stranded as megawatts
from planner.money import tax
from planner.money.economics import j_per_useful_token, revenue_usd_per_kwh, usd_per_mtok

NOTE = (
    "Left the formulas of this file, right what the planner said. All are the same until an input "
    "is changed; then a red row is a figure that has moved."
)
HEAD = ("Figure", "Option", "This workbook", "The plan", "Difference", "Verdict")
WIDTHS = (46, 28, 20, 20, 18, 16)
SAME, MOVED = "same", "differs"
TOLERANCE = 5e-3
CLOSE = 1e-9
DOLLARS = "usd"


@dataclass(frozen=True, slots=True)
class Check:
    """A figure: where it stands in the workbook, and the planner's value, in the same unit."""

    figure: str
    option: str
    mine: Cell
    value: float
    shown: str


def checks(
    book: Book,
    plan: Plan,
    of: Mapping[str, Year],
    worth: Mapping[str, Cell],
    money: Bridged,
    power: Megawatts,
) -> None:
    """Write every check, and on top whether all hold."""
    sheet = book.sheets["Checks"]
    row = sheet.headed("Checks", NOTE, WIDTHS)
    every = [*_bridge(plan, money), *_power(plan, power), *_worth(plan, worth), *_years(plan, of)]
    first = row + 2 + 1
    last = first + len(every) - 1
    verdicts = sheet.span((first, len(HEAD) - 1), (last, len(HEAD) - 1))
    sheet.text(row, 0, "All figures together", "strong")
    said = f'IF(COUNTIF({verdicts},"{MOVED}")=0,"{SAME}","{MOVED}")'
    sheet.worded(row, 1, said, SAME)
    sheet.texts(row + 2, HEAD, "head")
    sheet.raw.freeze_panes(first, 1)
    for at, each in enumerate(every, first):
        _write(sheet, at, each)
    _coloured(book, sheet, (row, first, last))


def _write(sheet: Sheet, row: int, each: Check) -> None:
    sheet.texts(row, (each.figure, each.option))
    mine = sheet.formula(row, 2, each.mine, each.shown)
    plan = sheet.number(row, HEAD.index("The plan"), each.value, each.shown, "held")
    apart = sheet.formula(row, HEAD.index("Difference"), mine - plan, "number")
    cents = TOLERANCE if each.shown == DOLLARS else 0
    limit = f"MAX({cents},{CLOSE}*ABS({plan.text}))"
    words = f'IF(ABS({apart.text})<={limit},"{SAME}","{MOVED}")'
    sheet.worded(row, len(HEAD) - 1, words, SAME)


def _coloured(book: Book, sheet: Sheet, rows: tuple[int, int, int]) -> None:
    """Red where a figure differs, quiet green where it is the same; the words say so too."""
    top, first, last = rows
    for words, ink, paper in ((MOVED, "#9C0006", "#FFC7CE"), (SAME, "#1E5B2A", "#E3F1E5")):
        look = book.raw.add_format({"font_color": ink, "bg_color": paper})
        rule = {"type": "cell", "criteria": "==", "value": f'"{words}"', "format": look}
        sheet.raw.conditional_format(top, 1, top, 1, rule)
        sheet.raw.conditional_format(first, len(HEAD) - 1, last, len(HEAD) - 1, rule)


def _bridge(plan: Plan, money: Bridged) -> Iterator[Check]:
    for step, mine in money.steps.items():
        yield Check(tax.LABELS[step], "", mine, float(plan.bridge.steps[step]), DOLLARS)
    yield Check("Net a year", "", money.net, float(plan.bridge.net), DOLLARS)
    gross, feasible = plan.ladder_costs
    left, gap = tax.tax_frac(gross, feasible), tax.gross_gap_frac(gross, feasible)
    values = {"gross_gap_frac": gap, "tax_frac": left, "software_gain_frac": gap - left}
    if "paper_tax_frac" in money.shares:
        paper = plan.money.gross_usd_per_year("split-specialised")
        values["paper_tax_frac"] = tax.paper_tax_frac(gross, feasible, paper)
    names = {
        "gross_gap_frac": "Gap before friction",
        "tax_frac": "Bifurcation tax",
        "software_gain_frac": "Gain of software and splitting",
        "paper_tax_frac": "Tax against chips on paper",
    }
    for name, mine in money.shares.items():
        yield Check(names[name], "", mine, float(values[name]), "frac")


def _power(plan: Plan, power: Megawatts) -> Iterator[Check]:
    held = plan.stranded
    provisioned = held.provisioned_w / W_PER_MW
    for cause, mine in power.causes.items():
        value = float(held.causes[cause]) / W_PER_MW
        yield Check(f"{megawatts.LABELS[cause]}, MW", "", mine, value, "mw")
    values = {
        "provisioned_mw": ("Provisioned, MW", provisioned),
        "needed_mw": ("Needed, MW", held.needed_w / W_PER_MW),
        "stranded_w": ("Stranded, MW", held.stranded_w / W_PER_MW),
        "recovered_w": ("Recovered, MW", held.recovered_w / W_PER_MW),
        "free_mw": ("Free under the budget, MW", plan.ledger["power_budget_mw"] - provisioned),
        "extra_throughput_frac": ("Extra throughput", held.extra_throughput_frac),
    }
    for name, mine in power.figures.items():
        label, value = values[name]
        yield Check(label, "", mine, float(value), "frac" if name.endswith("frac") else "mw")


def _worth(plan: Plan, worth: Mapping[str, Cell]) -> Iterator[Check]:
    for option, mine in worth.items():
        value = float(plan.money.npv_usd[option])
        yield Check("Net present value", OPTIONS[option], mine, value, DOLLARS)


def _years(plan: Plan, of: Mapping[str, Year]) -> Iterator[Check]:
    """Every line of a year, and the figures per unit."""
    for option, year in of.items():
        held = (plan.money.costs[option], plan.money.sold[option], plan.money.extras[option])
        for mine, now in zip((year.costs, year.sold, year.extras), held, strict=True):
            yield from _lines(OPTIONS[option], mine, now)
        values = _figures(plan, option)
        for name, found in year.figures.items():
            shown = UNITS.get(name, DOLLARS)
            yield Check(title_of(name), OPTIONS[option], found, float(values[name]), shown)


def _lines(option: str, mine: Any, now: Any) -> Iterator[Check]:
    for field in fields(now):
        found, value = cell(getattr(mine, field.name)), float(getattr(now, field.name))
        yield Check(title_of(field.name), option, found, value, shown_of(field.name))


def _figures(plan: Plan, option: str) -> dict[str, Any]:
    """What the planner says of a year in total and per unit."""
    lines, sold = plan.money.costs[option], plan.money.sold[option]
    total = plan.money.cost_usd_per_year(option)
    facility_w = plan.watts[option].mean_w * plan.ledger["site.pue"]
    return {
        "gross": lines.gross_usd_per_year,
        "cost": total,
        "revenue": sold.revenue_usd,
        "usd_per_mtok": usd_per_mtok(total, sold),
        "capex_usd_per_mtok": usd_per_mtok(lines.capital_usd_per_year, sold),
        "revenue_usd_per_kwh": revenue_usd_per_kwh(sold, lines),
        "j_per_useful_token": j_per_useful_token(facility_w, sold),
    }
