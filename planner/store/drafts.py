"""What each user is working on, kept at every step so that a restart loses nothing."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from planner.demand.scenario import Scenario
from planner.store.database import Database
from planner.store.documents import catalog_with, pinned
from planner.store.identity import Identity
from planner.store.kinds import SCENARIO_SCHEMA, upgraded
from planner.store.records import Draft, Reference, Saved
from planner.store.rows import kept, references
from planner.store.tables import drafts

_INSERT: Mapping[str, Callable[..., sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


@dataclass(frozen=True, slots=True)
class Drafts:
    """The drafts of one database: one a user, read by nobody else whatever their role."""

    database: Database

    def keep(
        self,
        who: Identity,
        scenario: Scenario,
        *,
        overlays: Iterable[Reference] = (),
        after: Saved | None = None,
        link: str | None = None,
    ) -> None:
        """Keep the user's scenario in place of the previous draft.

        after: the version it began as. link: the link through which that was opened.
        """
        references = tuple(overlays)
        with self.database.reading() as connection:
            carried = pinned(connection, who, after, link) if after and references else ()
            catalog = catalog_with(connection, who, references, carried)
        checked = Scenario.read(scenario.model_dump(mode="json"), catalog)
        row = {
            "owner": who.user,
            "content": kept(checked.model_dump(mode="json")),
            "schema_version": SCENARIO_SCHEMA,
            "overlays": kept([list(reference) for reference in references]),
            "document_id": after and after.document_id,
            "version": after and after.version,
            "saved_at": datetime.now(UTC),
        }
        upsert = _INSERT[self.database.engine.dialect.name](drafts)
        with self.database.writing() as connection:
            connection.execute(
                upsert.on_conflict_do_update(index_elements=["owner"], set_=row), row
            )

    def of(self, who: Identity) -> Draft | None:
        """What the user was working on, in the schema of this release; None where nothing is kept.

        Raises: ScenarioError when this release cannot read it.
        """
        wanted = select(drafts).where(drafts.c.owner == who.user)
        with self.database.reading() as connection:
            found = connection.execute(wanted).mappings().one_or_none()
        if found is None:
            return None
        fields = {name: found[name] for name in Draft.__slots__}
        content = upgraded(json.loads(found["content"]), found["schema_version"])
        read = {"content": content, "overlays": references(found["overlays"])}
        return Draft(**fields | read)

    def drop(self, who: Identity) -> None:
        """Forget what the user was working on."""
        with self.database.writing() as connection:
            connection.execute(delete(drafts).where(drafts.c.owner == who.user))
