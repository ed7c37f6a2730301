"""Pages set by Typst: tagged, fonts embedded, the same bytes for the same content and moment."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst

from planner.errors import ExportError
from planner.export.kinds import PAPERS
from planner.export.printable import FONTS, literal
from planner.export.seal import content_hash, keywords, sealed

FOLDER = Path(__file__).parent
SHOWN_CHARACTERS = 8
"""Of the content hash, on the page."""
SCREEN_PPI = 110.0
STANDARDS = ("a-2a", "ua-1")


def typeset(
    template: str, said: Mapping[str, Any], moment: datetime, *, status: str, paper: str
) -> bytes:
    """The pages of a template as PDF (PDF/UA-1, PDF/A-2a), sealed.

    said: its content; texts print literally but for `figures`, which holds drawings.
    Raises ExportError where the paper is unknown or the template refuses the content.
    """
    known("paper", paper, PAPERS)
    page = _page(said, status=status, paper=paper)
    return sealed(_compiled(template, page, moment, format="pdf", pdf_standards=list(STANDARDS)))


def pictured(
    template: str, said: Mapping[str, Any], moment: datetime, *, status: str, paper: str
) -> bytes:
    """The page that `typeset` would make, as a PNG for the screen; errors as there."""
    known("paper", paper, PAPERS)
    page = _page(said, status=status, paper=paper)
    return _compiled(template, page, moment, format="png", ppi=SCREEN_PPI)


def _page(said: Mapping[str, Any], *, status: str, paper: str) -> str:
    """What the template reads, its own hash in it."""
    page = {**printed(said), "figures": said.get("figures", {}), "paper": paper}
    digest = content_hash(json.dumps(page))
    page |= {"content_hash": digest[:SHOWN_CHARACTERS], "keywords": keywords(status, digest)}
    return json.dumps(page)


def printed(said: Any) -> Any:
    """Every text without what the font cannot print."""
    if isinstance(said, Mapping):
        return {key: printed(item) for key, item in said.items()}
    if isinstance(said, list | tuple):
        return [printed(item) for item in said]
    return literal(said) if isinstance(said, str) else said


def known(what: str, given: str, allowed: tuple[str, ...]) -> None:
    """Refuse what is not among the allowed. Raises: ExportError."""
    if given not in allowed:
        raise ExportError(f"{what} {given!r} is unknown; allowed are {', '.join(allowed)}.")


def utc(made_at: datetime | None) -> datetime:
    """A moment in UTC, which it is in where it names no zone; now by default."""
    if made_at is None:
        return datetime.now(UTC)
    return made_at.astimezone(UTC) if made_at.tzinfo else made_at.replace(tzinfo=UTC)


def _compiled(template: str, said: str, moment: datetime, **form: Any) -> bytes:
    try:
        made: bytes = typst.compile(
            FOLDER / template,
            root=FOLDER,
            font_paths=[FONTS],
            ignore_system_fonts=True,
            sys_inputs={"content": said},
            timestamp=int(moment.timestamp()),
            **form,
        )
    except (typst.TypstError, RuntimeError) as error:
        raise ExportError(f"The pages cannot be set: {error}.") from error
    return made
