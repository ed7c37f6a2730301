"""Assumptions in a reader's words: what they are called, and their values with the unit."""

import re
from collections.abc import Callable, Mapping

from pydantic import BaseModel

from planner import text
from planner.demand.parts import OwnedFleet, WorkloadClass
from planner.demand.scenario import Scenario
from planner.facts.catalog import Catalog
from planner.facts.ledger import Assumption

PARTS = {
    name: field.annotation
    for name, field in Scenario.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}
UNIT_WORDS = re.compile(r"_(frac|usd|bytes|flop|quarters|tokens|s|w)(_per_[a-z_0-9]+)?$")
ACRONYMS = {"it": "IT", "tdp": "TDP", "pue": "PUE", "kv": "KV"}
UNITS: Mapping[str, Callable[..., str]] = {
    "frac": text.percent,
    "USD": text.usd,
    "s": text.seconds,
    "MW": text.mw,
    "1": text.number,
}
PER = {"year": " a year", "": ""}


def name_of(assumption: Assumption, catalog: Catalog) -> str:
    """What an assumption is called: its field's title, else the words of its name."""
    first, *rest = assumption.parameter.split(".")
    if not rest:
        return _title(Scenario, first)
    if first in PARTS:
        return _title(PARTS[first], rest[-1])
    if first == "classes":
        return f"{_title(WorkloadClass, rest[-1])}, {'.'.join(rest[:-1])}"
    if first == "owned":
        return f"{_title(OwnedFleet, rest[-1])}, {_chip(catalog, rest[0])}"
    if first == "accelerators":
        return f"{_chip(catalog, rest[0])}: {_words(rest[1]).lower()}"
    words = _words(rest[-1])
    return words if " " in words else f"{words}, {first}"


def value_of(value: float, unit: str) -> str:
    """A value of an assumption with its unit."""
    head, _, per = unit.partition("/")
    tail = PER.get(per, f"/{per}")
    if head in UNITS:
        return UNITS[head](value) + tail
    return f"{text.number(value)} {head}{tail}"


def _title(model: type[BaseModel], field: str) -> str:
    return str(model.model_fields[field].title)


def _chip(catalog: Catalog, name: str) -> str:
    return catalog.accelerators[name].name


def _words(name: str) -> str:
    """"it_support_frac_per_year" is "IT support"."""
    words = [ACRONYMS.get(word, word) for word in UNIT_WORDS.sub("", name).split("_")]
    phrase = " ".join(words)
    return phrase[0].upper() + phrase[1:]
