"""Saved scenarios: versions are added and never changed, links stay valid, drafts survive.

The content of a scenario is the JSON form of `planner.Scenario`; its caller validates it.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import RowMapping, Select, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from planner.errors import StoreError
from planner.store.database import database_url, opened, spoken
from planner.store.tables import drafts, scenario_versions, shares

NAME_CHARACTERS = 200
_INSERT: Mapping[str, Callable[..., sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


@dataclass(frozen=True, slots=True)
class Saved:
    """One version of one scenario, as it was saved.

    headline: the figures that were shown when it was saved, so that a later release can say
    what moved; model_version: the release that computed them.
    """

    scenario_id: str
    version: int
    owner: str
    name: str
    saved_at: datetime
    model_version: str
    content: Mapping[str, Any]
    headline: Mapping[str, Any]


class Store:
    """The scenarios in one database; safe to use from several threads and processes."""

    def __init__(self, address: str | None = None) -> None:
        """Open the database at `address`, by default the one that the environment names."""
        self.engine = opened(address or database_url())

    def save(
        self,
        content: Mapping[str, Any],
        *,
        name: str,
        owner: str,
        model_version: str,
        headline: Mapping[str, Any] = MappingProxyType({}),
        after: Saved | None = None,
    ) -> Saved:
        """Add a new scenario, or the next version of the one that was opened as `after`.

        Raises: StoreError when somebody saved that next version in the meantime; the sentence
        names who and when, and nothing is overwritten.
        """
        saved = Saved(
            scenario_id=after.scenario_id if after else secrets.token_urlsafe(),
            version=after.version + 1 if after else 1,
            owner=owner,
            name=_named(name),
            saved_at=datetime.now(UTC),
            model_version=model_version,
            content=content,
            headline=headline,
        )
        try:
            with spoken(self.engine), self.engine.begin() as connection:
                connection.execute(scenario_versions.insert(), _row(saved))
        except StoreError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise self._overtaken(saved) from error
            raise
        return saved

    def load(self, scenario_id: str, version: int | None = None) -> Saved:
        """A version of a scenario, by default its latest. Raises: StoreError if there is none."""
        wanted = select(scenario_versions).where(scenario_versions.c.scenario_id == scenario_id)
        if version is not None:
            wanted = wanted.where(scenario_versions.c.version == version)
        found = self._rows(wanted.order_by(scenario_versions.c.version.desc()).limit(1))
        if not found:
            which = "" if version is None else f" at version {version}"
            raise StoreError(f"There is no scenario {scenario_id!r}{which} in this store.")
        return found[0]

    def history(self, scenario_id: str) -> list[Saved]:
        """Every version of one scenario, newest first."""
        wanted = select(scenario_versions).where(scenario_versions.c.scenario_id == scenario_id)
        return self._rows(wanted.order_by(scenario_versions.c.version.desc()))

    def latest(self, owner: str | None = None) -> list[Saved]:
        """The latest version of every scenario, newest first; only those last saved by `owner`."""
        table = scenario_versions.c
        newest = (
            select(table.scenario_id, func.max(table.version).label("version"))
            .group_by(table.scenario_id)
            .subquery()
        )
        wanted = select(scenario_versions).join(
            newest,
            (table.scenario_id == newest.c.scenario_id) & (table.version == newest.c.version),
        )
        if owner is not None:
            wanted = wanted.where(table.owner == owner)
        return self._rows(wanted.order_by(table.saved_at.desc(), table.scenario_id))

    def share(self, saved: Saved, owner: str) -> str:
        """An id that nobody can guess and that opens this very version for ever."""
        share_id = secrets.token_urlsafe()
        row = {
            "share_id": share_id,
            "scenario_id": saved.scenario_id,
            "version": saved.version,
            "owner": owner,
            "shared_at": datetime.now(UTC),
        }
        with spoken(self.engine), self.engine.begin() as connection:
            connection.execute(shares.insert(), row)
        return share_id

    def shared(self, share_id: str) -> Saved:
        """The version behind a link. Raises: StoreError when the link opens nothing."""
        wanted = select(scenario_versions).join(shares).where(shares.c.share_id == share_id)
        found = self._rows(wanted)
        if not found:
            raise StoreError("This link opens no scenario: check that it was copied whole.")
        return found[0]

    def keep_draft(self, owner: str, content: Mapping[str, Any]) -> None:
        """Keep what the owner is working on, in place of the owner's previous draft."""
        row = {"owner": owner, "content": _json(content), "saved_at": datetime.now(UTC)}
        upsert = _INSERT[self.engine.dialect.name](drafts).on_conflict_do_update(
            index_elements=["owner"], set_=row
        )
        with spoken(self.engine), self.engine.begin() as connection:
            connection.execute(upsert, row)

    def draft(self, owner: str) -> Mapping[str, Any] | None:
        """What the owner was working on, or None."""
        wanted = select(drafts.c.content).where(drafts.c.owner == owner)
        with spoken(self.engine), self.engine.connect() as connection:
            found = connection.execute(wanted).scalar()
        return None if found is None else json.loads(found)

    def drop_draft(self, owner: str) -> None:
        """Forget what the owner was working on."""
        with spoken(self.engine), self.engine.begin() as connection:
            connection.execute(delete(drafts).where(drafts.c.owner == owner))

    def _rows(self, wanted: Select[Any]) -> list[Saved]:
        with spoken(self.engine), self.engine.connect() as connection:
            return [_saved(row) for row in connection.execute(wanted).mappings()]

    def _overtaken(self, refused: Saved) -> StoreError:
        other = self.load(refused.scenario_id, refused.version)
        return StoreError(
            f"{other.owner} saved version {other.version} of {other.name!r} at "
            f"{other.saved_at:%Y-%m-%d %H:%M} UTC, after you opened version {other.version - 1}: "
            "open theirs, or save yours under a name of its own."
        )


def _row(saved: Saved) -> dict[str, Any]:
    fields = {field: getattr(saved, field) for field in Saved.__slots__}
    return fields | {"content": _json(saved.content), "headline": _json(saved.headline)}


def _saved(row: RowMapping) -> Saved:
    parsed = {"content": json.loads(row["content"]), "headline": json.loads(row["headline"])}
    return Saved(**{**row, **parsed})


def _named(name: str) -> str:
    if not (name.strip() and name.isprintable() and len(name) <= NAME_CHARACTERS):
        raise StoreError(
            f"The scenario's name {name[:NAME_CHARACTERS]!r} is refused: a name has 1 to "
            f"{NAME_CHARACTERS} printable characters."
        )
    return name


def _json(value: Mapping[str, Any]) -> str:
    try:
        return json.dumps(dict(value), allow_nan=False, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise StoreError(f"The scenario cannot be kept as JSON: {error}.") from error
