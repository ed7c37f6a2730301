"""The hand-off of caches against DistServe's and FlowKV's figures, and by hand."""

import math

import numpy as np
import pytest

from planner.load import handoff as handoffs
from planner.load.handoff import (
    Mechanism,
    Sending,
    block_pieces,
    gbit_per_s_per_node,
    needed_link_bytes_per_s,
    piece_latency_s,
    transfer_s,
    visible_s,
)


def handoff(rate, kv_bytes, link, n_layers, prefill_s, *, budget_s=math.inf, **more):
    sending = Sending(rate, kv_bytes, n_layers, prefill_s, **more)
    return handoffs.handoff(sending, link, budget_s=budget_s)


def needed(rate, kv_bytes, n_layers, prefill_s, budget_s=math.inf, **more):
    return needed_link_bytes_per_s(Sending(rate, kv_bytes, n_layers, prefill_s, **more), budget_s)


OPT_66B_512_BYTES = 2 * 64 * 9216 * 2 * 512
GBIT = 1e9 / 8


def test_distserves_cache_and_bandwidth():
    """OPT-66B at 512 tokens: 1.13 GiB = 1.21 GB; ten a second need 97 Gb/s (90 in GiB)."""
    cache = handoff(0, OPT_66B_512_BYTES, 1.0, 64, 0.3, overlap="none").transfer_s
    assert cache == pytest.approx(1.21e9, rel=0.002)
    assert cache / 2**30 == pytest.approx(1.13, abs=0.01)
    assert gbit_per_s_per_node(10.0, OPT_66B_512_BYTES, 1) == pytest.approx(97, abs=0.5)
    assert handoff(10, OPT_66B_512_BYTES, 400 * GBIT, 64, 0.3).gbit_per_s_per_node == pytest.approx(
        97, abs=0.5
    )


def test_flowkvs_layout_cuts_the_transfer_by_its_pieces():
    """0.944 s becomes 0.053 s, −94.4 %: a 13k prompt of a 32-layer model in blocks of 16 tokens is
    52,032 pieces or 813, at some 20 µs each."""
    naive = block_pieces(13_000, 16, 32, contiguous=False)
    packed = block_pieces(13_000, 16, 32, contiguous=True)
    assert (naive, packed) == (52_032, 813)
    latency_s = piece_latency_s(0.944, 0.053, naive, packed)
    assert latency_s == pytest.approx(17.4e-6, rel=0.01)
    kv_bytes, link = 131_072 * 13_000, 400 * GBIT
    slow, fast = (transfer_s(kv_bytes, link, Mechanism(n, latency_s)) for n in (naive, packed))
    assert 1 - fast / slow == pytest.approx(0.944, abs=0.02)
    assert (slow, fast) == (pytest.approx(0.944, rel=0.05), pytest.approx(0.053, rel=0.15))


def test_layers_that_travel_early_leave_the_last_one():
    """A transfer shorter than prefill shows one layer of it; a longer one what prefill leaves."""
    assert visible_s(0.064, 0.3, 64, "layerwise") == pytest.approx(0.001)
    assert visible_s(0.5, 0.3, 64, "layerwise") == pytest.approx(0.2)
    assert visible_s(0.5, 0.3, 64, "none") == 0.5


def test_a_lone_request_sees_its_own_transfer():
    one = handoff(0, 1e9, 10e9, 50, 1.0, overlap="none", input_scv=0.0)
    assert one.transfer_s == one.visible_mean_s == one.visible_quantile_s == pytest.approx(0.1)
    assert one.wait_mean_s == one.utilization == 0


def test_transfers_queue_on_their_link_as_in_m_d_1():
    """Constant caches of 0.1 s at 8 a second: 0.2 s of wait."""
    busy = handoff(8, 1e9, 10e9, 50, 1.0, input_scv=0.0)
    assert busy.utilization == pytest.approx(0.8)
    assert busy.wait_mean_s == pytest.approx(0.2)
    assert busy.visible_mean_s == pytest.approx(0.2 + 0.1 / 50)


def test_nodes_share_the_load():
    four = handoff(32, 1e9, 10e9, 50, 1.0, n_nodes=4)
    one = handoff(8, 1e9, 10e9, 50, 1.0)
    assert four.visible_quantile_s == pytest.approx(one.visible_quantile_s)
    assert four.gbit_per_s_per_node == pytest.approx(64)


def test_a_link_too_slow_says_which_would_do():
    slow = handoff(10, OPT_66B_512_BYTES, 25 * GBIT, 64, 0.3, budget_s=0.05)
    assert slow.feasible is False
    assert slow.visible_mean_s == slow.visible_quantile_s == math.inf
    least = needed(10, OPT_66B_512_BYTES, 64, 0.3, 0.05)
    enough = handoff(10, OPT_66B_512_BYTES, least * 1.0001, 64, 0.3, budget_s=0.05)
    short = handoff(10, OPT_66B_512_BYTES, least * 0.999, 64, 0.3, budget_s=0.05)
    assert enough.feasible is True
    assert short.feasible is False


def test_without_a_budget_the_link_must_only_carry_the_load():
    assert needed(10, 1e9, 50, 1.0) == pytest.approx(1e10)


def test_no_link_makes_up_for_slow_pieces():
    pieces = Mechanism(n_pieces=50_000, piece_latency_s=20e-6)
    stuck = handoff(0.1, 1e9, 1e11, 50, 0.1, mechanism=pieces, budget_s=0.5)
    assert stuck.feasible is False
    assert needed(0.1, 1e9, 50, 0.1, 0.5, mechanism=pieces) == math.inf


def test_compression_sends_fewer_bytes():
    half = handoff(4, 1e9, 1e10, 50, 1.0, mechanism=Mechanism(bytes_frac=0.5))
    assert half.transfer_s == pytest.approx(0.05)
    assert half.gbit_per_s_per_node == pytest.approx(16)


def test_links_broadcast():
    links = np.array([1e9, 1e10, 1e11])
    rows = handoff(4, 1e9, links, 50, 1.0, budget_s=0.05)
    assert rows.feasible.tolist() == [False, False, True]
    assert np.all(np.diff(rows.visible_quantile_s[1:]) < 0)
    one = handoff(4, 1e9, 1e10, 50, 1.0, budget_s=0.05)
    assert rows.visible_quantile_s[1] == one.visible_quantile_s


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ((-1, 1e9, 1e10, 50, 1.0), "requests_per_s"),
        ((1, 0, 1e10, 50, 1.0), "kv_bytes"),
        ((1, 1e9, math.nan, 50, 1.0), "link_bytes_per_s"),
        ((1, 1e9, 1e10, 0, 1.0), "n_layers"),
    ],
)
def test_bad_input_is_refused_by_name(given, names):
    with pytest.raises(ValueError, match=names):
        handoff(*given)


def test_an_unknown_overlap_names_those_allowed():
    with pytest.raises(ValueError, match="none, layerwise"):
        handoff(1, 1e9, 1e10, 50, 1.0, overlap="token")
