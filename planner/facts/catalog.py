"""The catalog: every fact the planner may use, read from `hardware_catalog/` and checked.

`load_catalog` is a pure function of the folder. ``sources.toml`` names each document once;
``accelerators.toml``, ``models.toml`` and ``calibration.toml`` become typed entries; every other
TOML file keeps its own shape in `Catalog.tables`, its numbers also by dotted path in
`Catalog.numbers`. A number that is uncited, of an unknown unit, out of order or cites a missing
source is refused.
"""

import hashlib
import json
import tomllib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from planner.errors import CatalogError
from planner.facts.accelerators import Accelerator, accelerators_from
from planner.facts.calibration import Calibration, calibration_from
from planner.facts.entry import Entry, cited
from planner.facts.models import Model, models_from
from planner.facts.quantities import SOURCE_KINDS, Quantity, Source, quantity

__all__ = [
    "Accelerator",
    "Catalog",
    "Model",
    "Quantity",
    "Source",
    "catalog_folder",
    "catalog_of",
    "catalog_version",
    "load_catalog",
    "merged",
    "shipped_files",
]

_DATED, _SOURCES, _ACCELERATORS, _MODELS = "catalog", "sources", "accelerators", "models"
_CALIBRATION = "calibration"
OWN_SOURCE = "overlay-"
"""How the ids begin of the sources of a user's own facts; file and entry follow."""
_NEEDED = (_DATED, _SOURCES, _ACCELERATORS, _MODELS)
_TYPED = (*_NEEDED, _CALIBRATION)


@dataclass(frozen=True)
class Catalog:
    """All facts, read-only; add or replace entries with `dataclasses.replace`.

    numbers: every fact outside accelerators and models by dotted path, file name first:
        ``sites.us.usd_per_kwh``; rows of a list are counted from 0.
    tables: the same files as trees, for names, flags and lists beside the numbers.
    calibration: what the fit to measurements found; None before there was one.
    date: the day the facts were collected. version: hash of the files, short.
    """

    sources: Mapping[str, Source]
    accelerators: Mapping[str, Accelerator]
    models: Mapping[str, Model]
    numbers: Mapping[str, Quantity]
    tables: Mapping[str, Mapping[str, Any]]
    calibration: Calibration | None
    date: str
    version: str

    @cached_property
    def calibrated(self) -> dict[str, Quantity]:
        """Numbers of the calibration by their names in the register, as far as asked for."""
        return {}

    @property
    def own(self) -> tuple[str, ...]:
        """What a user's own facts are about: chips and models by name, else file and entry."""
        entries = (name.removeprefix(OWN_SOURCE) for name in self.sources if self.is_own(name))
        return tuple(self._own_name(*entry.split("-", 1)) for entry in entries)

    def is_own(self, source: str) -> bool:
        """Whether a source is a user's own."""
        return source.startswith(OWN_SOURCE)

    def _own_name(self, file: str, entry: str) -> str:
        shelves = {_ACCELERATORS: self.accelerators, _MODELS: self.models}
        held: Any = shelves.get(file, {}).get(entry)
        return str(held.name) if held else f"{file}, {entry.replace('_', ' ')}"

    def number(self, path: str) -> Quantity:
        """The quantity at a dotted path; `CatalogError` names a path that is absent."""
        if path not in self.numbers:
            raise CatalogError(
                f"The catalog holds no number {path}; add it to {path.partition('.')[0]}.toml."
            )
        return self.numbers[path]

    def fact(self, name: str) -> Quantity:
        """The quantity under a name of the register: `accelerators.h100-sxm.tdp_w`, or a path.

        Raises:
            CatalogError: the catalog holds no such number.
        """
        if not name.startswith(f"{_ACCELERATORS}."):
            return self.number(name)
        _, chip, field, *precision = name.split(".")
        held = getattr(self.accelerators[chip], field)
        found = held.get(precision[0]) if precision else held
        if not isinstance(found, Quantity):
            raise CatalogError(f"{self.accelerators[chip].name} has no published {field}.")
        return found


def catalog_folder() -> Path:
    """`hardware_catalog/`, which lies beside `planner/` in the repository and when installed."""
    return Path(__file__).resolve().parents[2] / "hardware_catalog"


def load_catalog(root: Path | None = None) -> Catalog:
    """Read and check the whole catalog.

    root: a folder laid out as `hardware_catalog/`; None is the shipped one, read once.

    Raises:
        CatalogError: one sentence naming file, entry and field, and what is allowed.
    """
    return _shipped() if root is None else catalog_of(_read(root))


