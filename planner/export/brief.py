"""The one-page brief as PDF: what a capacity architect asks a CFO to sign."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst

from planner.decision.plan import Plan
from planner.errors import ExportError
from planner.export.content import content
from planner.export.printable import FONTS, literal

TEMPLATE = Path(__file__).parent / "brief.typ"
PAPERS = ("a4", "letter")
STATUSES = ("DRAFT", "APPROVED")


def brief_pdf(
    plan: Plan,
    *,
    paper: str = "a4",
    made_at: datetime | None = None,
    author: str = "",
    status: str = "DRAFT",
) -> bytes:
    """One page, tagged (PDF/UA-1, PDF/A-2a), fonts embedded; the same bytes for the same `made_at`.

    made_at: when the page was made, UTC where it names no zone; now by default.
    Raises ExportError where paper or status are unknown, or one page cannot hold the plan.
    """
    _known("paper", paper, PAPERS)
    _known("status", status, STATUSES)
    moment = _utc(made_at)
    said = content(plan, made_at=moment, author=author, status=status)
    page = {"paper": paper, **_literal(said), "figures": said["figures"]}
    return _compiled(json.dumps(page), moment)


def _literal(said: Any) -> Any:
    """Every text of the page without what the font cannot print."""
    if isinstance(said, Mapping):
        return {key: _literal(item) for key, item in said.items()}
    if isinstance(said, list | tuple):
        return [_literal(item) for item in said]
    return literal(said) if isinstance(said, str) else said


def _known(what: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise ExportError(f"brief: {what} {given!r} is unknown; allowed are {', '.join(allowed)}.")


def _utc(made_at: datetime | None) -> datetime:
    if made_at is None:
        return datetime.now(UTC)
    return made_at.astimezone(UTC) if made_at.tzinfo else made_at.replace(tzinfo=UTC)


def _compiled(said: str, moment: datetime) -> bytes:
    try:
        made: bytes = typst.compile(
            TEMPLATE,
            root=TEMPLATE.parent,
            font_paths=[FONTS],
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"content": said},
            pdf_standards=["a-2a", "ua-1"],
            timestamp=int(moment.timestamp()),
        )
    except (typst.TypstError, RuntimeError) as error:
        raise ExportError(f"brief: the page cannot be set: {error}.") from error
    return made
