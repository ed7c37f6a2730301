"""Published results come out of our formulas within the tolerance that each states."""

import pytest

from planner.evidence.reproduce import Row, reproduce
from planner.physics.silicon import design_power_w, die_usd, dies_per_wafer


@pytest.mark.parametrize("row", reproduce(), ids=lambda row: f"{row.source}: {row.quantity}")
def test_a_published_figure_comes_out(row):
    assert row.within, f"{row.ours} {row.unit} against {row.published}"


def test_a_row_out_of_tolerance_says_so():
    assert not Row("a paper", "speed", 100.0, 102.0, "1", 0.01).within
    assert Row("a paper", "share", 0.96, 0.94, "frac", 0.1, absolute=True).within


def test_rows_can_be_asked_for_by_source():
    assert {row.source for row in reproduce("flow")} == {"FlowKV"}


def test_gross_dies_of_an_h100_on_a_300_mm_wafer():
    """By hand: 70,686/814 = 86.84 less 942.5/40.35 = 23.36."""
    assert dies_per_wafer(814, 300) == pytest.approx(63.48, abs=0.01)


def test_a_larger_die_costs_more_than_its_share_of_area():
    assert die_usd(800, 20_000, 300) > 2 * die_usd(400, 20_000, 300)


def test_without_memory_and_losses_power_goes_with_area():
    shared = {"reference_w": 480.0, "reference_mm2": 800.0, "overhead": 0.0}
    assert design_power_w(400, 0.0, **shared) == pytest.approx(240)
