"""Charts are pure: tables in, figures out, every bar labelled, every colour from the theme."""

import json
import subprocess
import sys
from functools import partial

import pandas as pd
import pytest
import streamlit as st

from pages.ui import charts, drawing, spreads, tables, traffic, widgets
from planner import Scenario, plan, text
from tests.web.conftest import ROOT

THEME = {f"#0000{n:02d}" for n in range(1, 41)}
"""What the theme's template puts where the browser fills in the colours of light or dark."""


@pytest.fixture(scope="module")
def held():
    answer = plan(Scenario(), n_samples=32)
    return answer, answer.as_dict(flips=False)


@pytest.fixture(scope="module")
def figures(held):
    answer, document = held
    power = tables.stranded(document)
    kinds = [drawing.TOTAL, *[drawing.LOSS] * (len(power) - 2), drawing.TOTAL]
    watts = tables.watts_per_token(answer, document)
    costs = tables.costs(answer)
    return {
        "waterfall": charts.waterfall(list(power["step"]), list(power["mw"]), kinds, text.mw),
        "bars": charts.bars(
            watts["option"],
            watts["total"],
            text.number,
            marked=watts["id"] == "as-built",
            hatched=watts["id"] == tables.PAPER,
        ),
        "ranges": charts.ranges(tables.values(answer), text.usd, marked="split-mixed"),
        "stacked": charts.stacked(costs, tables.PARTS, text.usd),
        "signed": charts.signed(["a", "b"], [2.0, -1.0], text.usd),
    }


def bars(figure):
    return [trace for trace in figure.data if trace.type == "bar"]


def test_no_chart_names_a_colour_of_its_own(figures):
    for figure in figures.values():
        for trace in json.loads(figure.to_json())["data"]:
            painted = (trace.get("marker", {}).get("color"), trace.get("line", {}).get("color"))
            for colour in painted:
                assert colour is None or set(pd.Series(colour)) <= THEME


def test_no_chart_has_two_axes_of_values(figures):
    assert not [figure for figure in figures.values() if "yaxis2" in figure.layout.to_plotly_json()]


def test_a_waterfall_ends_where_its_steps_lead(held, figures):
    (steps,) = bars(figures["waterfall"])
    assert steps.base[-2] == pytest.approx(steps.base[-1] + steps.x[-1])
    assert steps.x[0] == pytest.approx(held[1]["stranded"]["provisioned_mw"])


def test_every_bar_of_rows_carries_its_label(figures):
    for name in ("waterfall", "bars", "signed"):
        assert all(all(trace.text) for trace in bars(figures[name]))


def test_stacked_lines_add_up_to_the_yearly_cost(held):
    answer, document = held
    costs = tables.costs(answer).set_index("id")
    for row in document["options"]:
        assert costs.loc[row["id"], "total"] == pytest.approx(row["cost_usd_per_year"])


def test_what_is_gained_is_right_of_what_is_paid(figures):
    (shown,) = bars(figures["signed"])
    assert shown.x[0] > 0 > shown.x[1]
    assert shown.marker.color[0] != shown.marker.color[1]


def test_a_long_label_breaks_at_a_space():
    assert drawing.wrapped("Reserve for peaks and failures") == "Reserve for peaks<br>and failures"
    assert drawing.wrapped("Net") == "Net"
    long = "Measured speed of RTX PRO 6000 Blackwell Server Edition"
    assert drawing.wrapped(long, 3).count("<br>") == 2
    assert drawing.wrapped(long, 3).replace("<br>", " ") == long


def test_the_widest_label_of_a_tornado_fits_beside_its_bar():
    """In Source Sans 14 px, the theme's font, "−$4.0M to −$1.7M" measures 96 px."""
    held = pd.DataFrame(
        [{"name": "Tax rate", "low_usd": -4e6, "high_usd": -1.7e6, "low": "0", "high": "1"}]
    ).assign(turn="")
    figure = spreads.tornado(held, text.usd, base=-2.6e6)
    assert figure.layout.margin.r >= 96
    assert figure.layout.xaxis.range[1] == pytest.approx(-1.7e6, rel=0.1)


