"""The workbook as it is written: sheets, cells with their looks, and names of cells.

Text is always written as text: a name that begins with = is no formula.
"""

import io
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from planner.export.printable import literal
from planner.export.workbook.cells import WRONG, Cell

SHEETS = ("Inputs", "Sources", "Options", "Power", "Cash flow", "Bridge", "Checks")
INK, QUIET, DEEP, YELLOW = "#1A1A1A", "#4D4D4D", "#1F5A8A", "#FFF7CC"
FORMATS: Mapping[str, str] = {
    "usd": '$#,##0;[Red]-$#,##0;"–"',
    "usd_small": "$#,##0.00####;[Red]-$#,##0.00####",
    "frac": "0.0%;[Red]-0.0%",
    "mw": "#,##0.000;[Red]-#,##0.000",
    "count": "#,##0;[Red]-#,##0",
    "number": "#,##0.######;[Red]-#,##0.######",
    "text": "@",
}
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "word": {"indent": 1},
    "input": {"bg_color": YELLOW, "border": 1, "border_color": "#C9B458", "locked": False},
    "held": {"font_color": QUIET, "italic": True},
    "total": {"bold": True, "top": 1},
    "strong": {"bold": True},
    "head": {"bold": True, "font_color": "#FFFFFF", "bg_color": DEEP, "text_wrap": True,
             "valign": "vcenter"},
    "title": {"bold": True, "font_size": 14, "font_color": DEEP},
    "part": {"bold": True, "font_color": DEEP, "bottom": 1},
    "note": {"font_color": QUIET, "text_wrap": True, "valign": "top"},
}  # fmt: skip
NAME_CHARACTERS = 32767


class Sheet:
    """One sheet; rows and columns count from 0."""

    def __init__(self, book: "Book", name: str) -> None:
        self._book, self.name = book, name
        self.raw = book.raw.add_worksheet(name)
        self.prefix = f"'{name}'!" if " " in name else f"{name}!"

    def text(self, row: int, column: int, words: str, look: str = "plain") -> None:
        """Words as they are, less what no spreadsheet can hold."""
        look = "word" if look == "plain" and column else look
        self.raw.write_string(row, column, literal(words)[:NAME_CHARACTERS], self._book.look(look))

    def texts(self, row: int, words: Sequence[str], look: str = "plain", column: int = 0) -> None:
        """Words side by side; heads may take two lines."""
        if look == "head":
            self.raw.set_row(row, 2 * ROW_PT)
        for offset, each in enumerate(words):
            self.text(row, column + offset, each, look)

    def number(self, row: int, column: int, value: float, shown: str, look: str = "plain") -> Cell:
        """A plain number; what does not exist is said so."""
        if math.isfinite(value):
            self.raw.write_number(row, column, value, self._book.look(look, shown))
        else:
            self.text(row, column, "n/a", look)
        return Cell(value, self.place(row, column))

    def formula(self, row: int, column: int, given: Cell, shown: str, look: str = "plain") -> Cell:
        """A live formula with the value it has now. Returns: the cell that holds it."""
        value = given.value if math.isfinite(given.value) else WRONG
        text = "=" + given.text.replace(self.prefix, "")
        self.raw.write_formula(row, column, text, self._book.look(look, shown), value)
        return Cell(given.value, self.place(row, column))

    def worded(self, row: int, column: int, text: str, now: str) -> None:
        """A formula that gives words, and the words it gives now."""
        formula = "=" + text.replace(self.prefix, "")
        self.raw.write_formula(row, column, formula, self._book.look("strong"), now)

    def place(self, row: int, column: int) -> str:
        """The absolute address of a cell, its sheet included."""
        address: str = xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)
        return self.prefix + address

    def span(self, first: tuple[int, int], last: tuple[int, int]) -> str:
        """The absolute address of a block of cells."""
        return f"{self.place(*first)}:{self.place(*last).removeprefix(self.prefix)}"

    def headed(self, title: str, note: str, widths: Sequence[int]) -> int:
        """Title and note on top, columns so wide. Returns: the first free row."""
        for column, width in enumerate(widths):
            self.raw.set_column(column, column, width)
        self.raw.hide_gridlines(2)
        self.raw.set_landscape()
        self.raw.fit_to_pages(1, 0)
        self.text(0, 0, title, "title")
        self.raw.merge_range(1, 0, 1, max(len(widths) - 1, 1), "", self._book.look("note"))
        self.text(1, 0, note, "note")
        lines = 1 + len(note) // max(sum(widths), 1)
        self.raw.set_row(1, ROW_PT * lines)
        return TOP


ROW_PT = 16
TOP = 2 + 1


class Book:
    """The file: sheets in their order, looks made once, names of cells."""

    def __init__(self, made_at: datetime, title: str) -> None:
        self._out = io.BytesIO()
        safe = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self.raw = xlsxwriter.Workbook(self._out, safe)
        self.raw.set_properties(
            {
                "title": literal(title),
                "author": "Switchyard",
                "created": made_at.replace(tzinfo=None),
            }
        )
        self._looks: dict[tuple[str, str], Any] = {}
        self.sheets = {name: Sheet(self, name) for name in SHEETS}

    def look(self, name: str, shown: str = "") -> Any:
        """A look, with the way its number is shown."""
        if (name, shown) not in self._looks:
            number = {"num_format": FORMATS[shown]} if shown else {}
            self._looks[name, shown] = self.raw.add_format(
                {"font_color": INK, **LOOKS[name], **number}
            )
        return self._looks[name, shown]

    def named(self, name: str, place: str) -> None:
        """Give a cell a name that formulas use."""
        self.raw.define_name(name, f"={place}")

    def bytes(self) -> bytes:
        """The finished file."""
        self.raw.close()
        return self._out.getvalue()
