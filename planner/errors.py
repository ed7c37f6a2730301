"""Every refusal of the planner, each one clear sentence: what, where, what is allowed.

SwitchyardError
├── CatalogError    a fact is missing, uncited or contradictory
├── ScenarioError   a scenario field is refused; carries one sentence per field
├── AuditError      a log cannot be read or says nothing
├── PredictError    a table of points cannot be answered
├── ExportError     a document cannot be made
└── StoreError      a saved scenario cannot be kept or found
"""

from collections.abc import Sequence


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


class PredictError(SwitchyardError):
    """A table of serving points cannot be answered."""


class ExportError(SwitchyardError):
    """A brief, workbook or table cannot be made."""


class StoreError(SwitchyardError):
    """A saved scenario cannot be kept, found or opened."""
