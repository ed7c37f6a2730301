"""The one-page brief as PDF: what a capacity architect asks a CFO to sign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from planner.decision.plan import Plan
from planner.export.content import content
from planner.export.kinds import PAPERS, STATUSES
from planner.export.printable import printable
from planner.export.setting import known, pictured, typeset, utc

TEMPLATE = "brief.typ"
NAME_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Signature:
    """Who reviewed or approved, in which role, and when (UTC). state: reviewed or approved."""

    state: str
    name: str
    role: str
    at: datetime


def brief_pdf(
    plan: Plan,
    *,
    paper: str = "a4",
    made_at: datetime | None = None,
    author: str = "",
    status: str = "DRAFT",
    signatures: Sequence[Signature] = (),
) -> bytes:
    """One page, tagged (PDF/UA-1, PDF/A-2a), fonts embedded; the same bytes for the same `made_at`.

    made_at: when the page was made, UTC where it names no zone; now by default. signatures: of the
    review and the approval that `status` names. The file carries a seal (`planner.export.seal`).
    Raises ExportError where paper or status are unknown, or one page cannot hold the plan.
    """
    known("paper", paper, PAPERS)
    known("status", status, STATUSES)
    moment = utc(made_at)
    said = content(plan, made_at=moment, author=author, status=status)
    signed = {each.state: _signed(each) for each in signatures}
    return typeset(TEMPLATE, {**said, "signed": signed}, moment, status=status, paper=paper)


def brief_png(plan: Plan, *, paper: str = "a4", made_at: datetime | None = None) -> bytes:
    """The draft of that page as a picture, to look at before it is printed; errors as there."""
    moment, status = utc(made_at), STATUSES[0]
    said = {**content(plan, made_at=moment, author="", status=status), "signed": {}}
    return pictured(TEMPLATE, said, moment, status=status, paper=paper)


def _signed(by: Signature) -> dict[str, str]:
    at = f"{utc(by.at):%Y-%m-%d %H:%M} UTC"
    return {"name": printable(by.name, NAME_CHARACTERS), "about": f"{by.role}, {at}"}
