"""How a model lies over chips: counts of a stage and of a replica."""

import numpy as np

from planner.physics.layout import Layout


def test_chips_of_a_stage_and_of_a_replica():
    layout = Layout(tp=4.0, attention_dp=2.0, ep=8.0, pp=3.0)
    assert (layout.stage_chips, layout.n_chips) == (8, 24)


def test_one_chip_unless_said_otherwise():
    assert Layout().n_chips == 1


def test_a_column_stands_against_a_row_of_batches():
    column = Layout(tp=np.array([1.0, 2, 8]), pp=2.0).column()
    assert (column.n_chips * np.ones(4)).tolist() == [[2] * 4, [4] * 4, [16] * 4]
