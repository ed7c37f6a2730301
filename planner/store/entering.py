"""What a reader types about a chip, a model or a price, checked and made an overlay's content."""

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from planner import text
from planner.errors import ScenarioError
from planner.facts.catalog import Catalog, merged, shipped_files
from planner.store.boxes import CHIPS, MODELS, PRICES, Box, allowed, boxes
from planner.store.overlays import Overlay

OWN, EDITED = "own", "edited"
"""What stands in brackets behind the name of a chip or model with a reader's own numbers."""
ORIGINS: Mapping[str, tuple[str, str]] = {
    "vendor": ("Data sheet of the maker", "datasheet"),
    "price-list": ("Quote or price list", "quote"),
    "paper": ("Paper or report", "estimate"),
    "judgement": ("Our own judgement", "assumption"),
}
"""Kinds of source: in words, and what a number from there is."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed of one entry.

    entry: its id, that of `like` for an edit. like: the entry it starts from. values: by field of
    its boxes. spread_frac: how far each number may lie off, both ways. origin: title, kind and
    url of the source. access: buy or rent, of a chip.
    """

    file: str
    entry: str
    like: str
    name: str
    values: Mapping[str, float | None]
    spread_frac: float
    origin: Mapping[str, str]
    access: str = ""

    @property
    def new(self) -> bool:
        """Whether this adds an entry."""
        return self.entry != self.like


_KEPT = (
    "family", "phase_fit", "memory_type", "tdp_scope", "scale_up_technology", "scale_up_domain",
    "scale_up_bytes_per_s", "scale_out_bytes_per_s", "peer_bytes_per_s",
)  # fmt: skip
"""What a new chip takes over from the one it is like."""