def shipped_files() -> Mapping[str, str]:
    """The text of every TOML file of the shipped catalog by name, read once."""
    return _shipped_files()


def catalog_of(
    files: Mapping[str, str], over: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> Catalog:
    """The catalog that the texts of its files hold, with further tables laid over them.

    over: tables by file and entry, shaped as in the files; they merge key by key, and a quantity
    is replaced whole, so that no number keeps the source of another.

    Raises:
        CatalogError: one sentence naming file, entry and field, and what is allowed.
    """
    parsed = _parsed(files)
    laid = {stem: merged(tree, over.get(stem, {})) for stem, tree in parsed.items()}
    sources = _sources(laid[_SOURCES])
    tables = {
        stem: _cited_tree(tree, f"{stem}.toml", "", sources)
        for stem, tree in laid.items()
        if stem not in _TYPED
    }
    dated = Entry("catalog.toml", "catalog", laid[_DATED], sources)
    return Catalog(
        sources=sources,
        accelerators=accelerators_from(laid[_ACCELERATORS], sources),
        models=models_from(laid[_MODELS], sources),
        numbers=dict(_numbers(tables, "")),
        tables=tables,
        calibration=calibration_from(laid[_CALIBRATION], sources) if _CALIBRATION in laid else None,
        date=dated.text("date"),
        version=catalog_version(files, over),
    )


def catalog_version(
    files: Mapping[str, str], over: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> str:
    """Short hash of the files and of what is laid over them."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update((name + files[name]).encode())
    if over:
        digest.update(json.dumps(over, sort_keys=True).encode())
    return f"{digest.hexdigest():.12}"


def merged(tree: Any, over: Any) -> Any:
    """Tables merge key by key; a quantity, a list or a word is replaced whole."""
    both = isinstance(tree, Mapping) and isinstance(over, Mapping)
    if not both or "value" in over:
        return over
    return {**tree, **{key: merged(tree.get(key), item) for key, item in over.items()}}


@cache
def _shipped_files() -> Mapping[str, str]:
    return MappingProxyType(_read(catalog_folder()))


@cache
def _shipped() -> Catalog:
    return catalog_of(_shipped_files())


def _read(root: Path) -> dict[str, str]:
    return {path.name: _text(path) for path in sorted(root.glob("*.toml"))}


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, ValueError) as error:
        raise CatalogError(f"{path.name} cannot be read as TOML in UTF-8: {error}.") from error


def _parsed(files: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    parsed = {name.removesuffix(".toml"): _toml(name, text) for name, text in files.items()}
    for stem in _NEEDED:
        if stem not in parsed:
            raise CatalogError(f"{stem}.toml is missing from the catalog folder; it is needed.")
    return parsed


def _toml(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise CatalogError(f"{name} cannot be read as TOML in UTF-8: {error}.") from error


def _sources(tables: Mapping[str, Any]) -> dict[str, Source]:
    return {name: _source(Entry("sources.toml", name, table, ())) for name, table in tables.items()}


def _source(entry: Entry) -> Source:
    source = Source(
        id=entry.name,
        title=entry.text("title"),
        publisher=entry.text("publisher", ""),
        url=entry.text("url", ""),
        date=entry.text("date", ""),
        retrieved=entry.flag("retrieved"),
        kind=entry.text("kind", allowed=SOURCE_KINDS),
        licence=entry.text("licence", ""),
        note=entry.text("note", ""),
    )
    entry.finish()
    if not source.url and source.kind != "judgement":
        raise entry.refusal("url", "is missing; only a judgement has none.")
    return source


def _cited_tree(raw: Any, file: str, path: str, sources: Container[str]) -> Any:
    """The same tree with each quantity read; a bare number anywhere in it is refused."""
    place = ", ".join(filter(None, (file, *path.rpartition(".")[::2])))
    if path.rpartition(".")[2] == "sources":
        return list(cited(raw, place, sources))
    if isinstance(raw, str | bool):
        return raw
    if isinstance(raw, list):
        return [_cited_tree(item, file, f"{path}.{n}", sources) for n, item in enumerate(raw)]
    if not isinstance(raw, dict) or "value" in raw or "unit" in raw:
        return quantity(raw, place, sources)
    return {
        key: _cited_tree(item, file, f"{path}.{key}".lstrip("."), sources)
        for key, item in raw.items()
    }


def _numbers(tree: Any, path: str) -> Iterator[tuple[str, Quantity]]:
    if isinstance(tree, Quantity):
        yield path, tree
    elif isinstance(tree, dict | list):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, item in items:
            yield from _numbers(item, f"{path}.{key}".lstrip("."))
