"""P10, P50 and P90 in order, with an error that repeated sampling shows to be right."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from planner.decision.ranges import (
    LEVELS,
    quantiles,
    ranged,
    share_error_frac,
    standard_errors,
)
from planner.facts.draws import independent, unit_draws

NAMES = ("p10", "p50", "p90")
finite = st.floats(-1e9, 1e9)


@given(arrays(float, st.integers(1, 200), elements=finite))
def test_p6_they_are_in_order_and_within_the_samples(samples):
    found = quantiles(samples)
    assert samples.min() <= found["p10"] <= found["p50"] <= found["p90"] <= samples.max()
    assert all(error >= 0 for error in standard_errors(samples).values())


@given(finite, st.integers(1, 200))
def test_p6_a_constant_has_no_width_and_no_error(value, n):
    for held in (ranged(np.full(n, value)), ranged(value, n)):
        assert {held[name] for name in NAMES} == {value}
        assert set(held["standard_error"].values()) == {0.0}


def test_without_samples_there_is_only_a_middle():
    assert ranged(3.0) == {"p10": None, "p50": 3.0, "p90": None, "standard_error": None}


def test_a_hundred_and_one_even_steps():
    assert quantiles(np.arange(101.0)) == {"p10": 10, "p50": 50, "p90": 90}


@pytest.mark.parametrize(("name", "level"), LEVELS)
def test_the_error_of_random_draws_is_that_of_theory(name, level):
    """√(q(1 − q)/n)/f(x) of a normal law (Kendall's Advanced Theory of Statistics 1, 10.10)."""
    rng, n = np.random.default_rng(0), 1024
    law = NormalDist()
    theory = np.sqrt(level * (1 - level) / n) / law.pdf(law.inv_cdf(level))
    errors = [standard_errors(rng.standard_normal(n))[name] for _ in range(200)]
    assert np.mean(errors) == pytest.approx(theory, rel=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_repeated_latin_hypercubes_scatter_no_more_than_the_error_says(name):
    def total(seed):
        return sum(unit_draws("abcdef", 256, seed, independent).values())

    runs = [total(seed) for seed in range(100)]
    scatter = np.std([quantiles(run)[name] for run in runs], ddof=1)
    assert scatter <= 1.15 * np.mean([standard_errors(run)[name] for run in runs])


def test_the_error_of_a_share_is_that_of_a_coin():
    """Of 100 tosses, heads half the time: 5 points."""
    assert share_error_frac(0.5, 100) == pytest.approx(0.05)
    assert share_error_frac(1.0, 100) == 0
