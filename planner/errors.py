"""Every refusal of the planner, each one clear sentence: what, where, what is allowed.

SwitchyardError
├── CatalogError    a fact is missing, uncited or contradictory
├── ScenarioError   a scenario field is refused; carries one sentence per field
├── AuditError      a log cannot be read or says nothing
│   └── UnmappedError   its columns are not known by name; carries them
├── PredictError    a table of points cannot be answered
├── ExportError     a document cannot be made
└── StoreError      a saved scenario cannot be kept or found
    ├── ForbiddenError  the asker's role or relation to it does not allow it
    └── OvertakenError  somebody saved first; carries who, when and the differing fields
"""

from collections.abc import Mapping, Sequence
from typing import Any


class SwitchyardError(Exception):
    """Base of every error that is meant for the reader; its text is one sentence."""


class CatalogError(SwitchyardError):
    """A fact in the hardware catalog is missing, uncited or contradictory."""


class ScenarioError(SwitchyardError):
    """One or more scenario fields are refused.

    problems: one sentence per refused field.
    accepted: the fields that were fine, so that nothing typed is lost.
    """

    def __init__(
        self, problems: str | Sequence[str], accepted: dict[str, object] | None = None
    ) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        self.accepted = accepted or {}
        super().__init__(" ".join(self.problems))


class AuditError(SwitchyardError):
    """A request log cannot be read, or holds nothing to audit."""


class UnmappedError(AuditError):
    """A log has no column that is known for a role.

    columns: the names it has. found: role -> column, as far as they are known.
    """

    def __init__(self, sentence: str, columns: Sequence[str], found: Mapping[str, str]) -> None:
        self.columns = tuple(columns)
        self.found = dict(found)
        super().__init__(sentence)


class PredictError(SwitchyardError):
    """A table of serving points cannot be answered."""


class ExportError(SwitchyardError):
    """A brief, workbook or table cannot be made."""


class StoreError(SwitchyardError):
    """A saved scenario cannot be kept, found or opened."""


class ForbiddenError(StoreError):
    """Who asks may not do this: the role, or a link without the right, does not allow it."""


class OvertakenError(StoreError):
    """Somebody saved the next version first; nothing was overwritten.

    overtaking: `planner.store.records.Overtaking`, the versions saved since, what each changed,
        and where yours differs.
    """

    def __init__(self, sentence: str, overtaking: Any) -> None:
        self.overtaking = overtaking
        super().__init__(sentence)
