"""The reliability report, from the matrix and from what test runs recorded.

    python -m tests.reliability build/*.xml > docs/reliability.md

The files are pytest's own JUnit reports (`make soak` and its like write them); figures are what
tests recorded with `record_property("name [unit]", value)`.
"""

import ast
import os
import platform
import re
import sys
import tomllib
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

from planner import text
from tests.sources import ROOT, tracked, tree

HEAD = """# Reliability

For whoever lets this in, or has to answer for it: what must hold under load, faults and bad input,
the tests that show it, and what they measured. `make test` runs the quick cases on every change,
`make soak` and `make sweep` the long ones; `make reliability` writes this page from what they
recorded. Each id stands in the names of its tests.

{machine}

| id | what is done | passes when | cases run | |
|---|---|---|---|---|
"""
FIGURES = """
## Figures

| id | run | figure | measured |
|---|---|---|---|
"""


def rows():
    """The matrix, in order."""
    return tomllib.loads((ROOT / "tests/reliability.toml").read_text())["row"]


def named(name):
    """The id that a test carries in its name, or nothing."""
    found = re.match(r"test_([lfbps]\d)_", name)
    return found[1].upper() if found else ""


def carried():
    """Every test of the repository that carries an id: id -> names."""
    held = {}
    for path in tracked():
        if path.startswith(("tests/", "benchmarks/")) and Path(path).name.startswith("test_"):
            for node in ast.walk(tree(path)):
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    held.setdefault(named(node.name), []).append(node.name)
    return held


@dataclass
class Run:
    """What the runs said of one row."""

    passed: int = 0
    failed: list = field(default_factory=list)
    figures: list = field(default_factory=list)


def runs(paths):
    """What some JUnit reports say, by id, and the days on which they were made.

    Of a test that was run more than once the last run counts.
    """
    suites = [suite for path in paths for suite in ET.parse(path).getroot().iter("testsuite")]
    suites.sort(key=lambda suite: suite.get("timestamp", ""))
    last = {
        (case.get("classname"), case.get("name")): case
        for suite in suites
        for case in suite.iter("testcase")
    }
    held = {}
    for case in last.values():
        _count(held, case)
    return held, sorted({suite.get("timestamp", "")[:10] for suite in suites})


def _count(held, case):
    name = case.get("name")
    mine = held.setdefault(named(name), Run())
    if case.find("skipped") is not None:
        return
    if case.find("failure") is not None or case.find("error") is not None:
        mine.failed.append(name)
    else:
        mine.passed += 1
    what = name.partition("_")[2].partition("_")[2].replace("_", " ")
    for noted in case.iter("property"):
        mine.figures.append((what, noted.get("name"), float(noted.get("value"))))


def report(paths):
    """The page."""
    held, days = runs(paths)
    lines = [HEAD.format(machine=machine(days))]
    for row in rows():
        mine = held.get(row["id"], Run())
        verdict = "holds" if mine.passed and not mine.failed else "not run"
        verdict = f"**fails**: {', '.join(mine.failed)}" if mine.failed else verdict
        cells = (row["id"], row["what"], row["passes"], text.number(mine.passed, place=0))
        lines.append(f"| {' | '.join(cells)} | {row.get('reason', verdict)} |\n")
    lines.append(FIGURES)
    for row in rows():
        for what, name, value in held.get(row["id"], Run()).figures:
            label, _, unit = name.partition(" [")
            shown = f"{text.number(value)} {unit.rstrip(']')}".rstrip()
            lines.append(f"| {row['id']} | {what} | {label} | {shown} |\n")
    return "".join(lines)


def machine(days):
    """Where and when."""
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    cores, python = os.cpu_count(), platform.python_version()
    return f"Measured on {cores} cores, {system}, Python {python}, {' and '.join(days)}."


if __name__ == "__main__":
    sys.stdout.write(report(sys.argv[1:]))
