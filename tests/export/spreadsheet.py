"""A spreadsheet program without a screen: it recalculates a workbook from its formulas alone."""

import io
import shutil
import subprocess
from functools import cache

import openpyxl
import pytest

from planner.export.workbook.making import workbook
from tests.export.printing import AT, planned


@cache
def made(profile="axiom"):
    return workbook(planned(profile), made_at=AT)


def opened(data, *, values=False):
    return openpyxl.load_workbook(io.BytesIO(data), data_only=values)


def named(book, name):
    """The cell of an input by its name in formulas."""
    sheet, address = book.defined_names[name].attr_text.split("!")
    return book[sheet.strip("'")][address.replace("$", "")]


def recalculated(books, folder):
    """Each workbook as the program computes it; what was kept in the file is left out first.

    books: name -> openpyxl workbook, which keeps formulas and forgets their values.
    """
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    folder.mkdir(exist_ok=True)
    for name, book in books.items():
        book.save(folder / f"{name}.xlsx")
    out = folder / "out"
    subprocess.run(
        [
            "soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless",
            "--convert-to", "xlsx", "--outdir", str(out),
            *(str(folder / f"{name}.xlsx") for name in books),
        ],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    return {name: openpyxl.load_workbook(out / f"{name}.xlsx", data_only=True) for name in books}


def checked(book):
    """(figure, option) -> (this workbook, the plan, verdict) of the sheet Checks."""
    rows = book["Checks"].iter_rows(min_row=7, values_only=True)
    return {(row[0], row[1] or ""): (row[2], row[3], row[5]) for row in rows if row[0]}
