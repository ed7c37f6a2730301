"""One table of a catalog file, read field by field; a field nobody asked for is refused."""

from collections.abc import Container, Mapping

from planner.errors import CatalogError
from planner.facts.quantities import Quantity, quantity, text_of


class Entry:
    """A named table of a file, e.g. ``[h100-sxm]`` of ``accelerators.toml``.

    Each reading method takes a field name and remembers it; `finish` then refuses every
    field that was never read. All refusals are `CatalogError` naming file, entry and field.
    """

    def __init__(self, file: str, name: str, table: object, sources: Container[str]) -> None:
        if not isinstance(table, Mapping):
            raise CatalogError(
                f"{file}, {name}: {table!r} is not a table; write [{name}] with its fields."
            )
        self.name = name
        self._place = f"{file}, {name}"
        self._table: Mapping[str, object] = table
        self._sources = sources
        self._read: set[str] = set()

    def __contains__(self, field: str) -> bool:
        """Whether a field is there; asking counts as reading it."""
        self._read.add(field)
        return field in self._table

    def refusal(self, field: str, problem: str) -> CatalogError:
        """The error to raise for a field; `problem` is a clause that ends in a full stop."""
        return CatalogError(f"{self._place}, {field}: {problem}")

    def text(self, field: str, default: str | None = None, allowed: tuple[str, ...] = ()) -> str:
        """Text of a field; needed unless `default` is given; one of `allowed` if any are."""
        if default is not None and field not in self:
            return default
        chosen = text_of(self._raw(field), f"{self._place}, {field}")
        if default is None and not chosen.strip():
            raise self.refusal(field, "is empty; it is needed here.")
        if allowed and chosen not in allowed:
            raise self.refusal(field, f"{chosen!r} is unknown; allowed are {', '.join(allowed)}.")
        return chosen

    def flag(self, field: str) -> bool:
        """True or false; needed."""
        raw = self._raw(field)
        if not isinstance(raw, bool):
            raise self.refusal(field, f"{raw!r} is not true or false.")
        return raw

    def quantity(self, field: str) -> Quantity:
        """A cited number; needed."""
        return quantity(self._raw(field), f"{self._place}, {field}", self._sources)

    def positive(self, field: str, unit: str) -> Quantity | None:
        """A cited number above zero in base unit `unit`; None where the field is absent."""
        return self._above_zero(self._raw(field), field, unit) if field in self else None

    def positives(self, field: str, unit: str, allowed: tuple[str, ...]) -> dict[str, Quantity]:
        """A table of cited numbers above zero, its keys among `allowed`; empty where absent."""
        if field not in self:
            return {}
        raw = self._raw(field)
        if not isinstance(raw, Mapping):
            raise self.refusal(field, f"{raw!r} is not a table of {', '.join(allowed)}.")
        for key in raw:
            if key not in allowed:
                raise self.refusal(
                    field, f"unknown key {key!r}; allowed are {', '.join(allowed) or 'none'}."
                )
        return {key: self._above_zero(value, f"{field}.{key}", unit) for key, value in raw.items()}

    def source_ids(self, field: str = "sources") -> tuple[str, ...]:
        """A list of source ids; empty where absent."""
        if field not in self:
            return ()
        return cited(self._raw(field), f"{self._place}, {field}", self._sources)

    def finish(self) -> None:
        """Refuse the first field that no reading method asked for."""
        for field in self._table:
            if field not in self._read:
                raise self.refusal(
                    field, f"unknown key; allowed are {', '.join(sorted(self._read))}."
                )

    def _raw(self, field: str) -> object:
        self._read.add(field)
        if field not in self._table:
            raise self.refusal(field, "is missing; it is needed here.")
        return self._table[field]

    def _above_zero(self, raw: object, field: str, unit: str) -> Quantity:
        read = quantity(raw, f"{self._place}, {field}", self._sources)
        if read.unit != unit:
            raise self.refusal(
                field, f"is in {read.unit}; allowed are units that convert to {unit}."
            )
        if read.low <= 0:
            raise self.refusal(field, "is not above zero; a value that is not known is left out.")
        return read


def cited(raw: object, place: str, sources: Container[str]) -> tuple[str, ...]:
    """Read a list of source ids, each of which must be in `sources`, or raise CatalogError."""
    if not isinstance(raw, list):
        raise CatalogError(f"{place}: {raw!r} is not a list of source ids.")
    for identifier in raw:
        if text_of(identifier, place) not in sources:
            raise CatalogError(
                f"{place}: source {identifier!r} is not in sources.toml; add it there or "
                "cite one that is."
            )
    return tuple(raw)
