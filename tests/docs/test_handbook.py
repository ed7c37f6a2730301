"""The handbook and the code: what it names is there, and no room goes unnamed."""

import re

import pytest

from tests.sources import ROOT, tracked
from tests.test_architecture import ROOMS

HANDBOOK = ("ARCHITECTURE.md", "CONTRIBUTING.md", "docs/releasing.md", "SECURITY.md")
PLACE = re.compile(
    r"`(?!plan/1)(?P<path>[\w./]+/[\w.]*|\w+\.(?:py|toml|md|cff))(?:: (?P<name>\w+))?`"
)
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def places():
    for document in HANDBOOK:
        text = re.sub(
            r"^```.*?^```$", "", (ROOT / document).read_text(), flags=re.DOTALL | re.MULTILINE
        )
        for found in PLACE.finditer(text):
            yield document, found["path"], found["name"]


@pytest.mark.parametrize(("document", "path", "name"), sorted(set(places()), key=str))
def test_what_the_handbook_names_is_there(document, path, name):
    near = [path, f"docs/{path}", f"hardware_catalog/{path}", f"planner/{path}"]
    (held, *_) = [at for at in near if at in tracked() or (ROOT / at).is_dir()]
    if name:
        assert re.search(
            rf"^(def|class|    def) {name}\b|^{name}\b", (ROOT / held).read_text(), re.MULTILINE
        )


def test_the_tree_names_every_room_in_the_order_of_imports():
    tree = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = [room for room in ROOMS if (ROOT / "planner" / room).is_dir()]
    drawn = re.findall(r"^planner/(\w+) ", tree, re.MULTILINE)
    assert drawn == rooms


def test_contributing_has_a_recipe_for_whatever_is_added_often():
    titles = re.findall(r"^## Add an? (\w+)", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert titles == ["chip", "model", "price", "remediation", "option", "page"]
