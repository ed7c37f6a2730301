"""The workbook of a plan as a file: the sheets in the order in which their values flow."""

from datetime import UTC, datetime

from planner.decision.plan import Plan
from planner.export.workbook.bridge import bridge, stranded
from planner.export.workbook.cash import npvs
from planner.export.workbook.checks import checks
from planner.export.workbook.inputs import Inputs
from planner.export.workbook.options import years
from planner.export.workbook.shape import shape
from planner.export.workbook.sheets import Book
from planner.export.workbook.sources import sources


def workbook(plan: Plan, *, made_at: datetime | None = None) -> bytes:
    """Live formulas from inputs to net present value, filled in; the same bytes for one `made_at`.

    Within its scope, fleets held as sized, a changed input gives what the planner would say.
    made_at: when the file was made; now by default.
    """
    plan.as_dict(flips=False)  # so that the register holds all that headlines ask for
    book = Book(made_at or datetime.now(UTC), f"Switchyard workbook: {plan.scenario.name}")
    inputs = Inputs(book, plan)
    held = shape(book, plan, inputs)
    of = years(book, held)
    worth = npvs(book, held, of)
    money, power = bridge(book, held, of), stranded(book, held, of)
    sources(book, plan)
    inputs.write()
    checks(book, plan, of, worth, money, power)
    return book.bytes()
