"""The reference is what the code says, and leaves nothing out."""

from dataclasses import fields

import pytest

import planner
from docs.site import catalog, library
from docs.site.__main__ import FOLDER, PAGES
from docs.site.commands import _commands
from planner.__main__ import _parser
from planner.demand.scenario import Part
from planner.facts import models
from planner.facts.accelerators import Accelerator
from planner.facts.models import Checkpoint, Model
from planner.facts.quantities import Quantity, Source


def read(name):
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_reference_is_current(name):
    assert read(name) == PAGES[name](), "run `make docs`, or `python -m docs.site`"


def test_every_page_of_the_reference_is_written_from_the_code():
    assert {path.name for path in FOLDER.glob("*")} == set(PAGES)


def test_the_library_page_has_every_public_name_once():
    named = [name for group in library.groups() if "module" not in group for name in group["names"]]
    assert sorted(named) == sorted(planner.__all__)


def test_the_fields_page_has_every_field():
    parts = [part for part in Part.__subclasses__() if part.__module__.startswith("planner.demand")]
    held = {name for part in parts for name in part.model_fields}
    assert "cache_hit_frac" in held
    assert not [name for name in held if f"| `{name}` |" not in read("fields.md")]


def test_the_commands_page_has_every_command():
    names = [name.removeprefix("planner ") for name, *_ in _commands(_parser(), "planner")]
    assert "store approve" in names
    assert not [name for name in names if f"\n## {name}\n" not in read("commands.md")]


def test_every_field_of_the_catalog_is_explained_and_nothing_else():
    said = catalog.meanings()
    dimensions = {"source", *(field for field in models._NO_DIMENSIONS)}
    outside = {field.name for field in fields(Model)} - dimensions
    assert said["model"].keys() == outside | {"dims"}
    assert said["dimensions"].keys() == dimensions
    for kind, typed in {
        "number": Quantity, "source": Source, "accelerator": Accelerator, "checkpoint": Checkpoint,
    }.items():  # fmt: skip
        assert said[kind].keys() == {field.name for field in fields(typed)}, kind
