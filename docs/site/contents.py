"""The table of contents, read from the lists of links on the pages called index.

These pages are thus plain Markdown wherever they are read, and each document is named on one once.
"""

import re
from collections.abc import Iterator

from sphinx.application import Sphinx

SECTION = re.compile(r"^##? (?P<title>.+)$\n(?P<body>(?:(?!## ).*\n?)*)", re.MULTILINE)
LINK = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<path>[^)]+)\.md\)", re.MULTILINE)


def trees(page: str) -> Iterator[str]:
    """A hidden toctree for each section of a page that lists documents."""
    for section in SECTION.finditer(page):
        links = [f"{found['title']} <{found['path']}>" for found in LINK.finditer(section["body"])]
        if links:
            head = [":::{toctree}", ":hidden:", f":caption: {section['title']}", ""]
            yield "\n".join([*head, *links, ":::"])


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""

    def add_trees(_: Sphinx, document: str, source: list[str]) -> None:
        if document.endswith("/index"):
            source[0] += "\n\n" + "\n\n".join(trees(source[0])) + "\n"

    app.connect("source-read", add_trees)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
