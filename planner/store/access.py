"""Who may open and change what: a document is its owner's until it is shared.

Approvers open everything saved, because they must see what they sign and find what waits for
them. A link opens its version to whoever holds it, or with the right to edit the whole document.
An approved overlay is a fact of the house and open to all. Drafts are their user's alone.
"""

import re
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from planner.errors import ForbiddenError, StoreError
from planner.store.identity import Identity
from planner.store.records import Right
from planner.store.tables import approvals, links, versions

_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Grant:
    """What one user may do with one document. version: the only one open; None: all are."""

    owner: str
    kind: str
    right: Right
    version: int | None

    def opens(self, version: int) -> bool:
        """Whether this version may be read."""
        return self.version in (None, version)

    def require_all(self) -> None:
        """Raise ForbiddenError unless every version may be read."""
        if self.version is not None:
            raise ForbiddenError(f"This link opens version {self.version} and no other.")

    def require_change(self, kind: str) -> None:
        """Raise ForbiddenError unless a next version of this kind may be added."""
        if self.kind != kind:
            raise ForbiddenError(f"This is a saved {self.kind} and takes no version of a {kind}.")
        if self.right != "edit":
            raise ForbiddenError(
                f"This belongs to {self.owner}: save yours under a name of its own, or ask "
                "for a link with the right to edit."
            )


def grant(connection: Connection, who: Identity, document_id: str, link: str | None) -> Grant:
    """What a user may do with a document, by ownership, role or link.

    Raises: StoreError, the same whether there is no such document or it is somebody else's.
    """
    first = select(versions.c.owner, versions.c.kind).where(
        versions.c.document_id == document_id, versions.c.version == 1
    )
    found = connection.execute(first).one_or_none() if known_form(document_id) else None
    if found is None:
        raise absent(document_id)
    if found.owner == who.user:
        return Grant(found.owner, found.kind, "edit", None)
    shared = _through(connection, document_id, link)
    if shared and shared.right == "edit":
        return Grant(found.owner, found.kind, "edit", None)
    if who.may("approver") or _of_the_house(connection, document_id, found.kind):
        return Grant(found.owner, found.kind, "view", None)
    if shared is None:
        raise absent(document_id)
    return Grant(found.owner, found.kind, "view", shared.version)


def known_form(identifier: str) -> bool:
    """Whether this could be an id at all; anything else never reaches the database."""
    return bool(_ID.fullmatch(identifier))


def absent(document_id: str) -> StoreError:
    """The refusal for what is not there and for what is not yours."""
    return StoreError(
        f"There is no scenario or overlay {document_id!r:.80} in this store that you may open."
    )


def _through(connection: Connection, document_id: str, link: str | None) -> Row[str, int] | None:
    """The right and the version of a link that is not revoked."""
    if link is None or not known_form(link):
        return None
    wanted = select(links.c.right, links.c.version).where(
        links.c.share_id == link,
        links.c.document_id == document_id,
        links.c.revoked_at.is_(None),
    )
    return connection.execute(wanted).one_or_none()


def _of_the_house(connection: Connection, document_id: str, kind: str) -> bool:
    """Whether some version of an overlay was approved."""
    wanted = select(approvals.c.version).where(
        approvals.c.document_id == document_id, approvals.c.state == "approved"
    )
    return kind == "overlay" and connection.execute(wanted.limit(1)).one_or_none() is not None
