"""Tables and headings as Markdown that reads well as text, too."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar within a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def code(text: str) -> str:
    """A name as it is typed; nothing stays nothing."""
    return f"`{text}`" if text else ""


def number(value: float) -> str:
    """A number as it stands, with separators of thousands."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.10g}"


def page(title: str, opening: str, *parts: str) -> str:
    """A page of the reference: whom it is for first, where it comes from last."""
    written = "Written from the code by `python -m docs.site`; a test fails when it is not current."
    return "\n\n".join([f"# {title}", opening, *filter(None, parts), f"*{written}*"]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
