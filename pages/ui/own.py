"""A reader's own facts: taking one up, laying it down, and the mark of those in use."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import streamlit as st

from pages.ui import keeping, state
from pages.ui.keeping import Reference
from pages.ui.widgets import plain
from planner import Saved, Scenario, ScenarioError, SwitchyardError, load_catalog, text

KINDS = {"accelerators": "chip", "models": "model", "prices": "price", "calibration": "fit"}


def used(scenario: Scenario) -> list[Saved]:
    """The overlays that a scenario rests on."""
    return [keeping.fact(reference) for reference in keeping.pinned(scenario)]


def unused(scenario: Scenario) -> list[Saved]:
    """Overlays kept before that lie idle, newest first."""
    mine = {document for document, _ in keeping.pinned(scenario)}
    return [held for held in keeping.facts() if held.document_id not in mine]


def title(held: Saved, scenario: Scenario) -> str:
    """What an overlay is about, in words."""
    file, entry = held.content["file"], held.content["entry"]
    named = held.content["fields"].get("name")
    shelf = {"accelerators": scenario.catalog.accelerators, "models": scenario.catalog.models}
    known = shelf.get(file, {}).get(entry)
    return str(named or (known.name if known else entry.replace("_", " ")))


def mark() -> None:
    """The line on every page that says which figures are the reader's own."""
    scenario = state.scenario()
    try:
        held = used(scenario)
    except SwitchyardError:
        return
    if held:
        names = ", ".join(f"{title(each, scenario)}" for each in held)
        st.info(
            plain(f"Rests on figures of your own: {names}. See Hardware."),
            icon=":material/edit_note:",
        )


def take_up(content: Mapping[str, Any], *, consider: bool) -> None:
    """Keep an overlay and use it everywhere from now on. Raises: SwitchyardError."""
    scenario = state.scenario()
    name = f"{content['file']}/{content['entry']}"
    mine = [*used(scenario), *(held for held in unused(scenario) if keeping.is_mine(held))]
    before = next((held for held in mine if held.name == name), None)
    saved = keeping.keep_fact(content, before)
    rest = [held for held in keeping.pinned(scenario) if held[0] != saved.document_id]
    _rest_on([*rest, (saved.document_id, saved.version)], _with(scenario, content, consider))


def use_again(held: Saved) -> None:
    """Use an overlay that lay idle."""
    scenario = state.scenario()
    reference = (held.document_id, held.version)
    _tried([*keeping.pinned(scenario), reference], _with(scenario, held.content, consider=True))


def lay_down(held: Saved) -> None:
    """Stop using an overlay; what names its chip goes back to what it was before."""
    scenario = state.scenario()
    rest = [each for each in keeping.pinned(scenario) if each[0] != held.document_id]
    _tried(rest, _without(scenario, held.content))


def _tried(references: Sequence[Reference], document: Mapping[str, Any]) -> None:
    try:
        _rest_on(references, document)
    except ScenarioError as error:
        state.refuse("own", *error.problems)
    except SwitchyardError as error:
        state.refuse("own", str(error))


def _rest_on(references: Sequence[Reference], document: Mapping[str, Any]) -> None:
    catalog = keeping.over(references, state.opened())
    state.begin(Scenario.read(document, catalog), state.opened())


def _with(scenario: Scenario, content: Mapping[str, Any], consider: bool) -> dict[str, Any]:
    """The scenario with a new chip among its candidates."""
    document = scenario.model_dump()
    entry = content["entry"]
    if consider and content["file"] == "accelerators" and entry not in scenario.candidates:
        document["candidates"] = (*scenario.candidates, entry)
    return document


def _without(scenario: Scenario, content: Mapping[str, Any]) -> dict[str, Any]:
    """The scenario without what names an entry that only this overlay holds."""
    document, entry = scenario.model_dump(), content["entry"]
    if content["file"] == "accelerators" and entry not in load_catalog().accelerators:
        start = Scenario(profile=scenario.profile)
        left = tuple(name for name in scenario.candidates if name != entry)
        document["candidates"] = left or start.candidates
        document["owned"] = [row for row in document["owned"] if row["accelerator"] != entry]
        if scenario.default_accelerator == entry:
            document["default_accelerator"] = start.default_accelerator
    return document


def about(held: Saved) -> str:
    """Kind, the numbers, and the source of an overlay."""
    source, numbers = held.content["source"], list(_numbers(held.content["fields"]))
    kind = KINDS[held.content["file"]]
    return f"{kind}: {', '.join(numbers) or 'its dimensions'}; from {source['title']}"


def _numbers(fields: Any) -> Iterator[str]:
    """The numbers that cite the overlay's own source, with their units."""
    if not isinstance(fields, Mapping):
        return
    if "value" in fields and "source" not in fields:
        value, unit = float(fields["value"]), str(fields["unit"])
        money = unit.startswith("USD")
        tail = unit.removeprefix("USD") if money else f" {unit}".removesuffix(" 1")
        yield (text.usd if money else text.number)(value) + tail
        return
    for inner in fields.values():
        yield from _numbers(inner)


def without(scenario: Scenario) -> Scenario:
    """The scenario on the shipped facts alone. Raises: ScenarioError where it cannot stand."""
    document = scenario.model_dump()
    for held in used(scenario):
        plain_facts = Scenario.read(document, scenario.catalog)
        document = _without(plain_facts, held.content)
    return Scenario.read(document)
