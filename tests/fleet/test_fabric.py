"""The hand-off of a cache: sizes and rates by hand, what streaming hides, published pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.decision.assumptions import ledger_of
from planner.decision.sized import sized
from planner.demand.parts import Fabric
from planner.demand.scenario import Scenario
from planner.facts.catalog import load_catalog
from planner.fleet.curves import curves
from planner.fleet.fabric import kv_handoff
from tests.stand_ins import demand

CATALOG = load_catalog()
SCENARIO = Scenario(profile="axiom")
LEDGER = ledger_of(SCENARIO, CATALOG)
PLAIN = SCENARIO.software


def held(model="llama-3.3-70b", prompt=1155.0, chips=("h100-sxm",)):
    chips = [CATALOG.accelerators[name] for name in chips]
    return curves(CATALOG.models[model], demand(prompt=prompt), PLAIN, chips, LEDGER)


CHAT = held()


def sent(gbit_per_s=400.0, transfer="contiguous", overlap="none", timed=CHAT, n_layers=80):
    fabric = Fabric(gbit_per_s_per_node=gbit_per_s, transfer=transfer, overlap=overlap)
    return kv_handoff(fabric, timed, n_layers, LEDGER)


class TestTransfer:
    def test_a_chat_with_a_70b_model_crosses_400_gbit_in_7_6_ms(self):
        # 327,680 bytes × 1,155 tokens over 50 GB/s.
        assert sent().transfer_s == pytest.approx(7.569e-3, rel=1e-3)

    def test_opt_66b_at_ten_prompts_of_512_tokens_a_second_fills_97_gbit(self):
        # DistServe, section 3.3: 1.13 GiB a prompt; its "90 Gbps" counts GiB.
        size = sent(timed=held("opt-66b", 512.0)).kv_bytes
        assert size == pytest.approx(1.21e9, rel=5e-3)
        assert 10 * size * 8 / 1e9 == pytest.approx(97, abs=0.5)

    def test_copying_block_by_block_is_slower_by_the_measured_pair(self):
        # FlowKV: 0.944 s before its layout, 0.053 s after: 94.4 % less.
        saved = 1 - sent().transfer_s / sent(transfer="naive").transfer_s
        assert saved == pytest.approx(0.944, abs=5e-4)

    def test_half_the_rate_takes_twice_the_time(self):
        assert sent(200.0).transfer_s == pytest.approx(2 * sent(400.0).transfer_s)


class TestWhatIsSeen:
    def test_all_of_it_without_overlap(self):
        assert sent(10.0).visible_s == pytest.approx([sent(10.0).transfer_s] * len(CHAT.n_chips))

    def test_the_last_layer_where_the_transfer_is_faster_than_the_prompt(self):
        assert sent(overlap="layerwise").visible_s == pytest.approx(7.569e-3 / 80, rel=1e-3)

    def test_of_a_streamed_chat_less_than_7_percent_of_the_prompts_compute(self):
        # Splitwise, section IV, on eight H100s at 400 Gb/s; 5 ms in absolute terms.
        seen = sent(overlap="layerwise").visible_s
        assert np.all(seen < 0.07 * CHAT.prefill_s)
        assert np.all(seen < 5e-3)

    def test_what_outlasts_the_prompt_where_the_transfer_is_slower(self):
        # At 1 Gb/s the cache takes 3.028 s; the prompt hides its own time of that.
        slow = sent(1.0, overlap="layerwise").visible_s
        assert slow == pytest.approx(3.0278 - CHAT.prefill_s, rel=1e-4)

    def test_a_model_of_one_layer_hides_nothing(self):
        whole = sent(overlap="layerwise", n_layers=1)
        assert whole.visible_s == pytest.approx([whole.transfer_s] * len(CHAT.n_chips))

    @given(st.floats(1, 1e3), st.floats(1, 100), st.sampled_from(["none", "layerwise"]))
    def test_a_faster_fabric_never_shows_more(self, gbit, factor, overlap):
        slow, fast = sent(gbit, overlap=overlap), sent(gbit * factor, overlap=overlap)
        assert np.all(fast.visible_s <= slow.visible_s * (1 + 1e-12))

    @given(st.floats(1, 1e5))
    def test_streaming_never_shows_more_than_waiting(self, gbit):
        streamed, waited = sent(gbit, overlap="layerwise"), sent(gbit)
        assert np.all(streamed.visible_s <= waited.visible_s * (1 + 1e-12))


def test_memory_and_fabric_sizes_are_the_same_bytes():
    assert sent().kv_bytes == CHAT.kv_bytes_per_request


def test_a_split_that_sends_more_than_its_links_carry_does_not_serve():
    # Two servers' worth of prompts send more than 40 Gb/s each, though each cache alone is quick.
    asked = Scenario.read({"profile": "axiom", "fabric": {"gbit_per_s_per_node": 40.0}})
    split = sized(asked, CATALOG).fleets["split-same-chip"]
    per_server = [
        pool.kv_bytes_per_s * 8e-9 / (pool.n_accelerators / 8)
        for pool in split.pools
        if pool.role == "prefill"
    ]
    assert max(per_server) > 40
    assert not split.feasible
    assert "The fabric is too slow for chat: 40 Gbit/s per server" in split.reason
