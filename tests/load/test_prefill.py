"""Prefill pools against Erlang's tables, Pollaczek–Khinchine, and the exact law of M/D/1."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from planner.load.prefill import _spread
from planner.load.queueing import prefill_pool, prefill_pool_saturation_per_s


@pytest.mark.parametrize(
    ("n_servers", "offered", "erlang_c"),
    [
        (1, 0.7, 0.7),
        (2, 1, 1 / 3),
        (3, 2, 4 / 9),
        (5, 4, 0.5541),
        (10, 8, 0.4092),
        (100, 90, 0.2170),
    ],
)
def test_many_servers_wait_by_erlangs_table(n_servers, offered, erlang_c):
    pool = prefill_pool(offered, 1.0, 1.0, n_servers)
    assert pool.wait_mean_s == pytest.approx(erlang_c / (n_servers - offered), rel=2e-3)


def test_one_exponential_server_has_the_tail_of_m_m_1():
    """P(W > x) = ρ·exp(−(µ − λ)x): at ρ = 0.8 one in a hundred waits ln(80)/0.2 services."""
    pool = prefill_pool(0.8, 1.0, 1.0, 1)
    assert pool.wait_quantile_s == pytest.approx(math.log(80) / 0.2)
    assert prefill_pool(0.8, 1.0, 1.0, 1, quantile=0.5).wait_quantile_s == pytest.approx(
        math.log(1.6) / 0.2
    )


def test_few_wait_where_servers_are_many():
    """C = 0.0028 of ten servers at a = 3: less than one in a hundred waits."""
    assert prefill_pool(3, 1.0, 1.0, 10).wait_quantile_s == 0


@pytest.mark.parametrize(("load", "wait"), [(0.5, 0.5), (0.8, 2.0), (0.9, 4.5)])
def test_constant_prompts_wait_as_in_m_d_1(load, wait):
    assert prefill_pool(load, 1.0, 0.0, 1).wait_mean_s == pytest.approx(wait)


@pytest.mark.parametrize(("rate", "service_s"), [(1.0, 0.4), (4.0, 0.2), (0.5, 1.5)])
def test_prefill_latency_is_distserves_m_d_1_form(rate, service_s):
    """D + R·D²/(2(1 − R·D)) (DistServe, OSDI 2024, eq. 1)."""
    published = service_s + rate * service_s**2 / (2 * (1 - rate * service_s))
    wait_s = prefill_pool(rate, service_s, 0.0, 1).wait_mean_s
    assert service_s + wait_s == pytest.approx(published, rel=1e-12)


def m_d_1_tail(wait, load):
    """P(W > x) of M/D/1 with unit service (Erlang 1909)."""
    terms = (
        (load * (k - wait)) ** k / math.factorial(k) * math.exp(-load * (k - wait))
        for k in range(int(wait) + 1)
    )
    return 1 - (1 - load) * math.fsum(terms)


@pytest.mark.parametrize("load", [0.3, 0.5, 0.7, 0.85])
def test_the_tail_of_constant_prompts_is_near_the_exact_law(load):
    quantile = prefill_pool(load, 1.0, 0.0, 1).wait_quantile_s
    exact = next(x for x in np.arange(0, 40, 0.01) if m_d_1_tail(x, load) <= 0.01)
    assert quantile == pytest.approx(exact, rel=0.1)


def test_bursts_lengthen_the_wait_and_even_arrivals_shorten_it():
    even, poisson, bursty = (
        prefill_pool(6, 1.0, 1.0, 8, arrival_scv=scv).wait_mean_s for scv in (0.3, 1.0, 4.0)
    )
    assert even < poisson / 1.3 < poisson < bursty / 2


def wait_of_batches(offered, n_servers, size, n_states=1500):
    """Mean wait in service times where `size` requests come at once, from the chain's own law."""
    batches = offered / size
    law = np.zeros(n_states)
    law[0] = 1
    for n in range(1, n_states):
        law[n] = batches * law[max(n - size, 0) : n].sum() / min(n, n_servers)
    return law @ np.arange(n_states) / law.sum() / offered - 1


