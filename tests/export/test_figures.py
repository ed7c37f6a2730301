"""Figures: bars end where the next begins, text stays text, and the bytes repeat."""

import io
import xml.etree.ElementTree as ET

import pytest
from PIL import Image

from planner.export.figures import (
    GAIN,
    LOSS,
    TOTAL,
    Bar,
    Chart,
    Drawing,
    drawn,
    image,
    last_place,
    waterfall,
)

TEXT = "{http://www.w3.org/2000/svg}text"
BARS = [
    Bar("Saved", "$3", ((0, 3, GAIN),)),
    Bar("Spent", "−$1", ((3, 2, LOSS),)),
    Bar("Net", "$2", ((0, 2, TOTAL),), strong=True),
]


def words(drawing):
    return [node.text for node in ET.fromstring(drawing.svg).iter(TEXT)]


def test_a_waterfall_lays_its_parts_end_to_end():
    assert waterfall([3, -1, 4]) == [(0, 3), (3, 2), (2, 6)]
    assert waterfall([-2], start=10) == [(10, 8)]


def test_the_words_of_a_figure_are_its_alternative_text():
    drawing = drawn(Chart(BARS))
    assert drawing.alt == "Saved: $3; Spent: −$1; Net: $2"
    assert words(drawing) == ["Saved", "Spent", "Net", "$3", "−$1", "$2"]


def test_the_same_bars_give_the_same_bytes():
    assert drawn(Chart(BARS)) == drawn(Chart(BARS))


def test_two_columns_are_wider_and_rows_are_as_high():
    narrow, wide = (ET.fromstring(drawn(Chart(BARS, n_columns=n)).svg) for n in (1, 2))
    size = {name: float(narrow.get(name).removesuffix("pt")) for name in ("width", "height")}
    assert float(wide.get("width").removesuffix("pt")) == pytest.approx(
        2 * size["width"] + 11, abs=0.1
    )
    assert wide.get("height") == narrow.get("height")


def test_markup_in_a_label_is_only_letters():
    hostile = "<b>$x^2$</b> & \\frac \u202e #x"
    drawing = drawn(Chart([Bar(hostile, "$1 & $2", ((0, 1, GAIN),))]))
    assert words(drawing) == ["<b>$x^2$</b> & \\frac #x", "$1 & $2"]


def test_bars_of_no_length_and_no_bars_at_all_can_be_drawn():
    assert words(drawn(Chart([Bar("Nothing", "$0", ((0, 0, GAIN),))]))) == ["Nothing", "$0"]
    assert words(drawn(Chart([Bar("None", "", ())]))) == ["None"]


@pytest.mark.parametrize(
    ("values", "place"), [([76.2, -4.1], -1), ([1234, 2], 1), ([0.0682], -4), ([0, 0], 0), ([], 0)]
)
def test_parts_that_add_up_show_three_digits_of_the_largest(values, place):
    assert last_place(values) == place


def test_a_chart_on_its_own_is_a_file_on_white_paper_whose_bytes_repeat():
    png, svg = (image(Chart(BARS), kind) for kind in ("png", "svg"))
    assert png == image(Chart(BARS), "png")
    assert png.startswith(b"\x89PNG")
    assert words(Drawing("", svg.decode())) == words(drawn(Chart(BARS)))
    corner = Image.open(io.BytesIO(png)).convert("RGB").getpixel((0, 0))
    assert corner == (255, 255, 255)
