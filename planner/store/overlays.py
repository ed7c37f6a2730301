"""Users' own facts: a chip, a model, prices or a calibration laid over the shipped catalog."""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from planner.demand.parts import Part
from planner.errors import CatalogError, StoreError
from planner.facts.catalog import (
    OWN_SOURCE,
    Catalog,
    catalog_of,
    load_catalog,
    merged,
    shipped_files,
)
from planner.facts.quantities import SOURCE_KINDS
from planner.store.records import canonical

N_CATALOGS = 16
READ_WHOLE = ("dims", "checkpoints")
"""Tables of a model that are read from one document, without a source on each number."""


class Origin(Part):
    """The document that an overlay's numbers are read from."""

    title: str = Field(title="Title", description="What the document is called.", min_length=1)
    publisher: str = Field(default="", title="Publisher", description="Whose document it is.")
    url: str = Field(default="", title="Address", description="Where it can be read.")
    date: str = Field(default="", title="Date", description="Of which day it is.")
    kind: Literal[SOURCE_KINDS] = Field(  # type: ignore[valid-type]
        title="Kind", description="What kind of document; only a judgement has no address."
    )
    note: str = Field(default="", title="Note", description="What a reader should know of it.")


class Overlay(Part):
    """One entry of a catalog file, added or edited, in the shape that the file gives it.

    fields: tables merge with the shipped entry key by key; a number is one table of value, low,
    high, unit and kind, and cites the overlay's own source unless it names another of the catalog.
    """

    file: Literal["accelerators", "models", "prices", "calibration"] = Field(
        title="File", description="Which file of the catalog it lies over."
    )
    entry: str = Field(
        title="Entry", description="Id of the entry.", min_length=1, pattern=r"^[\w.\-]+$"
    )
    source: Origin = Field(title="Source", description="Where the numbers come from.")
    fields: dict[str, Any] = Field(
        title="Fields", description="What is added or replaced.", min_length=1
    )

    @model_validator(mode="after")
    def _fits_the_catalog(self) -> Self:
        try:
            catalog_of(shipped_files(), self.tables)
        except CatalogError as error:
            raise ValueError(str(error)) from error
        return self

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Check an overlay. Raises: StoreError, one sentence that names every refused field."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise StoreError(" ".join(map(_sentence, error.errors()))) from None

    @property
    def name(self) -> str:
        """File and entry, which is what the overlay is called."""
        return f"{self.file}/{self.entry}"

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        """The overlay as tables of catalog files, its source among them."""
        own = f"{OWN_SOURCE}{self.file}-{self.entry}"
        source = self.source.model_dump() | {"retrieved": False}
        return {"sources": {own: source}, self.file: {self.entry: _cited(self.fields, own)}}


def laid_over(overlays: Iterable[Mapping[str, Any]], files: Mapping[str, str]) -> Catalog:
    """The catalog of `files` with the contents of overlays on top, the last one uppermost."""
    tables: dict[str, Any] = {}
    for content in overlays:
        tables = merged(tables, Overlay.model_construct(**_plain(content)).tables)
    if not tables and files is shipped_files():
        return load_catalog()
    return _kept(canonical(dict(files)), canonical(tables))


@lru_cache(maxsize=N_CATALOGS)
def _kept(files: str, tables: str) -> Catalog:
    return catalog_of(json.loads(files), json.loads(tables))


def _plain(content: Mapping[str, Any]) -> dict[str, Any]:
    return {**content, "source": Origin.model_construct(**content["source"])}


def _cited(fields: Any, own: str, name: str = "") -> Any:
    """The same tables with the own source on every one that needs a source and names none."""
    if isinstance(fields, list):
        return [_cited(item, own, name) for item in fields]
    if not isinstance(fields, Mapping):
        return fields
    inner = {key: _cited(item, own, key) for key, item in fields.items()}
    return {"source": own, **inner} if "value" in inner or name in READ_WHOLE else inner


def _sentence(problem: Mapping[str, Any]) -> str:
    path = ".".join(map(str, problem["loc"]))
    said = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{path}: {said}." if path else f"{said}."
