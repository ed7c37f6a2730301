"""Footnotes of a page: each source once, numbered as it is first cited."""

from planner.export.printable import printable
from planner.facts.catalog import Catalog

NAME_CHARACTERS = {"one": 76, "all": 280}
SCENARIO = "scenario"


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
        room = NAME_CHARACTERS["all"] // max(len(self._cited), 1)
        return [
            printable(f"[{n}] {self._described(source)}", min(room, NAME_CHARACTERS["one"]))
            for source, n in self._cited.items()
        ]

    def _described(self, source: str) -> str:
        if source == SCENARIO:
            return "set in this scenario, no source"
        held = self._catalog.sources[source]
        year = held.date.partition("-")[0]
        return ", ".join(filter(None, (held.title, held.publisher, year)))
