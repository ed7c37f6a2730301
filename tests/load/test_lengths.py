"""Lognormal lengths against tabulated moments and a large sample."""

import numpy as np
import pytest

from planner.load.lengths import (
    length_nodes_frac,
    length_quantile_frac,
    overlap_frac,
    third_moment_frac,
)

SAMPLE = np.exp(np.sqrt(np.log(3.0)) * np.random.default_rng(1).standard_normal(400_000))
SAMPLE /= SAMPLE.mean()


def test_quantiles_are_those_of_a_sample():
    for level in (0.5, 0.9, 0.99):
        assert length_quantile_frac(2.0, level) == pytest.approx(
            np.quantile(SAMPLE, level), rel=0.02
        )


def test_the_median_of_scv_one_is_one_over_root_two():
    assert length_quantile_frac(1.0, 0.5) == pytest.approx(1 / np.sqrt(2))


def test_a_constant_length_has_one_quantile():
    assert length_quantile_frac(0.0, 0.99) == 1.0
    assert length_nodes_frac(0.0) == pytest.approx(np.ones(16))


def test_nodes_average_to_the_mean_whatever_the_variation():
    nodes = length_nodes_frac(np.array([0.5, 2.0]))
    assert nodes.shape == (2, 16)
    assert nodes.mean(axis=-1) == pytest.approx([1.0, 1.0])
    assert np.all(np.diff(nodes, axis=-1) > 0)


def test_two_lives_overlap_as_in_a_sample():
    assert overlap_frac(0.0) == 1.0
    both = np.minimum(SAMPLE[::2], SAMPLE[1::2])
    assert overlap_frac(2.0) == pytest.approx(both.mean(), rel=0.01)


def test_the_third_moment_is_the_cube_of_the_second():
    assert third_moment_frac(1.0) == 8.0
    assert third_moment_frac(0.0) == 1.0
