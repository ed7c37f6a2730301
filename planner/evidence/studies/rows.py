"""One published figure beside ours, and what every study needs to make such rows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from planner.facts.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Row:
    """One published figure beside ours; tolerance is relative unless `absolute`.

    signed: whether the sign must be the same too.
    """

    source: str
    quantity: str
    published: float
    ours: float
    unit: str
    tolerance: float
    note: str = ""
    absolute: bool = False
    signed: bool = False

    @property
    def within(self) -> bool:
        """Whether ours lies within the tolerance."""
        allowed = self.tolerance if self.absolute else self.tolerance * abs(self.published)
        opposite = self.signed and self.ours * self.published < 0
        return bool(abs(self.ours - self.published) <= allowed and not opposite)

    def as_dict(self) -> dict[str, Any]:
        """The row as `reproduce --json` prints it."""
        rules = ("absolute", "signed")
        return {k: v for k, v in asdict(self).items() if k not in rules} | {"within": self.within}


def explained(row: Row, reason: str) -> Row:
    """The row, with the reason added to its note where ours lies outside the tolerance."""
    if row.within:
        return row
    return replace(row, note="; ".join(filter(None, (row.note, reason))))


def tolerance(catalog: Catalog, name: str) -> float:
    """An allowed difference [frac] by its name in `published.toml`: of a value, or in points."""
    return catalog.number(f"published.tolerance.{name}_frac").value


def published(catalog: Catalog, name: str) -> Mapping[str, Any]:
    """A table of `published.toml`: quantities, names, and lists of cases."""
    held: Mapping[str, Any] = catalog.tables["published"][name]
    return held
