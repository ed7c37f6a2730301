"""The files of a log, grouped by what one expression can read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from planner.demand.logs.columns import Header, Roles, find_roles
from planner.demand.logs.files import Format, LogFile
from planner.demand.logs.limits import Limits
from planner.errors import AuditError


@dataclass(frozen=True, slots=True)
class Layout:
    """Files that share a format and a header, so that one expression reads them all."""

    format: Format
    gzipped: bool
    header: Header
    roles: Roles
    files: tuple[LogFile, ...]

    @property
    def name(self) -> str:
        """The first file, for a sentence about the layout."""
        return self.files[0].name

    @property
    def paths(self) -> list[str]:
        """Where the files lie."""
        return [file.path for file in self.files]


def layouts(
    files: Iterable[LogFile],
    header: Callable[[LogFile], Header],
    chosen: Mapping[str, str] | None,
    limits: Limits,
) -> tuple[Layout, ...]:
    """The files of a log grouped by format and header, in the order they were found.

    Raises: AuditError for an unreadable header, missing columns, or too many layouts.
    """
    groups: dict[tuple[Format, bool, Header], list[LogFile]] = {}
    for file in files:
        groups.setdefault((file.format, file.gzipped, header(file)), []).append(file)
    if len(groups) > limits.max_layouts:
        raise AuditError(
            f"The log has {len(groups)} different headers; at most {limits.max_layouts} are read"
        )
    return tuple(
        Layout(*key, find_roles(members[0].name, key[2].fields, chosen), tuple(members))
        for key, members in groups.items()
    )
