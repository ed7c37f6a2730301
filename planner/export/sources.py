"""Footnotes of a page: each source once, numbered as it is first cited."""

from bisect import bisect_right
from collections.abc import Sequence

from planner.export.printable import TYPICAL, literal, printable, width
from planner.facts.catalog import Catalog

NAME_CHARACTERS = {"one": 76, "all": 280}
SCENARIO = "scenario"
LOG = "counted in "


class Sources:
    """Numbers sources in the order of their first citation."""

    def __init__(self, catalog: Catalog) -> None:
        """Cite from this catalog."""
        self._catalog = catalog
        self._cited: dict[str, int] = {}

    def cite(self, source: str) -> str:
        """The mark of a source beside what rests on it: "[1]"."""
        return f"[{self._cited.setdefault(source, len(self._cited) + 1)}]"

    def notes(self) -> list[str]:
        """All cited sources in order: "[1] title, publisher, date"."""
        notes = [f"[{n}] {self._described(source)}" for source, n in self._cited.items()]
        return [printable(note, fair_share(notes)) for note in notes]

    def _described(self, source: str) -> str:
        if source == SCENARIO:
            return "set in this scenario, no source"
        if source.startswith(LOG):
            return source
        held = self._catalog.sources[source]
        year = held.date.partition("-")[0]
        return ", ".join(filter(None, (held.title, held.publisher, year)))


def fair_share(notes: Sequence[str]) -> int:
    """Letters of room for each note, so that all fit: what short ones leave, long ones take."""
    widths = [width(literal(note)) for note in notes]
    room = width(TYPICAL * NAME_CHARACTERS["all"])

    def asked(letters: int) -> int:
        return sum(min(wide, width(TYPICAL * letters)) for wide in widths)

    return bisect_right(range(1, NAME_CHARACTERS["one"] + 1), room, key=asked)
