"""What holds of every pool at every load: order, monotony, limits, conservation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.load.queueing import (
    chunked_replica,
    chunked_saturation_per_s,
    decode_pool,
    decode_pool_saturation_per_s,
    prefill_pool,
    prefill_priority_replica,
    prefill_priority_saturation_per_s,
)

LOADS = np.append(np.linspace(0, 0.98, 50), 0.999)
# a percentile may give way by this much where one of its parts takes over from another
SLACK = 0.01
scvs = st.sampled_from([0.0, 0.3, 1.0, 2.5])
tokens = st.floats(2, 4000)


@st.composite
def step_curves(draw, start=1):
    """Curves over b = start…B that rise by up to ten times, straight or bent."""
    cap = draw(st.integers(1, 300))
    rise, bend = draw(st.floats(0, 9)), draw(st.floats(0.5, 3))
    batch = np.arange(start, cap + 1)
    return draw(st.floats(0.002, 0.05)) * (1 + rise * (batch / cap) ** bend)


@st.composite
def replicas(draw):
    decode = draw(step_curves(start=0))
    chunk = draw(st.sampled_from([128, 512, 2048]))
    mixed = decode + decode[0] * draw(st.floats(0, 8))
    return {
        "mean_input_tokens": draw(tokens),
        "input_scv": draw(scvs),
        "mean_output_tokens": draw(tokens),
        "decode_step_s": decode,
        "mixed_step_s": mixed,
        "chunk_tokens": chunk,
        "output_scv": draw(scvs),
    }


def chunked_at(loads, given):
    lengths = {name: given[name] for name in given if name not in {"output_scv", "quantile"}}
    return chunked_replica(loads * chunked_saturation_per_s(**lengths), **given)


def priority_at(loads, given):
    given = dict(given)
    given.pop("chunk_tokens")
    per_token_s = given.pop("mixed_step_s")[0] / 1000
    same = (given["mean_input_tokens"], given["mean_output_tokens"], given["decode_step_s"])
    rate = loads * prefill_priority_saturation_per_s(*same, per_token_s)
    return prefill_priority_replica(rate, **given, prefill_s_per_token=per_token_s)


def rises(values):
    return np.all(np.diff(values) >= -SLACK * values[:-1] - 1e-12)


@given(step_s=step_curves(), length=tokens, scv=scvs)
def test_a_decode_pool_slows_with_load(step_s, length, scv):
    rates = LOADS * decode_pool_saturation_per_s(length, step_s)
    pool = decode_pool(rates, length, step_s, output_scv=scv)
    assert pool.stable.all()
    for values in (pool.tpot_mean_s, pool.tpot_quantile_s, pool.batch_mean, pool.wait_mean_s):
        assert rises(values)
    assert np.all(pool.tpot_quantile_s >= pool.tpot_mean_s)
    assert np.all(pool.tpot_quantile_s <= step_s[-1] * (1 + 1e-9))
    assert pool.tpot_mean_s[0] == pytest.approx(step_s[0])


@given(step_s=step_curves(), length=tokens, scv=scvs, load=st.floats(0.01, 0.99))
def test_a_median_request_is_faster_than_a_late_one(step_s, length, scv, load):
    rate = load * decode_pool_saturation_per_s(length, step_s)
    half, late = (
        decode_pool(rate, length, step_s, output_scv=scv, quantile=level) for level in (0.5, 0.99)
    )
    assert 0 <= half.wait_quantile_s <= late.wait_quantile_s
    assert 0 < half.tpot_quantile_s <= late.tpot_quantile_s


@given(servers=st.integers(1, 200), scv=scvs, arrivals=st.sampled_from([0.3, 1.0, 5.0]))
def test_a_prefill_pool_waits_longer_with_load_and_less_with_servers(servers, scv, arrivals):
    rates = LOADS * servers
    pool = prefill_pool(rates, 1.0, scv, servers, arrival_scv=arrivals)
    assert rises(pool.wait_mean_s)
    assert rises(pool.wait_quantile_s)
    more = prefill_pool(rates, 1.0, scv, servers + 1, arrival_scv=arrivals)
    assert np.all(more.wait_mean_s <= pool.wait_mean_s * (1 + SLACK))
    assert np.all(more.wait_quantile_s <= pool.wait_quantile_s * (1 + SLACK))


@given(servers=st.integers(1, 100), scv=scvs, load=st.floats(0.01, 0.99), times=st.integers(2, 9))
def test_pooling_prefill_never_hurts(servers, scv, load, times):
    apart = prefill_pool(load * servers, 1.0, scv, servers)
    pooled = prefill_pool(load * servers * times, 1.0, scv, servers * times)
    assert pooled.wait_mean_s <= apart.wait_mean_s * (1 + 1e-9)
    assert pooled.wait_quantile_s <= apart.wait_quantile_s * (1 + 1e-9)


@given(length=tokens, scv=scvs, load=st.floats(0.01, 0.98), places=st.integers(1, 60))
def test_pooling_places_of_one_speed_never_hurts(length, scv, load, places):
    rate = load * places / (length * 0.01)
    apart = decode_pool(rate, length, np.full(places, 0.01), output_scv=scv)
    pooled = decode_pool(2 * rate, length, np.full(2 * places, 0.01), output_scv=scv)
    assert pooled.wait_mean_s <= apart.wait_mean_s * (1 + SLACK)


@given(given=replicas(), serve=st.sampled_from([chunked_at, priority_at]))
def test_a_replica_slows_with_load(given, serve):
    busy = serve(LOADS, given)
    assert np.all(busy.stable)
    assert rises(busy.ttft_mean_s)
    assert np.all(busy.ttft_quantile_s >= busy.ttft_mean_s)
    assert np.all(busy.ttft_mean_s > 0)
    assert np.all(busy.tpot_quantile_s >= busy.tpot_mean_s * (1 - 1e-9))
    assert busy.tpot_mean_s[0] == pytest.approx(given["decode_step_s"][1])


@given(given=replicas(), serve=st.sampled_from([chunked_at, priority_at]))
def test_the_batch_of_a_replica_grows_with_load(given, serve):
    """While it has places: a full batch lets prompts start only one by one, which spares stalls."""
    busy = serve(LOADS[LOADS < 0.8], given)
    assert rises(busy.tpot_mean_s)
    assert rises(busy.batch_mean)


@given(given=replicas(), serve=st.sampled_from([chunked_at, priority_at]))
def test_the_percentiles_of_a_replica_rise_with_load(given, serve):
    assert rises(serve(LOADS, given).ttft_quantile_s)


@given(given=replicas())
def test_the_late_token_of_a_replica_rises_until_its_batch_is_full(given):
    """Towards saturation the batch is always full and prompts start one by one as places fall
    free: requests become alike, and in simulation too p99 falls to the mean, which rises."""
    assert rises(chunked_at(LOADS[LOADS < 0.8], given).tpot_quantile_s)


@given(given=replicas(), serve=st.sampled_from([chunked_at, priority_at]))
def test_saturation_is_told_exactly(given, serve):
    edge = serve(np.array([1 - 1e-9, 1.0, 1 + 1e-9, 1e6]), given)
    assert edge.stable.tolist() == [True, False, False, False]
    for name in ("ttft_mean_s", "ttft_quantile_s", "tpot_mean_s", "tpot_quantile_s"):
        assert np.isinf(getattr(edge, name)[1:]).all()
        assert np.isfinite(getattr(edge, name)[0])


@given(given=replicas(), load=st.floats(0.05, 0.95))
def test_a_faster_replica_is_never_slower(given, load):
    """Halving every step at the same rate shortens what a request sees."""
    lengths = {name: given[name] for name in given if name not in {"output_scv", "quantile"}}
    rate = load * chunked_saturation_per_s(**lengths)
    halved = given | {name: given[name] / 2 for name in ("decode_step_s", "mixed_step_s")}
    slow, fast = chunked_replica(rate, **given), chunked_replica(rate, **halved)
    for name in ("ttft_mean_s", "tpot_mean_s", "tpot_quantile_s", "ttft_quantile_s"):
        assert getattr(fast, name) <= getattr(slow, name), name


@given(given=replicas(), serve=st.sampled_from([chunked_at, priority_at]), load=st.floats(0, 0.9))
def test_later_levels_are_later_times(given, serve, load):
    times = [serve(load, given | {"quantile": level}) for level in (0.5, 0.9, 0.99, 0.999)]
    for name in ("ttft_quantile_s", "tpot_quantile_s", "itl_quantile_s"):
        assert rises(np.array([getattr(one, name) for one in times])), name


@given(
    scv=scvs,
    servers=st.integers(1, 60),
    load=st.floats(0, 0.99),
    arrivals=st.sampled_from([0.3, 1.0, 5.0]),
)
def test_a_late_wait_is_no_shorter_than_a_median_one(scv, servers, load, arrivals):
    half, late = (
        prefill_pool(load * servers, 1.0, scv, servers, arrival_scv=arrivals, quantile=level)
        for level in (0.5, 0.99)
    )
    assert 0 <= half.wait_quantile_s <= late.wait_quantile_s


def product_form(step_s, tokens_per_s, n_waiting):
    """π(n) ∝ Π λL·t(min(k, B))/min(k, B), summed term by term."""
    places = np.minimum(np.arange(1, len(step_s) + n_waiting + 1), len(step_s))
    log_law = np.append(0, np.cumsum(np.log(tokens_per_s * step_s[places - 1] / places)))
    law = np.exp(log_law - log_law.max())
    return np.arange(len(law)), law / law.sum()


@given(step_s=step_curves(), length=tokens, load=st.floats(0.02, 0.9))
def test_littles_means_are_those_of_the_law(step_s, length, load):
    """Running and waiting requests by Little's law, and counted over the states of the law."""
    rate = load * decode_pool_saturation_per_s(length, step_s)
    pool = decode_pool(rate, length, step_s)
    n, law = product_form(step_s, rate * length, n_waiting=400)
    running = (law * np.minimum(n, len(step_s))).sum()
    assert pool.batch_mean == pytest.approx(running, rel=5e-3)
    waiting = (law * np.maximum(n - len(step_s), 0)).sum()
    assert rate * pool.wait_mean_s == pytest.approx(waiting, rel=0.02, abs=1e-6)


