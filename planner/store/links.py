"""Links: ids that nobody can guess, that hold no data, and that can be revoked."""

import hashlib
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from planner.errors import ForbiddenError, StoreError
from planner.store import rows
from planner.store.access import grant, known_form
from planner.store.database import Database
from planner.store.identity import Identity
from planner.store.records import RIGHTS, Change, Link, Right, Saved
from planner.store.tables import links
from planner.store.trail import Act, record


@dataclass(frozen=True, slots=True)
class Links:
    """The links of one database."""

    database: Database

    def share(self, who: Identity, saved: Saved, *, right: Right = "view") -> str:
        """A new id that opens this very version, or with `edit` the document to other editors.

        Raises: ForbiddenError unless the user is an editor and owns the document.
        """
        who.require("editor", "sharing")
        if right not in RIGHTS:
            raise StoreError(f"The right {right!r} is unknown; rights are {', '.join(RIGHTS)}.")
        link = Link(
            share_id=secrets.token_urlsafe(),
            document_id=saved.document_id,
            version=saved.version,
            owner=who.user,
            right=right,
            shared_at=datetime.now(UTC),
            revoked_at=None,
        )
        with self.database.writing() as connection:
            owner = grant(connection, who, saved.document_id, None).owner
            if owner != who.user:
                raise ForbiddenError(f"Only {owner} shares this.")
            connection.execute(links.insert(), asdict(link))
            change = Change(named(link.share_id), None, right)
            record(connection, who, _act(link.shared_at, "share", link, change))
        return link.share_id

    def open(self, who: Identity, share_id: str) -> Saved:
        """The version behind a link. Raises: StoreError when the link opens nothing."""
        with self.database.reading() as connection:
            link = _found(connection, share_id)
            if link is None or link.revoked_at:
                raise StoreError("This link opens nothing: it was revoked or not copied whole.")
            grant(connection, who, link.document_id, share_id)
            return rows.opened(connection, link.document_id, link.version)

    def revoke(self, who: Identity, share_id: str) -> None:
        """Let a link open nothing from now on.

        Raises: ForbiddenError unless the user made the link or is an approver.
        """
        with self.database.writing() as connection:
            link = _found(connection, share_id)
            if link is None or not (link.owner == who.user or who.may("approver")):
                raise ForbiddenError("This is no link of yours, so it stays as it is.")
            if link.revoked_at is None:
                now = datetime.now(UTC)
                ended = update(links).where(links.c.share_id == share_id)
                connection.execute(ended.values(revoked_at=now))
                change = Change(named(share_id), link.right, None)
                record(connection, who, _act(now, "revoke", link, change))

    def of(self, who: Identity, document_id: str) -> list[Link]:
        """Every link to a document, newest first, for its owner and for approvers."""
        wanted = select(links).where(links.c.document_id == document_id)
        with self.database.reading() as connection:
            if grant(connection, who, document_id, None).owner != who.user:
                who.require("approver", "seeing somebody else's links")
            found = connection.execute(wanted.order_by(links.c.shared_at.desc())).mappings()
            return [Link(**row) for row in found]


def named(share_id: str) -> str:
    """How the trail tells links apart without holding what opens them."""
    return f"link {hashlib.sha256(share_id.encode()).hexdigest():.12}"


def _found(connection: Connection, share_id: str) -> Link | None:
    if not known_form(share_id):
        return None
    wanted = select(links).where(links.c.share_id == share_id)
    found = connection.execute(wanted).mappings().one_or_none()
    return Link(**found) if found else None


def _act(at: datetime, action: str, link: Link, change: Change) -> Act:
    return Act(at, action, link.document_id, link.version, [change])
