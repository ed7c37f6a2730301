"""Sources: every assumption with its range and kind, and the documents that they are from."""

from planner.decision.plan import Plan
from planner.decision.wording import name_of
from planner.export.workbook.sheets import Book

NOTE = (
    "Every number that the plan used, also those that decide sizes. An estimate has no published "
    "source; its low and high say how far it may be off."
)
HEAD = ("Assumption", "Value", "Unit", "Low", "High", "Kind", "Source", "Set by you", "Name")
DOCUMENT = ("Source", "Title", "Publisher", "Date", "Address", "Kind", "Read for this catalog")
WIDTHS = (46, 28, 20, 16, 28, 14, 26, 12, 48)


def sources(book: Book, plan: Plan) -> None:
    """Write the register, then the documents that it cites."""
    sheet, ledger = book.sheets["Sources"], plan.ledger
    row = sheet.headed("Sources", NOTE, WIDTHS)
    sheet.texts(row, HEAD, "head")
    sheet.raw.freeze_panes(row + 1, 1)
    held = [ledger.used[name] for name in sorted(ledger.used)]
    first = row
    for each in held:
        row += 1
        sheet.text(row, 0, name_of(each, plan.catalog))
        for name in ("value", "low", "high"):
            sheet.number(row, HEAD.index(name.capitalize()), getattr(each, name), "number")
        sheet.text(row, 2, each.unit)
        mine = "yes" if each.overridden else ""
        sheet.texts(row, (each.kind, each.source, mine, each.parameter), column=HEAD.index("Kind"))
    sheet.raw.autofilter(first, 0, row, len(HEAD) - 1)
    row += 2
    sheet.text(row, 0, "Documents", "part")
    row += 1
    sheet.texts(row, DOCUMENT, "head")
    for name in sorted({each.source for each in held} & plan.catalog.sources.keys()):
        row += 1
        found = plan.catalog.sources[name]
        read = "yes" if found.retrieved else "no"
        about = (name, found.title, found.publisher, found.date, found.url, found.kind, read)
        sheet.texts(row, about)