def test_the_widest_label_of_a_waterfall_fits_beside_its_bar():
    """In Source Sans 14 px "−0.0129 MW" measures 66 px."""
    show = partial(text.mw, place=-4)
    sizes, kinds = [0.0682, -0.0129, 0.0553], [drawing.TOTAL, drawing.LOSS, drawing.TOTAL]
    assert charts.waterfall(["a", "b", "c"], sizes, kinds, show).layout.margin.r >= 66


def test_the_words_of_a_strip_end_at_the_edge_wherever_its_dot_lies():
    said = "0.032 MW (0.028 MW to 0.036 MW)"
    row = {"option": "Stranded power", "p10": 0.9, "p50": 1.0, "p90": 1.1, "words": said}
    (words,) = spreads.strips(pd.DataFrame([row])).layout.annotations
    assert (words.text, words.x, words.xref, words.xanchor) == (said, 1, "x domain", "right")


def test_the_theme_gives_every_palette_ten_colours():
    for theme in ("light", "dark"):
        assert len(st.get_option(f"theme.{theme}.chartCategoricalColors")) == 10


def relative_luminance(colour):
    """WCAG 2.2, definition of relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_stands_out_from_the_page(theme):
    page = relative_luminance(st.get_option(f"theme.{theme}.backgroundColor"))
    for colour in st.get_option(f"theme.{theme}.chartCategoricalColors"):
        light, dark = sorted((page, relative_luminance(colour)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3  # WCAG 2.2, 1.4.11


def test_a_table_leaves_no_formula_for_a_spreadsheet():
    held = pd.DataFrame({"name": ["=cmd|' /C calc'!A0", "@x", "plain"], "usd": [-1.5, 2.0, 3.0]})
    lines = widgets.csv(held).decode().splitlines()
    assert lines[1].startswith("'=cmd")
    assert lines[2].startswith("'@x")
    assert lines[1].endswith("-1.5")


@pytest.mark.parametrize("said", ["$1.2M to $3M", "*a*", "[a](http://b)", "`x`", "<b>", ":red[x]"])
def test_plain_text_escapes_every_mark(said):
    shown = widgets.plain(said)
    assert shown.replace("\\", "") == said
    assert all(shown[i - 1] == "\\" for i, mark in enumerate(shown) if mark in "$*[]()`<>:_")


@pytest.mark.parametrize("said", ["−$1.0M to −$500k", "−$23"])
def test_a_minus_never_parts_from_its_dollars(said):
    """UAX 14: a line may break between a minus and a dollar, unless a word joiner stands there."""
    shown = widgets.plain(said).replace("\\", "")
    assert "−$" not in shown
    assert shown.replace("\u2060", "") == said


LOADED = """
import sys
from pages.ui import answers
answers._load()
print(*sorted(sys.modules))
"""


def test_what_charts_briefs_and_logs_need_is_there_before_the_first_reader():
    """Else the first to open Options, Brief or a log waits seconds for imports."""
    asked = [sys.executable, "-W", "ignore", "-c", LOADED]
    loaded = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    slow = {"plotly.graph_objs._bar", "plotly.graph_objs._scatter", "pandas", "ibis", "matplotlib"}
    assert slow <= set(loaded.split())


@pytest.mark.parametrize("profile", ["axiom", "hyperscaler"])
def test_chip_time_reads_the_same_on_the_bar_and_in_the_side_panel(profile):
    """The hyperscaler serves a class from H100 and from H200 pools."""
    answer = plan(Scenario(profile=profile))
    head = answer.as_dict(flips=False)["headline"]
    rows = traffic.shares(answer).set_index("row")
    assert rows.loc["All chip time", traffic.READ] == pytest.approx(head["prefill_time_frac"])
    by_class = rows[rows.index.str.endswith(": chip time")]
    assert by_class["share of all"].sum() == pytest.approx(1)
