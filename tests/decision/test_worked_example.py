"""The page worked out by hand: each line follows from the lines above, and the page is current.

`python -m tests.decision.test_worked_example` renews the values of the page.
"""

import ast
import math
import operator
import re
import tomllib
from functools import cache

import pytest

import planner
from planner import Scenario
from tests.sources import ROOT

PAGE = ROOT / "docs" / "worked_example.md"
SCENARIO = PAGE.with_suffix(".toml")
ROW = re.compile(
    r"^\| (?P<symbol>\w+) \| (?P<what>[^|]+) \| (?P<how>[^|]+) \| ?(?P<value>[^|]*)\|$"
)
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
KEYS = ("id", "name", "accelerator", "parameter")
# What is printed with seven digits is followed that well; differences of large sums less.
FOLLOWED, REACHED = 1e-6, 1e-4


@cache
def document():
    given = tomllib.loads(SCENARIO.read_text(encoding="utf-8"))
    return planner.plan(Scenario.read(given)).as_dict(flips=False)


def rows():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    found = (ROW.match(line) for line in lines)
    return [row.groupdict() for row in found if row and row["symbol"] != "symbol"]


def at(path):
    """The number at a place of the plan: keys, and rows of lists by name or by number."""
    here = document()
    for key in path.split("."):
        if isinstance(here, list):
            named = [row for row in here if isinstance(row, dict) and named_as(row) == key]
            here = named[0] if named else here[int(key)]
        else:
            here = here[key]
    return float(here)


def named_as(row):
    return next((row[key] for key in KEYS if key in row), None)


def given(how):
    """What a line takes from the scenario, the register, the catalog or the plan."""
    kind, place = how.split(maxsplit=1)
    if kind == "ledger":
        return next(r["value"] for r in document()["ledger"] if r["parameter"] == place)
    if kind == "catalog":
        return dimension(place)
    return at(f"scenario.{place}" if kind == "scenario" else place)


def dimension(place):
    """A model's dimension; layers of attention by number."""
    model, *path = place.split()
    here = planner.load_catalog().models[model]
    for key in path:
        here = here[int(key)] if key.isdecimal() else getattr(here, key)
    return float(here)


def calculated(text, known):
    """The value of a line's arithmetic, from the values of lines above."""

    def value(node):
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return known[node.id]
        if isinstance(node, ast.UnaryOp):
            return -value(node.operand)
        if isinstance(node, ast.Call):
            return math.sqrt(value(node.args[0]))
        return OPERATORS[type(node.op)](value(node.left), value(node.right))

    return float(value(ast.parse(text, mode="eval").body))


def parts(how):
    """The arithmetic of a line and the place in the plan that it must equal, if any."""
    formula, _, place = how.strip().removeprefix("= ").partition(" -> ")
    return formula, place


def printed(number):
    return f"{number:,.0f}" if abs(number) >= 1e6 else f"{number:.7g}"


def read(text):
    return float(text.replace(",", ""))


def scale(row, known):
    """How large the terms of a line are: what is left of a difference cannot be closer."""
    terms = [abs(known[name]) for name in re.findall(r"[a-z_]\w*", row["how"]) if name in known]
    return max(terms, default=0.0) if "-" in parts(row["how"])[0] else 0.0


ROWS = rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["symbol"])
def test_a_line_follows_from_the_values_printed_above_it(row):
    above = ROWS[: ROWS.index(row)]
    known = {each["symbol"]: read(each["value"]) for each in above}
    shown, how = read(row["value"]), row["how"].strip()
    if not how.startswith("="):
        assert shown == pytest.approx(given(how), rel=FOLLOWED)
        return
    formula, place = parts(how)
    near = {"rel": FOLLOWED, "abs": FOLLOWED * scale(row, known)}
    assert shown == pytest.approx(calculated(formula, known), **near)
    if place:
        assert shown == pytest.approx(at(place), rel=REACHED, abs=FOLLOWED * scale(row, known))


def test_every_symbol_means_one_thing():
    assert len({row["symbol"] for row in ROWS}) == len(ROWS)


def test_the_page_reaches_what_a_plan_is_read_for():
    reached = {parts(row["how"])[1] for row in ROWS if row["how"].startswith("=")}
    wanted = {
        "options.as-built.pools.0.compute_util_frac.peak",
        "options.as-built.pools.0.memory_util_frac.peak",
        "options.as-built.cost_usd_per_mtok", "options.as-built.facility_mean_w",
        "options.as-built.j_per_useful_token", "net.usd_per_year", "stranded.needed_mw",
        "options.monolithic-software.npv_usd", "headline.gross_gap_frac.p50",
    }  # fmt: skip
    assert wanted <= {place.strip() for place in reached}


def test_every_step_and_cause_is_on_the_page():
    text = PAGE.read_text(encoding="utf-8")
    for step in document()["bridge"]:
        assert f"bridge.{step['id']}.usd_per_year" in text or step["usd_per_year"] == 0
    for cause in document()["stranded"]["causes"]:
        assert f"stranded.causes.{cause['id']}.mw" in text


def renewed(text):
    """The page with its values taken, and calculated, anew."""
    known, lines = {}, []
    for line in text.splitlines():
        lines.append(line)
        row = ROW.match(line)
        if row and row["symbol"] != "symbol":
            how = row["how"].strip()
            formula = parts(how)[0]
            number = calculated(formula, known) if how.startswith("=") else given(how)
            known[row["symbol"]] = read(printed(number))
            lines[-1] = f"| {row['symbol']} | {row['what']} | {row['how']} | {printed(number)} |"
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
