"""Writes the pages of the reference that come from the code: `python -m docs.site`.

They are kept in the repository, so that links to them work there too and a change of the public
face shows in review; `tests/docs/test_reference.py` fails when one is not current.
"""

from pathlib import Path

from docs.site import catalog, commands, fields, library, shape

FOLDER = Path(__file__).parents[1] / "reference"
PAGES = {
    "fields.md": fields.written,
    "commands.md": commands.written,
    "json.md": shape.written,
    "library.md": library.written,
    "catalog.md": catalog.written,
}

if __name__ == "__main__":
    for name, written in PAGES.items():
        (FOLDER / name).write_text(written(), encoding="utf-8")
