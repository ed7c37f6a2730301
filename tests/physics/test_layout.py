"""How a model lies over chips: counts, and what engines do when nobody says otherwise."""

import numpy as np
import pytest

from planner.physics.layout import Layout, usual_layout
from tests.physics.stand_ins import MODELS


def laid(name, n):
    layout = usual_layout(MODELS[name], n)
    return tuple(float(getattr(layout, field)) for field in ("tp", "attention_dp", "ep", "pp"))


def test_chips_of_a_stage_and_of_a_replica():
    layout = Layout(tp=4.0, attention_dp=2.0, ep=8.0, pp=3.0)
    assert (layout.stage_chips, layout.n_chips) == (8, 24)


def test_one_chip_unless_said_otherwise():
    assert Layout().n_chips == 1


@pytest.mark.parametrize(
    ("name", "n", "expected"),
    [
        ("llama-3.3-70b", 1, (1, 1, 1, 1)),
        ("llama-3.3-70b", 8, (8, 1, 1, 1)),  # a dense model is cut over all chips
        ("llama-3.3-70b", 16, (16, 1, 1, 1)),
        ("mixtral-8x7b", 8, (8, 1, 8, 1)),  # 8 key-value heads: attention is cut, experts spread
        ("qwen3-30b-a3b", 4, (4, 1, 4, 1)),
        ("qwen3-30b-a3b", 8, (1, 8, 8, 1)),  # 4 key-value heads: eight chips would hold copies
        ("deepseek-v3", 8, (1, 8, 8, 1)),  # one latent: each chip attends to its own sequences
        ("deepseek-v3", 320, (1, 320, 320, 1)),
        ("deepseek-v3", 1, (1, 1, 1, 1)),
    ],
)
def test_the_usual_layout(name, n, expected):
    assert laid(name, n) == expected


@pytest.mark.parametrize("name", ["llama-3.3-70b", "qwen3-30b-a3b", "deepseek-v3"])
def test_every_chip_is_used_once(name):
    counts = np.array([1, 2, 4, 8, 16, 72])
    layout = usual_layout(MODELS[name], counts)
    assert layout.n_chips.tolist() == counts.tolist()


@pytest.mark.parametrize("name", ["llama-3.3-70b", "qwen3-30b-a3b", "deepseek-v3"])
def test_arrays_are_their_scalars(name):
    counts = np.array([1.0, 2, 4, 8, 16])
    layout = usual_layout(MODELS[name], counts)
    for place, n in enumerate(counts):
        together = tuple(
            float(np.broadcast_to(getattr(layout, field), (5,))[place])
            for field in ("tp", "attention_dp", "ep", "pp")
        )
        assert together == laid(name, n)


def test_a_column_stands_against_a_row_of_batches():
    column = Layout(tp=np.array([1.0, 2, 8]), pp=2.0).column()
    assert (column.n_chips * np.ones(4)).tolist() == [[2] * 4, [4] * 4, [16] * 4]