@pytest.mark.parametrize("n_servers", [4, 10, 40])
@pytest.mark.parametrize("size", [2, 4])
def test_requests_that_come_together_wait_for_each_other(n_servers, size):
    """Counts of Poisson batches of m vary m times as much as Poisson counts."""
    pool = prefill_pool(0.7 * n_servers, 1.0, 1.0, n_servers, arrival_scv=size)
    exact = wait_of_batches(0.7 * n_servers, n_servers, size)
    assert pool.wait_mean_s == pytest.approx(exact, rel=0.07)


def wait_behind_even_arrivals(load, scv):
    """Exact mean wait of GI/M/1 in service times: constant gaps, or sums of 1/scv random ones."""

    def found_busy(root):
        left = (1 - root) / load
        return (1 + scv * left) ** (-1 / scv) if scv else math.exp(-left)

    root = brentq(lambda root: found_busy(root) - root, 1e-9, 1 - 1e-9)
    return root / (1 - root)


@pytest.mark.parametrize(
    ("load", "scv", "off"), [(0.5, 0.0, 0.01), (0.8, 0.0, 0.01), (0.5, 0.5, 0.1), (0.8, 0.25, 0.05)]
)
def test_one_server_waits_for_even_arrivals_as_kraemer_and_langenbach_belz_say(load, scv, off):
    spread = _spread(np.array(scv), np.array(1.0), np.array(load))
    exact = wait_behind_even_arrivals(load, scv)
    assert load / (1 - load) * spread == pytest.approx(exact, rel=off)


def test_nothing_waits_when_nothing_varies():
    assert prefill_pool(0.9, 1.0, 0.0, 1, arrival_scv=0.0).wait_mean_s == 0


def test_saturation_is_where_all_servers_work_always():
    assert prefill_pool_saturation_per_s(0.25, 4) == pytest.approx(16.0)
    assert prefill_pool(15.999, 0.25, 1.0, 4).stable is True
    assert prefill_pool(8, 0.25, 1.0, 4).utilization == pytest.approx(0.5)


@pytest.mark.parametrize("rate", [16.0, 16.001, 1e9])
def test_at_and_above_capacity_nothing_looks_plausible(rate):
    pool = prefill_pool(rate, 0.25, 1.0, 4)
    assert pool.stable is False
    assert pool.wait_mean_s == pool.wait_quantile_s == math.inf


def test_ten_thousand_servers_stay_exact():
    """In the Halfin–Whitt regime (10,000 servers, β = 1) C = 1/(1 + β·Φ(β)/φ(β)) = 0.2234."""
    pool = prefill_pool(9900, 1.0, 1.0, 10_000)
    assert pool.wait_mean_s * 100 == pytest.approx(0.2234, rel=0.01)


def test_it_knows_no_unit_of_time():
    seconds, k = prefill_pool(14, 0.25, 0.6, 4, arrival_scv=3.0), 1000
    millis = prefill_pool(14 / k, 0.25 * k, 0.6, 4, arrival_scv=3.0)
    for name in ("wait_mean_s", "wait_quantile_s"):
        assert getattr(millis, name) == pytest.approx(k * getattr(seconds, name), rel=1e-9)


def test_arrivals_are_poisson_and_late_means_one_in_a_hundred_unless_said_otherwise():
    same = prefill_pool(14, 0.25, 0.6, 4, arrival_scv=1.0, quantile=0.99)
    assert prefill_pool(14, 0.25, 0.6, 4) == same


def test_arrays_answer_as_scalars_do():
    rates, scvs = np.array([0.1, 0.9, 3.0])[:, None], np.array([0.0, 1.0])
    pools = prefill_pool(rates, 1.0, scvs, np.array([1, 2]))
    for i, rate in enumerate(rates[:, 0]):
        for j, scv in enumerate(scvs):
            one = prefill_pool(rate, 1.0, scv, j + 1)
            assert pools.wait_quantile_s[i, j] == one.wait_quantile_s
            assert pools.stable[i, j] == one.stable
