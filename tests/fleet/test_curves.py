"""Configurations and their step times: what fits by hand, and how the steps relate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.decision.assumptions import ledger_of
from planner.demand.parts import Software
from planner.demand.scenario import Scenario
from planner.facts.catalog import load_catalog
from planner.fleet.curves import curves
from planner.fleet.grid import Offer, grid, layouts, remedies
from planner.physics.phases import step_time
from planner.physics.transformer import decode_work
from tests.stand_ins import demand, register

CATALOG = load_catalog()
ENGINE = {
    "estimates.serving.memory_usable_frac": 0.9,
    "estimates.serving.paging_waste_frac": 0.04,
    "estimates.serving.prefix_cache_memory_frac": 0.3,
    "estimates.serving.max_batch": 256,
    "estimates.serving.server_chips": 8,
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


def timed(model="llama-3.3-70b", chips=("h100-sxm",), asked=CHAT, chunks=(2048.0,), **software):
    offer = Offer(
        asked,
        CATALOG.models[model],
        PLAIN.model_copy(update=software),
        tuple(CATALOG.accelerators[name] for name in chips),
        chunks,
    )
    held = grid([offer], LEDGER)
    return held and curves(held, LEDGER)


def row(held, tp, chip="h100-sxm", attention_dp=1, pp=1):
    """The first row of a chip in a layout."""
    asked = (tp, attention_dp, pp)
    layout = held.grid.layout
    for index, kind in enumerate(held.grid.chip):
        found = tuple(getattr(layout, name)[index] for name in ("tp", "attention_dp", "pp"))
        if (held.grid.chips[kind].id, found) == (chip, asked):
            return index
    raise LookupError(asked)


def cap(held, *where, **more):
    return held.grid.batch_cap[row(held, *where, **more)]


class TestLayouts:
    def test_a_dense_model_is_cut_over_a_server_at_most_then_over_servers_in_a_row(self):
        found = layouts(CATALOG.models["llama-3.3-70b"], 8)
        assert {row for row in found if row[3] == 1} == {(n, 1, 1, 1) for n in (1, 2, 4, 8, 16, 32)}
        assert {row for row in found if row[3] > 1} == {(8, 1, 1, 2), (8, 1, 1, 4)}

    def test_experts_are_spread_over_all_chips_of_a_stage(self):
        for tp, attention_dp, ep, pp in layouts(CATALOG.models["deepseek-v3"], 8):
            assert ep == tp * attention_dp
            assert tp * attention_dp * pp <= 32

    def test_tensor_parallel_stays_inside_a_server_or_a_domain(self):
        held = timed(chips=["h100-sxm", "gb200-nvl72"]).grid
        for index, chip in enumerate(held.chip):
            domain = {"h100-sxm": 8, "gb200-nvl72": 72}[held.chips[chip].id]
            assert held.layout.tp[index] <= domain

    def test_a_chip_without_fast_links_is_still_cut_inside_its_server(self):
        assert max(timed(chips=["l40s"]).grid.layout.tp) == 8


class TestRemedies:
    def test_software_in_place_is_the_only_way(self):
        assert remedies(PLAIN, PLAIN) == (PLAIN,)

    def test_weights_go_as_low_as_allowed_and_no_lower_than_they_are(self):
        low = PLAIN.model_copy(update={"weight_precision": "fp4"})
        mid = PLAIN.model_copy(update={"weight_precision": "fp8"})
        assert [row.weight_precision for row in remedies(PLAIN, low)] == ["bf16", "fp8", "fp4"]
        assert [row.weight_precision for row in remedies(mid, low)] == ["fp8", "fp4"]

    def test_drafts_may_be_left_off_and_caches_are_switched_on(self):
        could = PLAIN.model_copy(update={"speculative": "mtp2", "prefix_cache": True})
        ways = remedies(PLAIN, could)
        assert {row.speculative for row in ways} == {"none", "mtp2"}
        assert all(row.prefix_cache for row in ways)


class TestMemory:
    def test_a_70b_model_at_16_bits_fits_two_h100s_with_room_for_six_chats(self):
        # 90 % of 160 GB less 141.1 GB of weights leaves 2.9 GB; a chat of 1,260 tokens holds
        # 1,260 × 327,680 bytes and 4 % of waste: 0.430 GB.
        held = timed()
        assert min(held.grid.n_chips) == 2
        assert cap(held, 2) == 6

    def test_at_8_bits_it_fits_one_h100_with_no_room_and_two_with_room_for_many(self):
        held = timed(weight_precision="fp8", kv_precision="fp8")
        assert min(held.grid.n_chips) == 2
        assert cap(held, 2) == 256

    def test_a_b200_holds_it_alone(self):
        held = timed(chips=["b200-sxm"])
        # 162 GB less 141.1 GB: 48 chats of 0.430 GB.
        assert cap(held, 1, "b200-sxm") == 48

    def test_prefixes_kept_on_the_chip_take_their_share(self):
        # Three tenths of the free memory go to reusable prefixes: 6.9 chats become 4.8.
        assert cap(timed(prefix_cache=True), 2) == 4
        assert cap(timed(prefix_cache=True, kv_offload=True), 2) == 6

    def test_the_engine_admits_256_to_each_attention_group(self):
        assert max(timed().grid.batch_cap) == 256
        wide = timed("deepseek-v3", weight_precision="fp8")
        assert cap(wide, 1, attention_dp=32) == 256

    def test_the_batches_of_a_pipeline_share_that_limit(self):
        assert cap(timed(), 8, pp=2) == 128

    def test_a_model_that_fits_nowhere_has_no_curves(self):
        # A trillion weights at 16 bits are 2 TB; 32 L40S hold 1.4 TB.
        assert timed("kimi-k2", ["l40s"]) is None

    def test_groups_grow_with_the_model(self):
        assert set(timed("deepseek-v3", weight_precision="fp8").grid.n_chips) == {16, 32}

    @settings(max_examples=20)
    @given(st.floats(100, 50_000), st.floats(1, 4))
    def test_longer_contexts_leave_room_for_fewer(self, prompt, factor):
        short = timed(chips=["b200-sxm"], asked=demand(prompt=prompt))
        long = timed(chips=["b200-sxm"], asked=demand(prompt=prompt * factor))
        for n in (2, 4, 8):
            assert cap(long, n, "b200-sxm") <= cap(short, n, "b200-sxm")


class TestSteps:
    def test_beyond_what_fits_a_step_never_ends(self):
        held = timed()
        rows = np.arange(len(held.grid))
        batch = np.arange(257)
        fits = batch <= held.grid.batch_cap[:, None]
        assert np.array_equal(np.isfinite(held.full(held.decode_s, rows)), fits)
        assert np.array_equal(np.isfinite(held.full(held.mixed_s, rows)), fits)

    @pytest.mark.parametrize("model", ["llama-3.3-70b", "deepseek-v3", "gpt-oss-120b"])
    def test_a_larger_batch_never_takes_less_time(self, model):
        held = timed(model, ["h200-sxm", "b200-sxm"], weight_precision="fp8")
        for steps in (held.decode_s, held.mixed_s):
            assert np.all(steps[:, 1:] >= steps[:, :-1] * (1 - 1e-12))

    def test_between_the_batches_that_are_timed_a_curve_is_off_by_less_than_a_percent(self):
        """Against the step of every batch, timed one by one."""
        held = timed("deepseek-v3", ["h200-sxm"], weight_precision="fp8")
        place = row(held, 1, "h200-sxm", attention_dp=16)
        part = held.grid.at(np.array([place]))
        batch = np.arange(1, part.batch_cap[0] + 1)
        work = decode_work(part.held_column, batch * 16, CHAT.context_tokens)
        exact = step_time(part.held_column, part.machine.column(), part.layout.column(), work)
        read = held.full(held.decode_s, np.array([place]))[0, 1:]
        assert read == pytest.approx(exact.total_s[0], rel=1e-2)

    def test_a_chunk_beside_decode_costs_more_than_decode_and_less_than_both_apart(self):
        held = timed()
        apart = held.decode_s + held.idle_mixed_s[:, None]
        assert np.all(held.mixed_s > held.decode_s)
        assert np.all(held.mixed_s < apart)

    def test_a_pipeline_passes_all_its_stages_between_two_tokens(self):
        held = timed()
        one, two = row(held, 8), row(held, 8, pp=2)
        assert held.decode_s[two, 0] > held.decode_s[one, 0]
        assert held.decode.total_s[two, 0] < held.decode.total_s[one, 0]

    def test_pools_that_only_split_have_no_mixed_steps(self):
        held = timed(chunks=())
        assert np.isnan(held.mixed_s).all()
        assert np.isnan(held.idle_mixed_s).all()

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
            assert both.decode_s[other] == pytest.approx(alone.decode_s[one], rel=1e-12)


class TestSpeculation:
    @pytest.mark.parametrize(
        ("drafts", "tokens"), [("none", 1), ("mtp1", 1.92), ("mtp2", 2.58), ("mtp3", 2.82)]
    )
    def test_drafts_accepted_as_measured_on_deepseek_r1(self, drafts, tokens):
        assert set(timed("deepseek-v3", ["b200-sxm"], speculative=drafts).tokens_per_step) == {
            tokens
        }

    def test_verifying_costs_more_than_a_plain_step_and_less_per_token(self):
        plain, drafted = timed(), timed(speculative="mtp1")
        assert np.all(drafted.decode_s > plain.decode_s)
        assert np.all(drafted.decode_s / drafted.tokens_per_step[:, None] < plain.decode_s)

    def test_a_mixed_step_verifies_the_drafts_too(self):
        plain, drafted = timed(), timed(speculative="mtp3")
        assert np.all(drafted.mixed_s > plain.mixed_s)


class TestCache:
    def test_a_chat_hands_over_378_megabytes(self):
        # 80 layers × 2 × 8 heads × 128 × 2 bytes = 327,680 bytes a token, 1,155 tokens.
        assert timed().kv_bytes_per_request[0] == pytest.approx(378_470_400)
        assert timed(kv_precision="fp8").kv_bytes_per_request[0] == pytest.approx(189_235_200)

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
