"""What outlives this browser: drafts, named versions and links, as the store keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import answers
from pages.ui.who import may_save, reader
from planner import Catalog, Reopened, Saved, Scenario, Store, StoreError, headline_of

Reference = tuple[str, int]
"""Id and version of an overlay: a reader's own facts on one chip, model or price."""

SHOWN = 12


@dataclass(frozen=True, slots=True)
class Opened:
    """A saved version that a session works from, and the link it came through, if any."""

    saved: Saved
    link: str | None = None


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The store of this installation. Raises: StoreError while it cannot be opened."""
    return Store()


@st.cache_resource(show_spinner=False)
def _pins() -> dict[tuple[str, str], tuple[Reference, ...]]:
    """The overlays of every catalog that was put together, by reader and catalog version."""
    return {}


def pinned(scenario: Scenario) -> tuple[Reference, ...]:
    """The overlays that a scenario rests on, the uppermost last."""
    return _pins().get((reader().user, scenario.catalog.version), ())


def over(references: Sequence[Reference], opened: Opened | None = None) -> Catalog:
    """The catalog with overlays on top. Raises: StoreError where one cannot be opened."""
    after, link = (opened.saved, opened.link) if opened else (None, None)
    catalog = store().catalog_over(reader(), references, after=after, link=link)
    _pins()[reader().user, catalog.version] = tuple(references)
    return catalog


def _resting_on(scenario: Scenario, references: Sequence[Reference]) -> Scenario:
    _pins()[reader().user, scenario.catalog.version] = tuple(references)
    return scenario


def fact(reference: Reference) -> Saved:
    """One overlay. Raises: StoreError where the reader may not open it."""
    return store().overlays.open(reader(), *reference)


def facts() -> list[Saved]:
    """The latest version of every overlay that the reader may open, newest first."""
    found = store().overlays.listed(reader())
    return [fact((row.document_id, row.version)) for row in found]


def is_mine(held: Saved) -> bool:
    """Whether the reader made it, and may add its next version."""
    return held.owner == reader().user


def keep_fact(content: Mapping[str, Any], before: Saved | None) -> Saved:
    """Keep an overlay, as the next version of one before. Raises: StoreError."""
    may_save(store())
    return store().overlays.save(reader(), content, after=before)


def through(link: str) -> tuple[Opened, Scenario]:
    """What a link opens. Raises: SwitchyardError with the reason where it opens nothing."""
    saved = store().links.open(reader(), link)
    return Opened(saved, link), read(saved, link)


def draft() -> tuple[Opened | None, Scenario] | None:
    """What the reader was working on, and from which version; None where nothing is kept."""
    held = store().drafts.of(reader())
    if held is None:
        return None
    scenario = _resting_on(store().scenario(reader(), held), held.overlays)
    if held.document_id is None:
        return None, scenario
    try:
        saved = store().scenarios.open(reader(), held.document_id, held.version)
    except StoreError:
        return None, scenario
    return Opened(saved), scenario


def keep_draft(scenario: Scenario, opened: Opened | None) -> None:
    """Keep what the reader is working on."""
    after, link = (opened.saved, opened.link) if opened else (None, None)
    store().drafts.keep(reader(), scenario, overlays=pinned(scenario), after=after, link=link)


def save(scenario: Scenario, opened: Opened | None) -> Opened:
    """The next version of what was opened, or a new scenario; with the result it has now.

    Raises: OvertakenError when somebody saved in the meantime; nothing is overwritten.
    ForbiddenError when the role does not allow it, or the day's quota is used up.
    """
    may_save(store())
    after, link = (opened.saved, opened.link) if opened else (None, None)
    content = scenario.model_dump(mode="json")
    headline = headline_of(answers.plan_of(scenario))
    saved = store().scenarios.save(
        reader(), content, headline=headline, overlays=pinned(scenario), after=after, link=link
    )
    return Opened(saved, link)


def share(saved: Saved) -> str:
    """A link to this very version."""
    return store().links.share(reader(), saved)


def newest(most: int = SHOWN) -> Sequence[Saved]:
    """The latest versions of the scenarios that the reader may open, newest first."""
    found = store().scenarios.listed(reader())[:most]
    return [store().scenarios.open(reader(), row.document_id, row.version) for row in found]


def versions(opened: Opened, most: int = SHOWN) -> Sequence[Saved]:
    """The latest versions of what was opened, newest first."""
    link, mine = opened.link, store().scenarios
    found = mine.history(reader(), opened.saved.document_id, link=link)[:most]
    return [mine.open(reader(), row.document_id, row.version, link=link) for row in found]


def read(saved: Saved, link: str | None = None) -> Scenario:
    """A saved version as this release reads it."""
    scenario = store().scenario(reader(), saved, link=link)
    return _resting_on(scenario, saved.overlays)


@st.cache_resource(max_entries=answers.KEPT, show_spinner="Answering it again …")
def reopened(_opened: Opened, content_hash: str) -> Reopened:  # noqa: ARG001
    """The result then and now of a version that another release answered."""
    return store().reopen(reader(), _opened.saved, link=_opened.link)
