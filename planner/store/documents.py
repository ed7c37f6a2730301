"""Versions of scenarios and of overlays: added, never changed, and never silently overtaken."""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, and_, func, select

from planner.errors import StoreError
from planner.facts.catalog import Catalog, load_catalog, shipped_files
from planner.store import rows
from planner.store.access import absent, grant
from planner.store.comparing import changes, require_latest, whole
from planner.store.database import Database
from planner.store.identity import Identity, readable_name
from planner.store.kinds import Document, Kind
from planner.store.overlays import laid_over
from planner.store.records import Change, Draft, Listed, Reference, Saved, content_hash
from planner.store.tables import catalogs, drafts, versions
from planner.store.trail import Act, record
from planner.version import MODEL_VERSION


@dataclass(frozen=True, slots=True)
class Documents:
    """All documents of one kind in one database."""

    database: Database
    kind: Kind

    def save(
        self,
        who: Identity,
        content: Mapping[str, Any],
        *,
        headline: Mapping[str, Any] = MappingProxyType({}),
        overlays: Iterable[Reference] = (),
        after: Saved | None = None,
        link: str | None = None,
    ) -> Saved:
        """Add a new document, or the next version of the one that was opened as `after`.

        headline: the result that was shown, as `headline_of(plan)` gives it. overlays: the user's
        own facts it rests on. link: the link through which somebody else's document was opened.

        Raises: OvertakenError when somebody saved the next version in the meantime, ForbiddenError
        when the role or the link does not allow it, ScenarioError or StoreError when a field is
        refused; nothing is kept then.
        """
        who.require("editor", "saving")
        references = tuple(overlays)
        with self.database.reading() as connection:
            carried = pinned(connection, who, after, link) if after and references else ()
            catalog = catalog_with(connection, who, references, carried)
        document = self.kind.read(content, catalog)
        row = self._row(who, document, references, headline, after)
        with self.database.writing() as connection:
            if after:
                held = grant(connection, who, after.document_id, link)
                held.require_change(self.kind.id)
                require_latest(connection, after, document.model_dump(mode="json"))
                row["owner"] = held.owner
            _keep_catalog(connection)
            connection.execute(versions.insert(), row)
            saved = rows.saved(row)
            record(connection, who, _saving(saved, after))
        return saved

    def open(
        self,
        who: Identity,
        document_id: str,
        version: int | None = None,
        *,
        link: str | None = None,
    ) -> Saved:
        """A version of a document, by default the latest that the user may open.

        Raises: StoreError if there is none.
        """
        with self.database.reading() as connection:
            held = grant(connection, who, document_id, link)
            wanted = held.version if version is None else version
            found = rows.opened(connection, document_id, wanted)
        if held.kind != self.kind.id or not held.opens(found.version):
            raise absent(document_id)
        return found

    def history(self, who: Identity, document_id: str, *, link: str | None = None) -> list[Listed]:
        """Every version of one document, newest first."""
        with self.database.reading() as connection:
            grant(connection, who, document_id, link).require_all()
            wanted = versions.c.document_id == document_id
            return rows.listed(connection, wanted, versions.c.version.desc())

    def listed(self, who: Identity) -> list[Listed]:
        """The latest version of every document that the user may open unasked, newest first."""
        wanted = and_(versions.c.kind == self.kind.id, rows.is_latest())
        if not who.may("approver"):
            wanted = and_(wanted, versions.c.owner == who.user)
        with self.database.reading() as connection:
            return rows.listed(connection, wanted, versions.c.saved_at.desc())

    def n_saved(self, who: Identity, since: datetime) -> int:
        """How many versions this user has added from a moment on."""
        mine = and_(
            versions.c.kind == self.kind.id,
            versions.c.author == who.user,
            versions.c.saved_at >= since,
        )
        with self.database.reading() as connection:
            return connection.execute(select(func.count()).where(mine)).scalar_one()

    def _row(
        self,
        who: Identity,
        document: Document,
        overlays: tuple[Reference, ...],
        headline: Mapping[str, Any],
        after: Saved | None,
    ) -> dict[str, Any]:
        row = {
            "document_id": after.document_id if after else _unguessable(),
            "version": after.version + 1 if after else 1,
            "kind": self.kind.id,
            "owner": who.user,
            "author": who.user,
            "name": readable_name(document.name, f"The {self.kind.id}'s name"),
            "saved_at": datetime.now(UTC),
            "schema_version": self.kind.schema_version,
            "content": rows.kept(document.model_dump(mode="json")),
            "overlays": rows.kept([list(reference) for reference in overlays]),
            "model_version": MODEL_VERSION,
            "catalog_version": load_catalog().version,
            "headline": rows.kept(dict(headline)),
        }
        return row | {"content_hash": content_hash(row)}


def _unguessable() -> str:
    """256 random bits as text that no command takes for an option."""
    return next(drawn for drawn in iter(secrets.token_urlsafe, "") if not drawn.startswith("-"))


def catalog_with(
    connection: Connection,
    who: Identity,
    overlays: Iterable[Reference],
    carried: Iterable[Reference] = (),
    files: Mapping[str, str] | None = None,
) -> Catalog:
    """The catalog with overlays on top.

    carried: those that a version the user may open rests on, readable with it. files: an earlier
    catalog's; None is the shipped one. Raises StoreError on a document that is no overlay.
    """
    contents = []
    for document_id, version in overlays:
        if (document_id, version) not in carried:
            grant(connection, who, document_id, None)
        found = rows.opened(connection, document_id, version)
        if "fields" not in found.content:
            raise StoreError(f"{found.name!r} is no overlay of the catalog.")
        contents.append(found.content)
    return laid_over(contents, shipped_files() if files is None else files)


def pinned(
    connection: Connection, who: Identity, held: Saved | Draft, link: str | None
) -> tuple[Reference, ...]:
    """The overlays that a saved document, or the user's draft, is kept with.

    Raises: StoreError when the user may not open the document.
    """
    if isinstance(held, Draft):
        wanted = select(drafts.c.overlays).where(drafts.c.owner == who.user)
        found = connection.execute(wanted).scalar()
        return rows.references(found) if found else ()
    if not grant(connection, who, held.document_id, link).opens(held.version):
        raise absent(held.document_id)
    return rows.opened(connection, held.document_id, held.version).overlays


def files_of_then(connection: Connection, catalog_version: str) -> Mapping[str, str] | None:
    """The files of the catalog that a version was saved under; None where they were not kept."""
    wanted = select(catalogs.c.files).where(catalogs.c.catalog_version == catalog_version)
    found = connection.execute(wanted).scalar()
    return None if found is None else json.loads(found)


def _keep_catalog(connection: Connection) -> None:
    """Keep the shipped catalog's files once, so that its numbers can be had again."""
    version = load_catalog().version
    held = select(catalogs.c.catalog_version).where(catalogs.c.catalog_version == version)
    if connection.execute(held).first() is None:
        row = {"catalog_version": version, "files": rows.kept(dict(shipped_files()))}
        connection.execute(catalogs.insert(), row)


def _saving(saved: Saved, after: Saved | None) -> Act:
    """The trail's lines about a save: the new hash, and from the second version each change."""
    hashes = Change("content", after and after.content_hash, saved.content_hash)
    fields = changes(whole(after), whole(saved)) if after else ()
    return Act(saved.saved_at, "save", saved.document_id, saved.version, [hashes, *fields])
