"""The files of this repository, as the tests of its rules read them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@cache
def tracked() -> tuple[str, ...]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for path in sorted(set(listed.split("\n"))) if (ROOT / path).is_file())


@cache
def tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(), path)


@cache
def documents() -> tuple[str, ...]:
    """What readers are given: the Markdown at the root, in docs and beside the catalog."""
    places = {"", "docs", "hardware_catalog"}
    pages = [path for path in tracked() if path.endswith(".md")]
    return tuple(path for path in pages if path.rpartition("/")[0].split("/")[0] in places)


PLANNER = [p for p in tracked() if p.startswith("planner/") and p.endswith(".py")]
ENGINE = [p for p in PLANNER if "/migrations/" not in p]
WEB = [
    p
    for p in tracked()
    if p == "app.py" or (p.startswith(("pages/", "server/")) and p.endswith(".py"))
]
SERVER = [p for p in WEB if p.startswith("server/")]
