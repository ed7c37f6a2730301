"""User text made fit to print: literal, in the vendored font, no longer than its room."""

import unicodedata
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

FONTS = Path(__file__).parent / "fonts"
ELLIPSIS = "…"
MISSING = "□"
TYPICAL = "n"
NEVER_PRINTED = {"Cc", "Cf", "Cn", "Co", "Cs"}
SYMBOLS = {"So", "Sk", "Mn", "Me"}


@cache
def advances() -> Mapping[int, int]:
    """Width of every character of the font that the page is set in, in font units."""
    with TTFont(FONTS / "Inter-Regular.otf") as font:
        widths = font["hmtx"].metrics
        return {code: widths[glyph][0] for code, glyph in font.getBestCmap().items()}


def width(text: str) -> int:
    """Width of a line of text, kerning apart. Returns: [font units]"""
    return sum(advances()[ord(letter)] for letter in text)


def literal(raw: str) -> str:
    """The text on one line without control, bidi and emoji characters.

    Letters that the font lacks print as an empty box, so that nothing vanishes unseen.
    """
    composed = unicodedata.normalize("NFC", raw)
    spaced = ("".join(" " if letter.isspace() else _shown(letter) for letter in composed)).split()
    return " ".join(spaced)


def printable(raw: str, n_letters: int) -> str:
    """The text as it prints in a room of so many typical letters, cut with an ellipsis."""
    text, room = literal(raw), width(TYPICAL * n_letters)
    if width(text) <= room:
        return text
    rest = room - width(ELLIPSIS)
    fits = bisect_right(range(1, len(text) + 1), rest, key=lambda n: width(text[:n]))
    return text[:fits].rstrip() + ELLIPSIS


def _shown(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind in NEVER_PRINTED:
        return ""
    if ord(letter) in advances():
        return letter
    return "" if kind in SYMBOLS else MISSING
