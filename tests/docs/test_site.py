"""The documentation as pages: built without a warning, complete, and at home without a network."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.sources import ROOT, documents

BUILD = ["-W", "--keep-going", "-n", "-q", "-c", "docs"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", *BUILD, "-d", str(folder / "trees"), "."]
    built = subprocess.run(
        [*command, str(folder / "pages")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return folder / "pages"


class Loaded(HTMLParser):
    """The addresses that a page loads by itself, and the places in it that a link may name."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded, self.linked = [], []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in {"img", "script", "iframe", "source"} and "src" in given:
            self.loaded.append(given["src"])
        if tag == "link" and given.get("rel") in {"stylesheet", "icon", "preload"}:
            self.loaded.append(given["href"])
        if tag == "a" and "href" in given:
            self.linked.append(given["href"])


def test_every_document_is_a_page(site):
    assert not [path for path in documents() if not (site / path).with_suffix(".html").is_file()]


def test_a_page_loads_nothing_from_elsewhere(site):
    for page in site.rglob("*.html"):
        foreign = [address for address in Loaded(page).loaded if re.match(r"\w+:|//", address)]
        assert not foreign, page


def test_every_link_between_pages_leads_somewhere(site):
    for page in site.rglob("*.html"):
        for address in Loaded(page).linked:
            path = address.partition("#")[0]
            if path and not re.match(r"\w+:", path):
                assert (page.parent / path).is_file(), f"{page}: {address}"


def test_a_formula_is_markup_that_needs_no_script(site):
    assert "MathJax" not in "".join(p.read_text() for p in site.rglob("*.html"))


def test_the_front_door_opens_the_first_page(site):
    assert "url=docs/index.html" in (site / "index.html").read_text()
