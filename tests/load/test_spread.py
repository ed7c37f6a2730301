"""Averaging over a life against simulated correlated series, and shares against the Beta law."""

import numpy as np
import pytest
from scipy.special import betaincinv

from planner.load.spread import decayed_frac, left_frac, share_quantile


def test_limits_of_averaging():
    assert left_frac(np.array(0.0)) == pytest.approx(1, abs=1e-5)
    assert left_frac(np.array(1000.0)) == pytest.approx(2 / 1000, rel=0.01)
    assert decayed_frac(np.array([0.0, 1e6])) == pytest.approx([1, 0], abs=1e-5)


@pytest.mark.parametrize("lives", [0.5, 2.0, 10.0])
def test_averaging_leaves_what_it_leaves_of_a_correlated_series(lives):
    """A first-order autoregression of 400 steps, its correlation fading over 400/lives."""
    n, rng = 400, np.random.default_rng(2)
    keep = np.exp(-lives / n)
    state = rng.standard_normal(20_000)
    total = np.zeros_like(state)
    for _ in range(n):
        state = keep * state + np.sqrt(1 - keep**2) * rng.standard_normal(state.size)
        total += state
    assert left_frac(np.array(lives)) == pytest.approx((total / n).var(), rel=0.05)


@pytest.mark.parametrize("mean", [0.1, 0.4, 0.7])
@pytest.mark.parametrize("sharpness", [0.02, 0.1, 0.5])
def test_shares_have_nearly_the_quantiles_of_a_beta_law(mean, sharpness):
    total = 1 / sharpness - 1
    exact = betaincinv(mean * total, (1 - mean) * total, 0.99)
    found = share_quantile(np.array(mean), np.array(sharpness * mean * (1 - mean)), np.array(0.99))
    assert found == pytest.approx(exact, abs=0.03)


def test_a_sharp_share_has_one_value_and_no_share_leaves_the_unit_interval():
    assert share_quantile(np.array(0.3), np.array(0.0), np.array(0.99)) == pytest.approx(0.3)
    assert share_quantile(np.array(0.9), np.array(0.09), np.array(0.99)) == pytest.approx(1.0)
    assert share_quantile(np.array(0.0), np.array(0.0), np.array(0.99)) == 0
