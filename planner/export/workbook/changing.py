"""What changes hands under each option, on top of the sheet Cash flow."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from planner.decision.cashed import AS_BUILT, cash_plan, chips_needed, served_frac
from planner.export.workbook.cells import Cell, ceiling, cell
from planner.export.workbook.options import Year
from planner.export.workbook.shape import Shape, by_value
from planner.export.workbook.sheets import Book, Sheet
from planner.fleet.watts import nameplate_w
from planner.money.cash import Plan

NOTE = (
    "Cash against carrying on as built, after tax, by quarter from the decision. Owned chips enter "
    "at what they would fetch; book value touches only tax. Net present value is at the stated "
    "values; the brief shows the middle of all draws."
)
LINES = {
    "revenue_usd_per_year": ("Revenue a year", "usd"),
    "energy_usd_per_year": ("Electricity a year", "usd"),
    "running_usd_per_year": ("Other running cost a year", "usd"),
    "purchase_usd": ("New chips bought, all in", "usd"),
    "resale_usd": ("Owned chips freed and sold at the start", "usd"),
    "displaced_book_usd": ("Book value of the chips freed", "usd"),
    "displaced_years": ("Life left of the chips freed, years", "number"),
    "setup_usd": ("Re-equipped halls, roll-out and risk", "usd"),
    "team_usd_per_year": ("Team a year", "usd"),
    "start_quarters": ("Quarters to the first benefit", "number"),
    "interim_frac": ("Work that owned chips do until then", "frac"),
    "surplus_resale_usd": ("Owned chips idle either way, sold at once", "usd"),
    "surplus_book_usd": ("Book value of the chips idle either way", "usd"),
    "surplus_years": ("Life left of the chips idle either way, years", "number"),
}
WIDTHS = (44, *[16] * 21)


@dataclass(frozen=True, slots=True)
class Changing:
    """An option in cash terms as cells; start: in whole quarters."""

    cash: Plan
    start: Cell


def changing(book: Book, held: Shape, of: Mapping[str, Year]) -> tuple[dict[str, Changing], int]:
    """Write a row a line, a column an option. Returns: by option, and the first free row."""
    sheet = book.sheets["Cash flow"]
    row = sheet.headed("Cash flow", NOTE, WIDTHS)
    sheet.texts(row, ("What changes hands", *held.names.values()), "head")
    parts, row = _shared(sheet, row, held)
    built = parts[AS_BUILT]
    found = {name: _cash(held, of, name, built | parts[name]) for name in held.names}
    placed: dict[str, dict[str, Cell]] = {name: {} for name in held.names}
    for field in fields(Plan):
        row += 1
        label, shown = LINES[field.name]
        sheet.text(row, 0, label)
        for column, name in enumerate(held.names, 1):
            value = found[name][field.name]
            placed[name][field.name] = sheet.formula(row, column, value, shown)
    row += 1
    sheet.text(row, 0, "Start, in whole quarters")
    starts = {
        name: sheet.formula(row, column, ceiling(placed[name]["start_quarters"]), "count")
        for column, name in enumerate(held.names, 1)
    }
    return {name: Changing(Plan(**placed[name]), starts[name]) for name in held.names}, row + 2


def _shared(sheet: Sheet, row: int, held: Shape) -> tuple[dict[str, dict[Cell, Cell]], int]:
    """The share served and the chips it takes: by option, the formula of each to its cell."""
    chips = sorted({p.accelerator for name in held.names for p in held.fleet(name).pools})
    chips += [chip for chip in held.sized.owned if chip not in chips]
    parts: dict[str, dict[Cell, Cell]] = {}
    sheet.text(row + 1, 0, "Demand served within the power budget")
    for n, chip in enumerate(chips, row + 2):
        sheet.text(n, 0, f"{held.plan.catalog.accelerators[chip].name}: chips in use")
    for column, name in enumerate(held.names, 1):
        fleet = held.fleet(name)
        served = cell(served_frac(held.sized, fleet, held.inputs))
        need = chips_needed(held.sized, fleet, served, held.inputs)
        whole = {served: sheet.formula(row + 1, column, served, "frac")}
        placed = {}
        for n, chip in enumerate(chips, row + 2):
            used = cell(need.get(chip, 0.0))
            at = sheet.formula(n, column, used.using(whole), "count")
            if used.text != at.text and chip in need and used.text != "0":
                placed[used] = at
        longest = sorted(placed, key=lambda part: -len(part.text))
        parts[name] = {part: placed[part] for part in longest} | whole
    return parts, row + 1 + len(chips)


def _cash(
    held: Shape, of: Mapping[str, Year], name: str, parts: Mapping[Cell, Cell]
) -> dict[str, Cell]:
    """The lines of an option, with shared parts taken from where they stand."""
    year, fleets = of[name], held.sized.fleets
    plan = cash_plan(
        held.sized, fleets, fleets[name], year.costs, year.extras, year.sold, held.inputs
    )
    every = {**parts, **by_value(nameplates(held))}
    return {field.name: cell(getattr(plan, field.name)).using(every) for field in fields(Plan)}


def nameplates(held: Shape) -> dict[str, Cell]:
    """Nameplate of one chip of each type in use or owned, with server and network. [W]"""
    catalog, ledger = held.plan.catalog, held.plan.ledger
    used = {pool.accelerator for fleet in held.sized.fleets.values() for pool in fleet.pools}
    return {
        chip: held.inputs.given(
            f"nameplate.{chip}_w",
            f"{catalog.accelerators[chip].name}: nameplate with server and network",
            float(nameplate_w(chip, catalog, ledger)),
            "W",
            held=True,
        )
        for chip in sorted({*used, *held.sized.owned})
    }
