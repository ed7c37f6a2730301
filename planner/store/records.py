"""What the store gives back: versions, drafts, links, approvals and lines of the trail."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

State: TypeAlias = Literal["draft", "reviewed", "approved"]
STATES: tuple[State, ...] = ("draft", "reviewed", "approved")
Right: TypeAlias = Literal["view", "edit"]
RIGHTS: tuple[Right, ...] = ("view", "edit")
Reference: TypeAlias = tuple[str, int]
"""Id and version of a document."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs: its dotted path and both values, None where there was none."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Listed:
    """One version of a scenario or of an overlay, without its content.

    owner: who made the first version; author: who saved this one. model_version and
    catalog_version: what computed the result that was shown then.
    """

    document_id: str
    version: int
    owner: str
    author: str
    name: str
    saved_at: datetime
    model_version: str
    catalog_version: str
    state: State


@dataclass(frozen=True, slots=True)
class Saved(Listed):
    """One version, whole, as it was saved.

    content: the document in the schema of `schema_version`. headline: the result it had.
    overlays: the user's own facts that lie over the catalog. content_hash: of all this, and of
    name and versions of model and catalog, but not of who and when.
    """

    schema_version: int
    content: Mapping[str, Any]
    headline: Mapping[str, Any]
    overlays: tuple[Reference, ...]
    content_hash: str


@dataclass(frozen=True, slots=True)
class Overtaking:
    """What happened between opening a version and trying to save the next.

    newer: every version since, oldest first, each with what it changed. differing: where the
    refused content differs from the newest; old is theirs, new is yours.
    """

    newer: tuple[tuple[Listed, tuple[Change, ...]], ...]
    differing: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a user was working on. document_id, version: what it was opened from, if anything."""

    content: Mapping[str, Any]
    overlays: tuple[Reference, ...]
    document_id: str | None
    version: int | None
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A share id and what it opens. right: view this version, or edit all of the document."""

    share_id: str
    document_id: str
    version: int
    owner: str
    right: Right
    shared_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Approval:
    """One step of a version's approval, with the hash of what was looked at."""

    document_id: str
    version: int
    state: State
    name: str
    role: str
    at: datetime
    content_hash: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit trail; old and new are JSON. hash: of this line and the one before."""

    n: int
    at: datetime
    who: str
    role: str
    action: str
    document_id: str
    version: int
    field: str
    old: str
    new: str
    model_version: str
    hash: str


def canonical(value: Any) -> str:
    """The one JSON text of a value: keys sorted, ASCII, no spaces, no NaN."""
    return json.dumps(value, allow_nan=False, sort_keys=True, separators=(",", ":"))


def digest(value: Any) -> str:
    """SHA-256 of a value's JSON text."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


HASHED = (
    "kind", "name", "schema_version", "content", "overlays", "model_version", "catalog_version",
    "headline",
)  # fmt: skip


def content_hash(row: Mapping[str, Any]) -> str:
    """The hash that an approval signs: everything that decides the answer, and the answer."""
    return digest([row[field] for field in HASHED])
