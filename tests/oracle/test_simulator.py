"""The simulator against queues whose answer is in every textbook (Kleinrock 1975, Kelly 1979)."""

import numpy as np
import pytest

from tests.oracle import simulator
from tests.oracle.measure import measured, measured_waits, weighted_quantile

N = 200_000


def rng(stream=0):
    return np.random.default_rng([20, stream])


def arrivals(rate, n=N):
    return simulator.poisson_arrivals_s(rate, n, rng(1))


def exponential(mean, n=N):
    return rng(2).exponential(mean, n)


@pytest.mark.parametrize(
    ("n_servers", "load", "mean_wait"),
    [(1, 0.8, 4.0), (2, 0.5, 1 / 3), (3, 2 / 3, 4 / 9), (10, 0.8, 0.2046)],
)
def test_many_servers_wait_as_in_m_m_c(n_servers, load, mean_wait):
    wait = simulator.multi_server(arrivals(load * n_servers), exponential(1.0), n_servers)
    assert measured_waits(wait)["wait_mean_s"] == pytest.approx(mean_wait, rel=0.05)


def test_one_exponential_server_has_the_tail_of_m_m_1():
    wait = simulator.multi_server(arrivals(0.8), exponential(1.0), 1)
    assert measured_waits(wait)["wait_quantile_s"] == pytest.approx(np.log(80) / 0.2, rel=0.08)


def test_one_constant_server_waits_as_in_m_d_1():
    wait = simulator.multi_server(arrivals(0.8), np.ones(N), 1)
    assert measured_waits(wait)["wait_mean_s"] == pytest.approx(2.0, rel=0.04)


@pytest.mark.parametrize("scv", [0.0, 1.0, 3.0])
def test_decode_whose_steps_grow_with_the_batch_is_m_g_1_processor_sharing(scv):
    """Steps of b·δ share one server equally; every law of lengths is slowed by 1/(1 − ρ)."""
    step_s, tokens, load = 1e-3, 100, 0.6
    lengths = simulator.lognormal_lengths(tokens, scv, 60_000, rng())
    curve = step_s * np.arange(1001)
    served = simulator.decode_pool(
        arrivals(load / (tokens * step_s), 60_000), lengths, curve.tolist(), 1000
    )
    assert measured(served)["tpot_mean_s"] == pytest.approx(step_s / (1 - load), rel=0.04)


def test_decode_with_one_place_and_exponential_lengths_is_m_m_1():
    lengths = rng().geometric(1 / 500, N)
    served = simulator.decode_pool(arrivals(0.7 / 0.5), lengths, [0, 1e-3], 1)
    assert measured(served)["wait_mean_s"] == pytest.approx(0.5 * 0.7 / 0.3, rel=0.05)


def test_decode_of_constant_steps_is_m_m_c():
    """Ten places at one speed are ten servers: Erlang C at a = 8 is 0.4092."""
    lengths = rng().geometric(1 / 500, N)
    served = simulator.decode_pool(arrivals(8 / 0.5), lengths, [1e-3] * 11, 10)
    assert measured(served)["wait_mean_s"] == pytest.approx(0.4092 / (20 - 16), rel=0.06)


def test_prompts_of_one_chunk_and_nothing_to_decode_are_m_d_1():
    curves = [1e-9] * 3, [1.0] * 3
    prompts, one = np.full(N, 512), np.ones(N, int)
    served = simulator.chunked_replica(arrivals(0.8), prompts, one, *curves, 512)
    assert measured(served)["ttft_mean_s"] == pytest.approx(3.0, rel=0.03)


def test_prompts_ahead_of_no_decode_are_m_g_1():
    prompts = simulator.lognormal_lengths(1000, 2.0, N, rng())
    one = np.ones(N, int)
    served = simulator.prefill_priority_replica(arrivals(0.5), prompts, one, [1e-9] * 3, 1e-3)
    assert measured(served)["ttft_mean_s"] == pytest.approx(1.0 + 0.5 * 3 / (2 * 0.5), rel=0.06)


def test_a_lone_request_sees_the_bare_steps():
    """900 prompt tokens are a full chunk and three quarters of one; then four decode steps."""
    alone = np.array([0.0]), np.array([900]), np.array([5])
    served = simulator.chunked_replica(*alone, [0.01, 0.02], [0.05, 0.06], 512)
    assert served.first_s[0] == pytest.approx(0.05 + 0.01 + 0.04 * 388 / 512)
    assert served.tpot_s[0] == pytest.approx(0.02)
    served = simulator.prefill_priority_replica(*alone, [0.01, 0.02], 1e-4)
    assert (served.first_s[0], served.tpot_s[0]) == (pytest.approx(0.09), pytest.approx(0.02))


def test_prompts_share_a_chunk_and_stall_what_decodes():
    """The second prompt joins the rest of the first one's last chunk; both decode from then on."""
    two = np.array([0.0, 0.01]), np.array([600, 300]), np.array([3, 3])
    served = simulator.chunked_replica(*two, [0.01] * 3, [0.05] * 3, 512)
    both = 0.05 + 0.01 + 0.04 * 388 / 512
    assert served.first_s + two[0] == pytest.approx([both, both])


def test_no_more_requests_are_started_than_there_are_places():
    """With one place the second prompt starts when the first answer ends, one chunk and two steps
    later."""
    two = np.array([0.0, 0.0]), np.array([512, 512]), np.array([3, 3])
    served = simulator.chunked_replica(*two, [0.01] * 2, [0.05] * 2, 512)
    assert served.first_s == pytest.approx([0.05, 0.05 + 0.02 + 0.05])


def test_a_weighted_quantile_counts_weights():
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1, 98, 1])
    assert weighted_quantile(values, weights, 0.98) == 1.0
    assert weighted_quantile(values, weights, 0.99) == 2.0
    assert weighted_quantile(values, weights, 1.0) == 3.0


@pytest.mark.parametrize("scv", [0.0, 0.5, 2.0])
def test_lengths_have_the_asked_moments(scv):
    lengths = simulator.lognormal_lengths(200, scv, N, rng())
    assert lengths.mean() == pytest.approx(200, rel=0.02)
    assert lengths.var() / 200**2 == pytest.approx(scv, rel=0.1, abs=1e-9)