def identity(name: str) -> str:
    """The id of a new entry of that name."""
    return f"{OWN}-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def own_fact(
    typed: Typed, catalog: Catalog, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The content of an overlay.

    before: the fields of the reader's earlier overlay on the same entry.

    Raises:
        ScenarioError: one sentence per refused box.
    """
    problems = list(_problems(typed, catalog))
    if problems:
        raise ScenarioError(problems)
    fields = {CHIPS: _chip, MODELS: _model, PRICES: _price}[typed.file](typed, catalog)
    if not fields:
        raise ScenarioError("Nothing was changed; type another value, or close the form.")
    file, entry = place(typed.file, typed.entry, catalog)
    content = {
        "file": file,
        "entry": entry,
        "source": {key: word.strip() for key, word in typed.origin.items()},
        "fields": merged(before or {}, fields),
    }
    return Overlay.read(content).model_dump(mode="json")


def place(file: str, entry: str, catalog: Catalog) -> tuple[str, str]:
    """File and entry of an overlay on it: of a price, the table that holds it."""
    if file != PRICES:
        return file, entry
    return file, _steps(entry, catalog)[0]


def _problems(typed: Typed, catalog: Catalog) -> Iterator[str]:
    held = {CHIPS: catalog.accelerators, MODELS: catalog.models}.get(typed.file, {})
    if typed.new and not typed.name.strip():
        yield "Name: is empty; say what it is called."
    if typed.new and typed.entry in held:
        yield f"Name: {typed.name.strip()} is there already; choose another, or edit that one."
    for box in boxes(typed.file, typed.like, catalog):
        yield from _refused(box, typed.values.get(box.field))
    if typed.file == CHIPS:
        yield from _unpriced(typed)
    if not typed.origin.get("title", "").strip():
        yield "Source: is empty; say which document the numbers come from."
    if typed.origin.get("kind") != "judgement" and not typed.origin.get("url", "").strip():
        yield "Address: is empty; say where the source can be read, or call it our own judgement."


def _refused(box: Box, value: float | None) -> Iterator[str]:
    if value is None:
        if box.needed:
            yield f"{box.title}: is empty; allowed is {allowed(box)}."
        return
    if not box.low <= value <= box.high:
        yield f"{box.title}: {text.given(value)} is refused; allowed is {allowed(box)}."
    elif box.whole and value != round(value):
        yield f"{box.title}: {text.given(value)} is refused; it is a whole number."


def _unpriced(typed: Typed) -> Iterator[str]:
    field, title = ("price_usd", "Price") if typed.access == "buy" else (
        "rental_usd_per_hour", "Rent",
    )  # fmt: skip
    if typed.values.get(field) is None:
        yield f"{title}: is empty; a chip to {typed.access} needs it."


def _chip(typed: Typed, catalog: Catalog) -> dict[str, Any]:
    name = catalog.accelerators[typed.like].name
    if not typed.new:
        fields = _nested(_changed(typed, catalog))
        return {"name": _marked(name, EDITED), **fields} if fields else {}
    like = _raw(CHIPS).get(typed.like, {})
    fields = {key: like[key] for key in _KEPT if key in like}
    words = {"name": _marked(typed.name.strip(), OWN), "vendor": OWN, "status": "shipping"}
    numbers = {key: value for key, value in typed.values.items() if value is not None}
    return {**fields, **words, "access": typed.access, **_nested(_cited(typed, numbers, catalog))}


def _model(typed: Typed, catalog: Catalog) -> dict[str, Any]:
    """Dimensions of a model; an entry added is the one it is like, with other dimensions."""
    now = catalog.models[typed.like]
    changed = {
        field: int(value)
        for field, value in typed.values.items()
        if value is not None and value != getattr(now, field)
    }
    raw = _raw(MODELS).get(typed.like, {})
    if "n_layers" in changed:
        changed |= _layered(raw["dims"], changed["n_layers"])
    if not typed.new:
        return {"name": _marked(now.name, EDITED), "dims": changed} if changed else {}
    dims = {key: value for key, value in raw["dims"].items() if key != "source"}
    words = ("vendor", "released", "native_precision", "checkpoints")
    kept = {key: raw[key] for key in words if key in raw}
    return {**kept, "name": _marked(typed.name.strip(), OWN), "dims": {**dims, **changed}}


def _layered(dims: Mapping[str, Any], n_layers: int) -> dict[str, Any]:
    """What follows from another number of layers. Raises: ScenarioError where layers differ."""
    dense = dims.get("n_dense_layers", 0)
    if len(dims["attention"]) > 1:
        raise ScenarioError("Layers: this model mixes layers of several kinds; keep their number.")
    alike = {"n_dense_layers": n_layers} if dense == dims["n_layers"] else {}
    return {"attention": [{**dims["attention"][0], "n_layers": n_layers}], **alike}


def _price(typed: Typed, catalog: Catalog) -> dict[str, Any]:
    (value,) = _changed(typed, catalog).values() or (None,)
    fields: Any = value
    for step in reversed(_steps(typed.entry, catalog)[1:]):
        fields = {step: fields}
    return fields if value else {}


def _steps(path: str, catalog: Catalog) -> list[str]:
    """The keys that lead to a price; ids of models hold dots themselves."""
    tree, rest, found = catalog.tables[PRICES], path.removeprefix(f"{PRICES}."), []
    while rest:
        key = max((k for k in tree if rest == k or rest.startswith(f"{k}.")), key=len)
        found.append(key)
        tree, rest = tree[key], rest[len(key) + 1 :]
    return found


def _changed(typed: Typed, catalog: Catalog) -> dict[str, Any]:
    """The numbers that differ from the catalog, as cited quantities."""
    differing = {
        box.field: value
        for box in boxes(typed.file, typed.like, catalog)
        if (value := typed.values.get(box.field)) is not None
        and (box.value is None or not math.isclose(value, box.value))
    }
    return _cited(typed, differing, catalog)


def _cited(typed: Typed, numbers: Mapping[str, float], catalog: Catalog) -> dict[str, Any]:
    units = {box.field: box.unit for box in boxes(typed.file, typed.like, catalog)}
    kind = ORIGINS[typed.origin["kind"]][1]
    ends = {"low": 1 - typed.spread_frac, "high": 1 + typed.spread_frac}
    return {
        field: {"value": value, **{end: value * share for end, share in ends.items()}}
        | {"unit": units[field], "kind": kind}
        for field, value in numbers.items()
    }


def _nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted fields as tables."""
    found: dict[str, Any] = {}
    for field, value in fields.items():
        first, _, rest = field.partition(".")
        found[first] = {**found.get(first, {}), rest: value} if rest else value
    return found


def _marked(name: str, mark: str) -> str:
    return name if name.endswith((f"({OWN})", f"({EDITED})")) else f"{name} ({mark})"


@cache
def _raw(file: str) -> dict[str, Any]:
    return tomllib.loads(shipped_files()[f"{file}.toml"])