@given(given=replicas())
def test_an_idle_replica_with_whole_prompts_takes_their_bare_time(given):
    idle = priority_at(np.zeros(1), given)
    bare_s = given["mean_input_tokens"] * given["mixed_step_s"][0] / 1000
    assert idle.ttft_mean_s[0] == pytest.approx(bare_s)
    assert idle.tpot_quantile_s[0] == pytest.approx(given["decode_step_s"][1])
    assert idle.itl_quantile_s[0] == pytest.approx(given["decode_step_s"][1])


@pytest.mark.parametrize("serve", [chunked_at, priority_at])
@pytest.mark.parametrize("curve", ["flat", "straight"])
def test_ten_thousand_places_stay_finite_at_every_load(serve, curve):
    batch = np.arange(10_001)
    decode_s = 0.01 + (1e-6 * batch if curve == "straight" else 0 * batch)
    given = {
        "mean_input_tokens": 1000,
        "input_scv": 1.0,
        "mean_output_tokens": 2000,
        "decode_step_s": decode_s,
        "mixed_step_s": decode_s + 1e-4,
        "chunk_tokens": 2048,
        "output_scv": 1.0,
    }
    with np.errstate(all="raise", under="ignore"):
        busy = serve(LOADS, given)
    for field in busy.__dataclass_fields__:
        assert np.isfinite(getattr(busy, field)).all(), field
    for field in ("ttft_mean_s", "ttft_quantile_s", "tpot_mean_s", "batch_mean"):
        assert rises(getattr(busy, field)), field
    assert busy.batch_mean.max() <= 10_000
