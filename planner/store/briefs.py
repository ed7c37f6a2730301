"""Briefs of saved versions: stamped with who signed them, and known again by their seal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from planner.demand.scenario import Scenario
from planner.errors import StoreError
from planner.export.kinds import STATUSES
from planner.export.seal import Seal, seal_of
from planner.facts.catalog import load_catalog
from planner.store import rows
from planner.store.access import grant
from planner.store.approvals import steps
from planner.store.database import Database
from planner.store.identity import Identity
from planner.store.kinds import upgraded
from planner.store.records import STATES, Approval, Change, Line, Saved, canonical
from planner.store.tables import trail
from planner.store.trail import Act, broken, line_of, lines, record
from planner.version import MODEL_VERSION

if TYPE_CHECKING:
    from planner.decision.plan import Plan

ISSUED, FIELD = "brief", "seal"
DRAFT = STATUSES[0]


@dataclass(frozen=True, slots=True)
class Verified:
    """A brief whose bytes are those that were made.

    saved: the version it is of, None for a draft that no store issued. issued: when and by whom.
    approvals: the steps that it is stamped with.
    """

    seal: Seal
    saved: Saved | None
    issued: Line | None
    approvals: tuple[Approval, ...]


@dataclass(frozen=True, slots=True)
class Briefs:
    """The briefs that one database has issued."""

    database: Database

    def issue(
        self,
        who: Identity,
        saved: Saved,
        plan: Plan,
        *,
        paper: str = "a4",
        made_at: datetime | None = None,
        link: str | None = None,
    ) -> bytes:
        """The brief of a saved version with its state and who signed; its seal is written down.

        plan: the answer to that version. Raises: StoreError where it is the answer to another, or
        where a version was approved under another model or catalog than answers now.
        """
        from planner.export.brief import Signature, brief_pdf  # noqa: PLC0415 - heavy

        moment = made_at or datetime.now(UTC)
        with self.database.writing() as connection:
            held = grant(connection, who, saved.document_id, link)
            found = rows.opened(connection, saved.document_id, saved.version)
            if not held.opens(saved.version):
                raise StoreError(f"{saved.name!r} is not yours to issue.")
            _require_same(found, plan)
            signed = steps(connection, found.document_id, found.version)
            pdf = brief_pdf(
                plan,
                paper=paper,
                made_at=moment,
                author=found.author,
                status=STATUSES[STATES.index(found.state)],
                signatures=[Signature(s.state, s.name, s.role, s.at) for s in signed],
            )
            seal = seal_of(pdf)
            change = Change(FIELD, None, seal.seal if seal else None)
            act = Act(datetime.now(UTC), ISSUED, found.document_id, found.version, [change])
            record(connection, who, act)
        return pdf

    def verified(self, who: Identity, pdf: bytes) -> Verified:
        """What a brief is, and who approved it.

        Raises: StoreError where the file carries no seal, was altered since it was made, claims an
        approval that this store did not stamp, or where the audit trail itself was edited.
        """
        who.require("viewer", "verifying a brief")
        seal = seal_of(pdf)
        if seal is None:
            raise StoreError("The file carries no seal of Switchyard.")
        if not seal.intact:
            raise StoreError("The file was altered after it was made: its seal does not fit it.")
        with self.database.reading() as connection:
            wanted = select(trail).where(
                trail.c.action == ISSUED,
                trail.c.field == FIELD,
                trail.c.new == canonical(seal.seal),
            )
            found = [line_of(row) for row in connection.execute(wanted).mappings()]
            if not found:
                return _unknown(seal)
            if problem := next(broken(lines(connection)), ""):
                raise StoreError(problem)
            issued = found[0]
            saved = rows.opened(connection, issued.document_id, issued.version)
            signed = steps(connection, issued.document_id, issued.version)
        stamped = STATUSES.index(seal.status)
        return Verified(seal, saved, issued, tuple(signed[:stamped]))


def _unknown(seal: Seal) -> Verified:
    """A file that this store did not issue: a draft at best."""
    if seal.status != DRAFT:
        raise StoreError(
            f"The file says {seal.status}, but this store has issued no such brief: ask for it "
            "where it was approved."
        )
    return Verified(seal, None, None, ())


def _require_same(found: Saved, plan: Plan) -> None:
    kept = Scenario.read(upgraded(found.content, found.schema_version), plan.catalog)
    if kept != plan.scenario:
        raise StoreError(f"The plan is not of version {found.version} of {found.name!r}.")
    then, now = (
        (found.model_version, found.catalog_version),
        (MODEL_VERSION, load_catalog().version),
    )
    if found.state != STATES[0] and then != now:
        raise StoreError(
            f"Version {found.version} of {found.name!r} was {found.state} under another model or "
            "catalog; save it again and have that approved."
        )


def told(held: Verified) -> Sequence[str]:
    """What a verification found, in sentences."""
    if held.saved is None or held.issued is None:
        return ["The file is as it was made: a draft, which nobody approved."]
    saved, issued = held.saved, held.issued
    what = f"{saved.name}, version {saved.version}, {held.seal.status}"
    first = f"The file is as it was made: {what}, issued by {issued.who} at {_at(issued.at)}."
    return [
        first,
        *(
            f"{step.state.capitalize()} by {step.name} ({step.role}) at {_at(step.at)}."
            for step in held.approvals
        ),
    ]


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
