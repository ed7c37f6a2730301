"""The law of a batch against laws summed term by term in exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.special import gammaln

from planner.load.birth_death import _added, batch_grid, batch_law, log_product


def law(tokens_per_s, step_s):
    step_s = np.asarray(step_s, dtype=float)
    grid = batch_grid(step_s)
    at_grid = grid.read(np.where(np.isfinite(step_s), step_s, 0))
    load = np.asarray(tokens_per_s) * at_grid[..., -1] / grid.cap
    rate = np.asarray(tokens_per_s, dtype=float)
    return batch_law(rate, grid.read(log_product(step_s)), load, grid), at_grid


def test_three_places_in_fractions():
    """λL = 1, t = (1, 2, 2): weights 1, 1, 1, then 2/3 of each other: tail 3·(2/3) = 2."""
    found, step = law(1.0, [1, 2, 2])
    total = Fraction(1) + 1 + 1 + 2
    assert found.seen == pytest.approx([float(x / total) for x in (1, 1, 3)])
    assert found.full == pytest.approx(float(2 / total))
    assert found.mean(step) == pytest.approx(float((1 + 2 + 6) / total))


def test_quantiles_are_steps_of_whole_batches():
    found, step = law(1.0, [1, 2, 2.4])
    assert found.reached == pytest.approx([1 / 7, 2 / 7, 1])
    assert found.quantile(step, np.array(0.01)) == 1
    assert found.quantile(step, np.array(0.2)) == 2
    assert found.quantile(step, np.array(0.99)) == 2.4


@pytest.mark.parametrize("size", [5, 16, 17, 100, 300, 2000])
def test_the_grid_stands_for_every_batch_once(size):
    grid = batch_grid(np.ones(size))
    assert grid.n_states.sum() == pytest.approx(size)
    assert grid.batch[0] == 1
    assert grid.cap == size


def test_a_padded_curve_keeps_its_cap():
    grid = batch_grid(np.array([[1.0] * 5 + [np.inf] * 95, [1.0] * 100]))
    assert grid.cap.tolist() == [5, 100]
    assert grid.n_states.sum(axis=-1) == pytest.approx([5, 100])
    assert grid.is_cap.sum(axis=-1).tolist() == [1, 1]


@pytest.mark.parametrize("mean", [3.0, 40.0, 250.0])
def test_a_law_without_a_cap_is_poisson(mean):
    """Constant steps: the jobs in system are Poisson, and the grid keeps their mean and spread."""
    found, _ = law(mean, np.ones(1000))
    batch = found.grid.batch - 1
    assert found.mean(batch) == pytest.approx(mean, rel=1e-3)
    assert found.mean((batch - mean) ** 2) == pytest.approx(mean, rel=5e-3)


@pytest.mark.parametrize("mean", [3.0, 40.0, 250.0])
def test_the_grid_keeps_the_quantiles_of_a_poisson_law(mean):
    """To the batch up to 16, where every batch stands on the grid; to one in four beyond."""
    found, _ = law(mean, np.ones(1000))
    law_of_n = np.exp(np.arange(1000) * np.log(mean) - mean - gammaln(np.arange(1000) + 1.0))
    for level in (0.001, 0.05, 0.3, 0.5, 0.7, 0.95, 0.999):
        exact = np.searchsorted(np.cumsum(law_of_n), level) + 1
        shown = found.quantile(found.grid.batch, np.array(level))
        assert shown == pytest.approx(exact, abs=0 if exact <= 16 else 1), level


@pytest.mark.parametrize("mean", [40.0, 250.0])
def test_the_grid_reaches_what_a_poisson_law_has_reached(mean):
    found, _ = law(mean, np.ones(1000))
    law_of_n = np.exp(np.arange(1000) * np.log(mean) - mean - gammaln(np.arange(1000) + 1.0))
    exact = np.cumsum(law_of_n)[found.grid.batch - 1]
    assert np.abs(found.reached - exact).max() < 3e-3


def test_a_sum_takes_the_room_of_its_first_part_where_it_fits_in():
    rates, products = np.ones((2, 3)), np.arange(3.0)
    assert _added(rates, products) is rates
    assert rates.tolist() == [[1, 2, 3]] * 2
    assert _added(np.ones((1, 3)), rates).tolist() == [[2, 3, 4]] * 2


def test_no_load_is_an_empty_server():
    found, step = law(0.0, np.linspace(1, 2, 50))
    assert found.seen[0] == 1
    assert found.full == 0
    assert found.mean(step) == step[0]
