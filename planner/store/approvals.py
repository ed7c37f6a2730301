"""Approvals: each version starts as a draft, is reviewed, and is then approved."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from planner.errors import StoreError
from planner.store import rows
from planner.store.access import grant
from planner.store.database import Database
from planner.store.identity import Identity
from planner.store.records import STATES, Approval, Change, Saved, State
from planner.store.tables import approvals
from planner.store.trail import Act, record


@dataclass(frozen=True, slots=True)
class Approvals:
    """The approvals of one database: added, never changed or taken back."""

    database: Database

    def review(self, who: Identity, saved: Saved, *, link: str | None = None) -> Approval:
        """Write down that the user has reviewed this version. Takes the role of an editor.

        Raises: ForbiddenError by role; StoreError when it was reviewed already, or differs from
        what the user holds.
        """
        who.require("editor", "reviewing")
        return self._step(who, saved, "reviewed", link)

    def approve(self, who: Identity, saved: Saved, *, link: str | None = None) -> Approval:
        """Write down that the user approves this version. Takes an approver and a review.

        Raises: as `review`.
        """
        who.require("approver", "approving")
        return self._step(who, saved, "approved", link)

    def of(
        self, who: Identity, document_id: str, version: int, *, link: str | None = None
    ) -> list[Approval]:
        """The approvals of one version, in order."""
        with self.database.reading() as connection:
            if not grant(connection, who, document_id, link).opens(version):
                version = 0
            return steps(connection, document_id, version)

    def _step(self, who: Identity, saved: Saved, state: State, link: str | None) -> Approval:
        with self.database.writing() as connection:
            held = grant(connection, who, saved.document_id, link)
            found = rows.opened(connection, saved.document_id, saved.version)
            if found.content_hash != saved.content_hash or not held.opens(saved.version):
                raise StoreError(f"{saved.name!r} is not what you opened: open it again.")
            _require_next(connection, found, state)
            step = Approval(
                document_id=saved.document_id,
                version=saved.version,
                state=state,
                name=who.user,
                role=who.role,
                at=datetime.now(UTC),
                content_hash=found.content_hash,
            )
            row = {name: getattr(step, name) for name in Approval.__slots__}
            connection.execute(approvals.insert(), row)
            change = Change("state", found.state, state)
            record(connection, who, Act(step.at, state, saved.document_id, saved.version, [change]))
        return step


def steps(connection: Connection, document_id: str, version: int) -> list[Approval]:
    """The approvals of one version, in order, within a caller's transaction."""
    wanted = select(approvals).where(
        approvals.c.document_id == document_id, approvals.c.version == version
    )
    found = connection.execute(wanted.order_by(approvals.c.at)).mappings()
    return [Approval(**row) for row in found]


def _require_next(connection: Connection, found: Saved, state: State) -> None:
    if STATES.index(state) <= STATES.index(found.state):
        by = steps(connection, found.document_id, found.version)[STATES.index(state) - 1]
        raise StoreError(
            f"{by.name} {state} version {found.version} of {found.name!r} at "
            f"{by.at:%Y-%m-%d %H:%M} UTC already."
        )
    if STATES.index(state) > STATES.index(found.state) + 1:
        raise StoreError(f"{found.name!r} must be reviewed before it is approved.")
