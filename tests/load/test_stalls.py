"""The law of a stall against scipy, a busy period by hand and simulated, and known quantiles."""

import math

import numpy as np
import pytest
from scipy.stats import invgauss, norm

from planner.load.stalls import late_s, normal_tail, passage, passage_moments, scaled_tail, stall


def array(*values):
    return np.array(values, dtype=float)


def test_the_normal_tail_is_scipys():
    deviates = np.linspace(-8, 8, 401)
    np.testing.assert_allclose(normal_tail(deviates), norm.sf(deviates), rtol=1e-4, atol=1e-12)
    assert scaled_tail(array(0.0)) == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("scv", [0.1, 1.0, 10.0])
def test_a_stall_is_inverse_gaussian_where_there_is_one(scv):
    """Mean 3 s and the given SCV is scipy's invgauss(mu = scv, scale = mean/scv)."""
    times = np.geomspace(0.1, 60, 40)
    ours = stall(array(0.4), array(0.4 * 3), array(0.4 * 9 * (1 + scv))).longer_frac(times)
    theirs = 0.4 * invgauss.sf(times, scv, scale=3 / scv)
    np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=1e-6)


def test_moments_of_a_busy_period_by_hand():
    """Prompts of 1 s at 0.5/s during 1 s: 0.5 of them, each with a busy period of 2 s on average;
    E[S²] = 1 s² gives a variance of 0.5·1/(1 − 0.5)³ = 4 s² (Takács)."""
    mean_s, variance = passage_moments(array(0.5), array(1.0), array(1.0), array(0.0))
    assert (mean_s, variance) == (pytest.approx(1), pytest.approx(4))


def simulated_busy_s(rate, exposure_s, service_s, n, rng):
    """By generations: prompts that come during the exposure, then during their own work."""
    work_s, total_s = np.full(n, exposure_s), np.zeros(n)
    while (came := rng.poisson(rate * work_s)).any():
        work_s = service_s * rng.gamma(np.maximum(came, 1e-9))
        work_s[came == 0] = 0
        total_s += work_s
    return total_s


@pytest.mark.parametrize(("load", "exposure_s"), [(0.3, 2.0), (0.6, 1.0), (0.8, 3.0)])
def test_late_stalls_are_those_of_simulated_busy_periods(load, exposure_s):
    """Exponential prompts of 1 s; one in ten, a hundred and two hundred stalls is longer."""
    shown = simulated_busy_s(load, exposure_s, 1.0, 50_000, np.random.default_rng(1))
    law = passage(array(load), array(exposure_s), array(1.0), array(1.0))
    assert float(law.chance_frac[0]) == pytest.approx((shown > 0).mean(), rel=0.02)
    for level in (0.9, 0.99, 0.995):
        ours = late_s(law.longer_frac, array(20.0), array(level), law.chance_frac)
        assert float(ours[0]) == pytest.approx(np.quantile(shown, level), rel=0.1)


@pytest.mark.parametrize("guess_s", [3.0, 8.0, 20.0])
def test_the_late_time_of_an_exponential_tail(guess_s):
    """0.5·e^(−t/2) is 1 % at 2·ln 50."""
    late = late_s(lambda t: 0.5 * np.exp(-t / 2), array(guess_s), array(0.99), array(0.5))
    assert float(late[0]) == pytest.approx(2 * math.log(50), rel=0.03)


def test_what_is_rarer_than_asked_is_never_late():
    late = late_s(lambda t: 0.005 * np.exp(-t), array(1.0), array(0.99), array(0.005))
    assert float(late[0]) == 0
