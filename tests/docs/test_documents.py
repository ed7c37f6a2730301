"""Every block of every document is run: a page that no longer tells the truth fails."""

import re

import pytest

from tests.docs.running import run
from tests.sources import ROOT, documents

DIRECTIVES = re.compile(r"\{(code|code-block|code-cell|sourcecode|literalinclude)\}")


OWN = ("README.md",)
"""Run in a fresh clone, as somebody new would: test_newcomer.py."""


@pytest.mark.parametrize("path", [path for path in documents() if path not in OWN])
def test_a_document_does_what_it_shows(path, tmp_path):
    run(ROOT / path, tmp_path / "folder")


@pytest.mark.parametrize("path", documents())
def test_no_block_hides_in_a_directive(path):
    assert not DIRECTIVES.search((ROOT / path).read_text(encoding="utf-8"))


def test_the_documents_are_there():
    assert {"README.md", "SECURITY.md", "docs/audit.md"} <= set(documents())
