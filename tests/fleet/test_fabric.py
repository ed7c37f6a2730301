"""The fabric of a scenario as a mechanism: sizes by hand, and the published pairs."""

import numpy as np
import pytest

from planner.decision.assumptions import ledger_of
from planner.decision.sized import sized
from planner.demand.parts import Fabric
from planner.demand.scenario import Scenario
from planner.facts.catalog import load_catalog
from planner.fleet.fabric import link
from planner.load.handoff import transfer_s

CATALOG = load_catalog()
LEDGER = ledger_of(Scenario(profile="axiom"), CATALOG)
CHAT_BYTES = 327_680 * 1155


def took(kv_bytes, tokens, layers, gbit=400.0, transfer="contiguous"):
    fabric = Fabric(gbit_per_s_per_node=gbit, transfer=transfer, overlap="none")
    held = link(fabric, LEDGER)
    return float(
        transfer_s(
            np.array(kv_bytes, float),
            np.array(held.bytes_per_s),
            held.mechanism(np.array(tokens, float), np.array(layers, float)),
        )
    )


class TestTransfer:
    def test_a_chat_with_a_70b_model_crosses_400_gbit_in_7_6_ms_and_its_blocks_in_1_3(self):
        # 327,680 bytes x 1,155 tokens over 50 GB/s; 73 blocks of 17.4 microseconds.
        assert took(CHAT_BYTES, 1155, 80) == pytest.approx(7.569e-3 + 73 * 17.4e-6, rel=1e-3)

    def test_flowkvs_request_takes_what_it_measured_either_way(self):
        # 13,000 tokens of Llama-3.1-8B: 131,072 bytes a token at 400 Gb/s
        cache = 131_072 * 13_000
        slow, fast = (took(cache, 13_000, 32, transfer=t) for t in ("naive", "contiguous"))
        assert (slow, fast) == (pytest.approx(0.944, rel=0.05), pytest.approx(0.053, rel=0.15))
        assert 1 - fast / slow == pytest.approx(0.944, abs=0.02)

    def test_copying_by_layer_costs_more_the_more_layers_there_are(self):
        few, many = (took(CHAT_BYTES, 1155, n, transfer="naive") for n in (32, 80))
        assert many - few == pytest.approx(73 * 2 * 48 * 17.4e-6, rel=1e-2)

    def test_compression_sends_a_quarter_of_the_bytes(self):
        # CacheGen: 3.5 to 4.3 times smaller
        whole, small = (
            took(CHAT_BYTES, 1155, 80, 10.0, transfer=t) for t in ("contiguous", "compressed")
        )
        assert 3.5 < whole / small < 4.3


class TestInAPlan:
    def split(self, **fabric):
        asked = Scenario.read({"profile": "axiom", "fabric": fabric})
        return sized(asked, CATALOG).fleets["split-same-chip"]

    def test_a_slow_fabric_that_more_servers_can_share_takes_more_servers(self):
        quick, slow = self.split(gbit_per_s_per_node=400.0), self.split(gbit_per_s_per_node=15.0)
        chips = [
            sum(p.n_accelerators for p in f.pools if p.role == "prefill") for f in (quick, slow)
        ]
        assert quick.feasible
        assert slow.feasible
        assert chips[1] > chips[0]

    def test_a_fabric_too_slow_for_any_number_of_them_says_which_would_do(self):
        slow = self.split(gbit_per_s_per_node=1.0, overlap="none")
        assert not slow.feasible
        assert "The fabric is too slow for chat: 1 Gbit/s per server, and" in slow.reason
        needed = {
            sentence.split(":")[0].rsplit(" ", 1)[1]: float(sentence.split("and ")[1].split()[0])
            for sentence in slow.reason.split(". ")
        }
        enough = self.split(gbit_per_s_per_node=max(needed.values()), overlap="none")
        assert enough.feasible

    def test_pieces_too_slow_for_any_link_name_the_layout_that_would_do(self):
        stuck = self.split(gbit_per_s_per_node=400.0, transfer="naive", overlap="none")
        assert not stuck.feasible
        assert "allow a contiguous transfer, layer by layer" in stuck.reason
