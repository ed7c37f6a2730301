"""The store: one handle on everything that is kept, part by part."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import select

from planner.demand.scenario import Scenario
from planner.facts.catalog import Catalog
from planner.store import archive, checking, reopening
from planner.store.approvals import Approvals
from planner.store.briefs import Briefs
from planner.store.checking import Checked
from planner.store.database import Database, database_url
from planner.store.documents import Documents, catalog_with, pinned
from planner.store.drafts import Drafts
from planner.store.identity import Identity
from planner.store.kinds import OVERLAY, SCENARIO, SCENARIO_SCHEMA, upgraded
from planner.store.links import Links
from planner.store.records import Draft, Reference, Saved
from planner.store.reopening import Reopened
from planner.store.tables import versions
from planner.store.trail import Trail


class Store:
    """What one database keeps; safe to use from several threads and processes.

    Every function takes the Identity of who asks and checks the role itself.

    scenarios, overlays: versions, added and never changed. drafts: what each user works on.
    links: unguessable ids. approvals: draft, reviewed, approved. briefs: stamped with them.
    trail: who did what, when.
    """

    def __init__(self, address: str | None = None) -> None:
        """Open the database at `address`, by default the one that the environment names.

        Raises: StoreError when it cannot be opened or was written by a newer release.
        """
        self._database = Database(address or database_url())
        self.scenarios = Documents(self._database, SCENARIO)
        self.overlays = Documents(self._database, OVERLAY)
        self.drafts = Drafts(self._database)
        self.links = Links(self._database)
        self.approvals = Approvals(self._database)
        self.briefs = Briefs(self._database)
        self.trail = Trail(self._database)

    def catalog(self, who: Identity, held: Saved | Draft, *, link: str | None = None) -> Catalog:
        """The shipped catalog with the overlays that a document or the user's draft rests on."""
        with self._database.reading() as connection:
            overlays = pinned(connection, who, held, link)
            return catalog_with(connection, who, overlays, overlays)

    def catalog_over(
        self,
        who: Identity,
        overlays: Iterable[Reference],
        *,
        after: Saved | None = None,
        link: str | None = None,
    ) -> Catalog:
        """The shipped catalog with given overlays on top, the last one uppermost.

        after: a version whose own overlays may be among them, and the link that opened it.

        Raises: StoreError for an overlay that the user may not open.
        """
        references = tuple(overlays)
        with self._database.reading() as connection:
            carried = pinned(connection, who, after, link) if after and references else ()
            return catalog_with(connection, who, references, carried)

    def scenario(self, who: Identity, held: Saved | Draft, *, link: str | None = None) -> Scenario:
        """A saved scenario, or the user's draft, in the schema of this release.

        Raises: ScenarioError where this release refuses it.
        """
        schema = held.schema_version if isinstance(held, Saved) else SCENARIO_SCHEMA
        return Scenario.read(upgraded(held.content, schema), self.catalog(who, held, link=link))

    def reopen(self, who: Identity, saved: Saved, *, link: str | None = None) -> Reopened:
        """A saved scenario under this release: result then and now, and what moved it."""
        return reopening.reopened(self._database, who, saved, link)

    def require_answer(self) -> None:
        """Raise StoreError where the database does not answer."""
        with self._database.reading() as connection:
            connection.execute(select(versions.c.version).limit(1))

    def check(self, who: Identity, *, holds: str | None = None) -> Checked:
        """Whether anything kept was edited, for an approver; see `checking.check`."""
        return checking.check(self._database, who, holds=holds)

    def backup(self, who: Identity, target: Path) -> str:
        """Everything in one new file, for an approver; see `archive.backup`."""
        return archive.backup(self._database, who, target)

    def restore(self, who: Identity, source: Path) -> Path:
        """Put a backup in the place of everything, for an approver; see `archive.restore`."""
        return archive.restore(self._database, who, source)

    def import_everything(self, who: Identity, source: Path) -> int:
        """Fill an empty store from a backup; see `archive.import_everything`."""
        return archive.import_everything(self._database, who, source)

    def close(self) -> None:
        """Let go of every connection."""
        self._database.engine.dispose()
