"""Links: ids that nobody can guess, that hold no data, and that can be revoked."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, select, update

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
        share_id = secrets.token_urlsafe()
        row = {
            "share_id": share_id,
            "document_id": saved.document_id,
            "version": saved.version,
            "owner": who.user,
            "right": right,
            "shared_at": datetime.now(UTC),
        }
        with self.database.writing() as connection:
            owner = grant(connection, who, saved.document_id, None).owner
            if owner != who.user:
                raise ForbiddenError(f"Only {owner} shares this.")
            connection.execute(links.insert(), row)
            record(connection, who, _act("share", row, None, right))
        return share_id

    def open(self, who: Identity, share_id: str) -> Saved:
        """The version behind a link. Raises: StoreError when the link opens nothing."""
        with self.database.reading() as connection:
            link = _found(connection, share_id)
            if link is None or link["revoked_at"]:
                raise StoreError("This link opens nothing: it was revoked or not copied whole.")
            grant(connection, who, link["document_id"], share_id)
            return rows.opened(connection, link["document_id"], link["version"])

    def revoke(self, who: Identity, share_id: str) -> None:
        """Let a link open nothing from now on.

        Raises: ForbiddenError unless the user made the link or is an approver.
        """
        with self.database.writing() as connection:
            link = _found(connection, share_id)
            if link is None or not (link["owner"] == who.user or who.may("approver")):
                raise ForbiddenError("This is no link of yours, so it stays as it is.")
            if link["revoked_at"] is None:
                now = {"revoked_at": datetime.now(UTC)}
                connection.execute(update(links).where(links.c.share_id == share_id).values(now))
                record(connection, who, _act("revoke", dict(link), link["right"], None))

    def of(self, who: Identity, document_id: str) -> list[Link]:
        """Every link to a document, newest first, for its owner and for approvers."""
        wanted = select(links).where(links.c.document_id == document_id)
        with self.database.reading() as connection:
            if grant(connection, who, document_id, None).owner != who.user:
                who.require("approver", "seeing somebody else's links")
            found = connection.execute(wanted.order_by(links.c.shared_at.desc())).mappings()
            return [Link(**row) for row in found]


def _found(connection: Connection, share_id: str) -> RowMapping | None:
    if not known_form(share_id):
        return None
    wanted = select(links).where(links.c.share_id == share_id)
    return connection.execute(wanted).mappings().one_or_none()


def _act(action: str, link: dict[str, object], old: object, new: object) -> Act:
    """A line that tells links apart without holding what opens them."""
    told = hashlib.sha256(str(link["share_id"]).encode()).hexdigest()
    change = Change(f"link {told:.12}", old, new)
    return Act(action, str(link["document_id"]), int(str(link["version"])), [change])
