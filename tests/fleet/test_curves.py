"""Step times of candidates: what fits in memory by hand, and how the steps relate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.decision.assumptions import ledger_of
from planner.demand.parts import Software
from planner.demand.scenario import Scenario
from planner.facts.catalog import load_catalog
from planner.fleet.curves import GROUPS, curves
from tests.stand_ins import demand, register

CATALOG = load_catalog()
ENGINE = {
    "estimates.serving.memory_usable_frac": 0.9,
    "estimates.serving.paging_waste_frac": 0.04,
    "estimates.serving.prefix_cache_memory_frac": 0.3,
    "estimates.serving.max_batch": 256,
}
LEDGER = register(ENGINE, otherwise=ledger_of(Scenario(profile="axiom"), CATALOG))
PLAIN = Software(
    chunked_prefill=True,
    weight_precision="bf16",
    kv_precision="bf16",
    prefix_cache=False,
    kv_offload=False,
    speculative="none",
)
# The Azure conversation hour: 1,155 prompt tokens, 211 answer tokens.
CHAT = demand(prompt=1155.0, answer=211.0, cache_hit_frac=0.5)


def timed(model="llama-3.3-70b", chips=("h100-sxm",), asked=CHAT, **software):
    return curves(
        CATALOG.models[model],
        asked,
        PLAIN.model_copy(update=software),
        [CATALOG.accelerators[name] for name in chips],
        LEDGER,
    )


def row(held, n_chips, chip="h100-sxm"):
    found = [
        index
        for index, (each, n) in enumerate(zip(held.chips, held.n_chips, strict=True))
        if (each.id, n) == (chip, n_chips)
    ]
    return found[0]


class TestMemory:
    def test_a_70b_model_at_16_bits_fits_two_h100s_with_room_for_six_chats(self):
        # 90 % of 160 GB less 141.1 GB of weights leaves 2.9 GB; a chat of 1,260 tokens holds
        # 1,260 × 327,680 bytes and 4 % of waste: 0.430 GB.
        held = timed()
        assert min(held.n_chips) == 2
        assert held.batch_cap[row(held, 2)] == 6

    def test_at_8_bits_it_fits_one_h100_with_no_room_and_two_with_room_for_many(self):
        held = timed(weight_precision="fp8", kv_precision="fp8")
        assert min(held.n_chips) == 2
        assert held.batch_cap[row(held, 2)] == 256

    def test_a_b200_holds_it_alone(self):
        held = timed(chips=["b200-sxm"])
        # 162 GB less 141.1 GB: 48 chats of 0.430 GB.
        assert held.batch_cap[row(held, 1, "b200-sxm")] == 48

    def test_prefixes_kept_on_the_chip_take_their_share(self):
        # Three tenths of the free memory go to reusable prefixes: 6.9 chats become 4.8.
        assert timed(prefix_cache=True).batch_cap[0] == 4
        assert timed(prefix_cache=True, kv_offload=True).batch_cap[0] == 6

    def test_the_engine_admits_256_at_most(self):
        assert max(timed().batch_cap) == 256

    def test_a_model_that_fits_nowhere_has_no_curves(self):
        # A trillion weights at 16 bits are 2 TB; 32 L40S hold 1.4 TB.
        assert timed("kimi-k2", ["l40s"]) is None

    def test_groups_grow_with_the_model(self):
        assert set(timed("deepseek-v3", weight_precision="fp8").n_chips) == {16, 32}

    @settings(max_examples=20)
    @given(st.floats(100, 50_000), st.floats(1, 4))
    def test_longer_contexts_leave_room_for_fewer(self, prompt, factor):
        short = timed(chips=["b200-sxm"], asked=demand(prompt=prompt))
        long = timed(chips=["b200-sxm"], asked=demand(prompt=prompt * factor))
        for n in GROUPS:
            if n in long.n_chips:
                fewer = long.batch_cap[row(long, n, "b200-sxm")]
                assert fewer <= short.batch_cap[row(short, n, "b200-sxm")]


class TestSteps:
    def test_beyond_what_fits_a_step_never_ends(self):
        held = timed()
        fits = np.arange(1, held.decode_s.shape[1] + 1) <= held.batch_cap[:, None]
        assert np.array_equal(np.isfinite(held.decode_s), fits)
        assert np.array_equal(np.isfinite(held.mixed_s), fits)

    @pytest.mark.parametrize("model", ["llama-3.3-70b", "deepseek-v3", "gpt-oss-120b"])
    def test_a_larger_batch_never_takes_less_time(self, model):
        held = timed(model, ["h200-sxm", "b200-sxm"], weight_precision="fp8")
        for steps in (held.decode_s, held.mixed_s):
            assert np.all(steps[:, 1:] >= steps[:, :-1])

    def test_a_chunk_beside_decode_costs_more_than_decode_and_less_than_both_apart(self):
        held = timed()
        fits = np.isfinite(held.decode_s)
        apart = held.decode_s + held.idle_mixed_s[:, None]
        assert np.all(held.mixed_s[fits] > held.decode_s[fits])
        assert np.all(held.mixed_s[fits] < apart[fits])

    def test_more_chips_decode_faster_inside_a_server(self):
        held = timed()
        times = [held.decode_s[row(held, n), 0] for n in (2, 4, 8)]
        assert times == sorted(times, reverse=True)

    def test_twice_the_bandwidth_decodes_faster(self):
        # H200 over H100: 4.8 against 3.35 TB/s, the same arithmetic.
        held = timed(chips=["h100-pcie", "h100-sxm"])
        slow, fast = row(held, 4, "h100-pcie"), row(held, 4)
        assert held.decode_s[fast, 0] < held.decode_s[slow, 0]

    def test_a_hit_prefix_is_not_computed_again(self):
        plain, cached = timed(), timed(prefix_cache=True)
        assert np.all(cached.prefill_s < plain.prefill_s)
        assert np.all(cached.prefill_s > plain.prefill_s / 2)

    def test_a_configuration_is_timed_alike_alone_and_in_company(self):
        alone, both = timed(), timed(chips=["b200-sxm", "h100-sxm"])
        for n in (2, 4, 8):
            one, other = row(alone, n), row(both, n)
            assert both.prefill_s[other] == pytest.approx(alone.prefill_s[one], rel=1e-12)
            width = alone.decode_s.shape[1]
            together, apart = both.decode_s[other, :width], alone.decode_s[one]
            assert together == pytest.approx(apart, rel=1e-12)


class TestSpeculation:
    @pytest.mark.parametrize(
        ("drafts", "tokens"), [("none", 1), ("mtp1", 1.92), ("mtp2", 2.58), ("mtp3", 2.82)]
    )
    def test_drafts_accepted_as_measured_on_deepseek_r1(self, drafts, tokens):
        assert timed("deepseek-v3", ["b200-sxm"], speculative=drafts).tokens_per_step == tokens

    def test_verifying_costs_more_than_a_plain_step_and_less_per_token(self):
        plain, drafted = timed(), timed(speculative="mtp1")
        fits = np.isfinite(plain.decode_s) & np.isfinite(drafted.decode_s)
        step, verify = plain.decode_s[fits], drafted.decode_s[fits]
        assert np.all(verify > step)
        assert np.all(verify / drafted.tokens_per_step < step)

    def test_a_mixed_step_verifies_the_drafts_too(self):
        plain, drafted = timed(), timed(speculative="mtp3")
        fits = np.isfinite(plain.mixed_s)
        assert np.all(drafted.mixed_s[fits] > plain.mixed_s[fits])


class TestCache:
    def test_a_chat_hands_over_378_megabytes(self):
        # 80 layers × 2 × 8 heads × 128 × 2 bytes = 327,680 bytes a token, 1,155 tokens.
        assert timed().kv_bytes_per_request == pytest.approx(378_470_400)
        assert timed(kv_precision="fp8").kv_bytes_per_request == pytest.approx(189_235_200)

    def test_four_percent_of_a_paged_cache_is_wasted(self):
        assert timed().kv_used_frac == pytest.approx(0.96)

    def test_prefixes_on_the_chip_are_there_at_once(self):
        assert not timed(prefix_cache=True).load_s.any()
        assert not timed(kv_offload=True).load_s.any()

    def test_offloaded_prefixes_come_back_over_every_chips_own_link(self):
        held = timed(prefix_cache=True, kv_offload=True)
        link = CATALOG.number("estimates.serving.host_link_bytes_per_s").value
        cached = 1155 / 2 * 327_680
        assert held.load_s[row(held, 8)] == pytest.approx(cached / (8 * link))
        assert held.load_s[row(held, 2)] == pytest.approx(4 * held.load_s[row(held, 8)])
