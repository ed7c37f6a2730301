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
PROPER = re.compile(r"\S: ")
"""What follows the name of a chip or a class."""
ACRONYMS = {"it": "IT", "tdp": "TDP", "pue": "PUE", "kv": "KV"}
UNITS: Mapping[str, Callable[..., str]] = {
    "frac": text.percent,
    "USD": text.usd,
    "s": text.seconds,
    "MW": text.mw,
    "1": text.number,
}
PER = {"year": " a year", "": ""}
TITLES = {
    "calibration.compute_weight": "Power drawn by arithmetic",
    "calibration.expert_order": "Power drawn by many experts",
    "calibration.memory_j_per_byte": "Energy of a byte moved",
    "estimates.money.bad_quarter_margin_lost_frac": "Margin lost in a bad quarter",
    "estimates.money.delivery_quarters": "Delivery time of chips",
    "estimates.money.gap_closing_frac_per_year": "Gap closed by software",
    "estimates.money.price_elasticity": "Price of a paper chip to its cost",
    "estimates.money.rollout_quarters": "Time to roll out software",
    "estimates.power.network_storage_w": "Network and storage power per chip",
    "estimates.power.overhead_draw_frac": "Server draw over its nameplate",
    "power.idle_frac_of_tdp": "Idle power over TDP",
    "power.server.nameplate_over_tdp_frac": "Server nameplate over TDP",
    "software.rate_matching.decode_rate_frac": "Decode kept up with prefill",
    "software.rate_matching.prefill_rate_frac": "Prefill kept up with decode",
    "prices.capital.all_in_over_chip_price_frac": "All-in capital over chip price",
    "prices.capital.all_in_over_rack_price_frac": "All-in capital over rack price",
    "prices.capital.all_in_over_server_price_frac": "All-in capital over server price",
    "prices.capital.network_share_frac": "Network's share of capital",
    "prices.running.it_support_frac_per_year": "IT support over capital",
    "prices.running.staff_1_mw_fte_per_mw": "Site staff of a lone megawatt",
    "prices.running.staff_fte_per_mw": "Site staff per megawatt",
}


def name_of(assumption: Assumption, catalog: Catalog) -> str:
    """What an assumption is called: its title where it has one, else the words of its name."""
    first, *rest = assumption.parameter.split(".")
    if not rest:
        return _title(Scenario, first)
    if first in PARTS and rest[0] in PARTS[first].model_fields:
        return _title(PARTS[first], rest[-1])
    if first == "classes":
        return f"{_class('.'.join(rest[:-1]))}: {_title(WorkloadClass, rest[-1]).lower()}"
    if first == "owned":
        return f"{_chip(catalog, rest[0])}: {_title(OwnedFleet, rest[-1]).lower()}"
    if first == "accelerators":
        return f"{_chip(catalog, rest[0])}: {_words(rest[1]).lower()}"
    if first == "calibration" and len(rest) > 1:
        return _calibrated(catalog, *rest)
    words = _words(rest[-1])
    return TITLES.get(assumption.parameter, words if " " in words else f"{words}, {first}")


def in_sentence(name: str) -> str:
    """A name within a sentence: small, but for acronyms and the names of chips and classes."""
    first = name.partition(" ")[0]
    small = first[1:].islower() and not PROPER.search(name)
    return name[0].lower() + name[1:] if small else name


def value_of(value: float, unit: str) -> str:
    """A value of an assumption with its unit."""
    show, tail = _unit(unit)
    return show(value) + tail


def range_of(low: float, high: float, unit: str) -> str:
    """Both ends of an assumption, the unit said once: "0% to 50% a year"."""
    show, tail = _unit(unit)
    return f"{show(low)} to {show(high)}{tail}"


def _unit(unit: str) -> tuple[Callable[..., str], str]:
    """How the number is shown, and what follows it."""
    head, _, per = unit.partition("/")
    tail = PER.get(per, f"/{per}")
    return (UNITS[head], tail) if head in UNITS else (text.number, f" {head}{tail}")


def _class(name: str) -> str:
    """A class as words: Long documents, of long_documents."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _calibrated(catalog: Catalog, number: str, chip: str, *_: str) -> str:
    """A fitted number of a chip, or how far its speed may lie from the fit."""
    if number == "speed":
        return f"Measured speed of {_chip(catalog, UNIT_WORDS.sub('', chip))}"
    return f"{_chip(catalog, chip)}: {_words(number).lower()}"


def _title(model: type[BaseModel], field: str) -> str:
    return str(model.model_fields[field].title)


def _chip(catalog: Catalog, name: str) -> str:
    return catalog.accelerators[name].name


def _words(name: str) -> str:
    """IT support, of it_support_frac_per_year."""
    words = [ACRONYMS.get(word, word) for word in UNIT_WORDS.sub("", name).split("_")]
    phrase = " ".join(words)
    return phrase[0].upper() + phrase[1:]
