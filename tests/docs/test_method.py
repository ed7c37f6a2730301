"""The Method chapter and the code: what it cites exists, and no formula goes without a word."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.sources import ROOT, tracked, tree

CHAPTER = ROOT / "docs" / "method"
PAGES = sorted(CHAPTER.glob("*.md"))
ROOMS = ("physics", "load", "money", "fleet")
CITED = re.compile(r"`(?P<path>planner/[\w/]+\.py)(?:: (?P<names>[^`]+))?`")
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
UNITS = re.compile(
    r"_(s|w|j|usd|mw|kwh|frac|flop|bytes|tokens|chips|years|quarters|accelerators|params|scv"
    r"|per_(s|year|token|kwh|mtok|node|quarter|useful_token))$"
)
UNCITED = {
    "planner/physics/profile.py: stacked": "puts models side by side; computes nothing",
    "planner/load/blocks.py: in_blocks": "asks in blocks of rows; the answer is the same",
    "planner/load/checks.py: non_negative": "refuses bad input",
    "planner/load/checks.py: positive": "refuses bad input",
    "planner/load/checks.py: at_least_one": "refuses bad input",
    "planner/load/checks.py: whole_servers": "refuses bad input",
    "planner/load/checks.py: open_fraction": "refuses bad input",
    "planner/load/checks.py: step_curve": "refuses bad input",
    "planner/load/checks.py: finite": "puts 0 where a batch does not fit",
    "planner/load/results.py: answer": "masks what is unstable",
    "planner/load/results.py: plain": "gives arrays one shape",
    "planner/load/traffic.py: checked_traffic": "refuses bad input",
    "planner/money/stranded.py: label_of": "names a cause by its sign",
}
"""Public functions that no page needs to name, and why."""


@cache
def citations() -> frozenset[str]:
    found = set()
    for page in PAGES:
        for cited in CITED.finditer(FENCED.sub("", page.read_text(encoding="utf-8"))):
            names = " ".join((cited["names"] or "").split()).split(", ")
            found |= {f"{cited['path']}: {name}" for name in names}
    return frozenset(found)


def defined(path: str, kinds: tuple[type[ast.stmt], ...]) -> dict[str, ast.stmt]:
    """Definitions of a module by name, methods and fields behind the name of their class."""
    found: dict[str, ast.stmt] = {}
    for node in tree(path).body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = node
            found |= {f"{node.name}.{name}": each for name, each in inside(node)}
        elif isinstance(node, kinds):
            found[node.name] = node  # type: ignore[attr-defined]
    return found


def inside(node: ast.ClassDef):
    for each in node.body:
        if isinstance(each, ast.FunctionDef):
            yield each.name, each
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            yield each.target.id, each


def formulas() -> list[str]:
    """Public functions of the rooms that compute, and public methods that name a unit."""
    found = []
    for path in tracked():
        parts = Path(path).parts
        if path.endswith(".py") and parts[0] == "planner" and parts[1] in ROOMS:
            names = [
                name
                for name, node in defined(path, (ast.FunctionDef,)).items()
                if isinstance(node, ast.FunctionDef) and shows(name)
            ]
            found += [f"{path}: {name}" for name in names]
    return found


def shows(name: str) -> bool:
    """Whether a reader may ask for a formula: public, and a unit where it is a method."""
    *owner, own = name.split(".")
    public = not any(part.startswith("_") for part in (*owner, own))
    return public and (not owner or UNITS.search(own) is not None)


@pytest.mark.parametrize("citation", sorted(citations()))
def test_what_a_page_cites_exists(citation):
    path, _, name = citation.partition(": ")
    assert (ROOT / path).is_file()
    assert not name or name in defined(path, (ast.FunctionDef,))


@pytest.mark.parametrize("formula", formulas())
def test_every_formula_of_a_room_is_explained(formula):
    explained, excused = formula in citations(), formula in UNCITED
    assert explained or excused, "cite it on a page of docs/method, or say here why not"
    assert not (explained and excused), "it is cited: strike it from UNCITED"


def test_what_is_excused_exists():
    assert set(UNCITED) <= set(formulas())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_section_with_a_formula_says_what_computes_it(page):
    sections = FENCED.sub("", page.read_text(encoding="utf-8")).split("\n## ")[1:]
    silent = [s.partition("\n")[0] for s in sections if "$$" in s and not CITED.search(s)]
    assert not silent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_room_is_worked_by_hand_three_times(page):
    blocks = re.findall(r"^```pycon$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert page.stem == "index" or len(blocks) >= 3
