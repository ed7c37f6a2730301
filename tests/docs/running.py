"""Runs one document from its first block to its last."""

import contextlib
import io
import os
import shutil
from pathlib import Path
from unittest import mock

from tests.docs.blocks import COPIED, FOLDER, SYBIL, environment, furnish
from tests.sources import ROOT, tracked


def run(path: Path, folder: Path) -> int:
    """Run a document in a new folder. Returns: the number of examples in it."""
    folder.mkdir()
    if COPIED in path.read_text(encoding="utf-8"):
        copy_repository(folder)
    furnish(folder)
    document = SYBIL.parse(path)
    document.namespace[FOLDER] = folder
    examples = list(document.examples())
    own = mock.patch.dict(os.environ, environment(folder), clear=True)
    with own, contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        for example in examples:
            example.evaluate()
    return len(examples)


def copy_repository(folder: Path) -> None:
    """Every tracked file, and what Python has compiled of it."""
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    for cache in (ROOT / "planner").rglob("__pycache__"):
        shutil.copytree(cache, folder / cache.relative_to(ROOT), dirs_exist_ok=True)
