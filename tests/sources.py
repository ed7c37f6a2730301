"""The files of this repository, as the tests of its rules read them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@cache
def tracked() -> tuple[str, ...]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for path in sorted(set(listed.split("\n"))) if (ROOT / path).is_file())


@cache
def tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(), path)


def cases(paths: list[str], pending: dict[str, str]) -> list[object]:
    """The paths as test cases; one with something still to mend may fail, for the reason given."""
    marks = {path: pytest.mark.xfail(reason=why, strict=False) for path, why in pending.items()}
    return [pytest.param(path, marks=marks.get(path, ())) for path in paths]
