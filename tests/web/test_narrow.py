"""Charts on a phone, some 350 px wide: labels keep a size one can read and stay apart."""

from itertools import combinations

import pytest

from pages.ui import maps, risks, roofs, scatter, tables, trends
from planner import Scenario, heat_map, plan, profiles, text

READABLE_PX = 12
LINE_PX = 13
DECADES_OF_A_LABEL = 1.8
"""A phone gives a power of ten some 50 px, and "long documents" takes 90."""
LONGEST_IN_HALF = 24
"""Characters at 13 px in half a phone: three columns of pools leave two gaps."""


@pytest.mark.parametrize("profile", profiles.names())
def test_names_of_phases_and_roofs_never_lie_over_each_other(profile):
    held = plan(Scenario(profile=profile))
    figure = scatter.roofline(roofs.roofs(held), roofs.phases(held))
    low, high = figure.layout.yaxis.range
    px = (scatter.HEIGHT - scatter.FRAME_PX) / (high - low)
    places = [(name.x, (high - name.y) * px + name.ay) for name in figure.layout.annotations]
    assert len(places) > len(roofs.phases(held))
    for (x, y), (other_x, other_y) in combinations(places, 2):
        assert abs(y - other_y) >= LINE_PX or abs(x - other_x) > DECADES_OF_A_LABEL


def test_a_cell_of_the_map_holds_a_sign_and_a_percentage_of_readable_size():
    held = risks.heat([heat_map(plan(Scenario()), (0.05, 0.5))])
    figure = maps.heat(held, list(tables.ACTIONS.values()))
    cells = [trace for trace in figure.data if trace.type == "heatmap"]
    lines = [line for trace in cells for cell in trace.text.ravel() for line in cell.split("<br>")]
    assert max(map(len, lines)) <= len("100%")
    assert all(trace.textfont.size >= READABLE_PX for trace in cells)
    named = {trace.name for trace in figure.data if trace.type == "scatter"}
    assert named == set(held["verdict"])  # in the legend, with the sign of the cells


@pytest.mark.parametrize("option", ["monolithic-software", "split-mixed"])
@pytest.mark.parametrize("profile", profiles.names())
def test_the_name_of_a_pool_fits_between_its_pool_and_the_next(profile, option):
    rows = trends.pool_flow(plan(Scenario(profile=profile)), option)
    figure = maps.flow(rows, text.number)
    (sankey,) = figure.data
    assert len(set(sankey.node.customdata)) == len(sankey.node.label)
    assert sankey.textfont.size >= READABLE_PX
    what = [line for name in sankey.node.label for line in name.split("<br>")]
    assert max(map(len, what)) <= LONGEST_IN_HALF + (option != "split-mixed") * len(" and writes")
    beside = max(name.count("<br>") + 1 for name in sankey.node.label) * LINE_PX
    assert sankey.node.pad >= beside
