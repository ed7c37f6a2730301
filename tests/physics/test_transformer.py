"""Work of a step: by hand first, then limits, additivity, and the layer-by-layer twin."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planner.errors import CatalogError
from planner.facts.catalog import load_catalog
from planner.physics.transformer import (
    decode_work,
    kv_bytes,
    kv_bytes_per_token,
    mixed_work,
    prefill_work,
)
from planner.physics.weights import active_parameter_count, parameter_count, weight_bytes
from tests.oracle import transformer_twin as twin

MODELS = load_catalog().models
TIMED = sorted(name for name, model in MODELS.items() if not model.missing)
BF16 = {"weight_precision": "bf16", "kv_precision": "bf16"}
FP8 = {"weight_precision": "fp8", "kv_precision": "fp8"}
PARTS = (
    "linear_flop", "attention_flop", "weight_bytes", "kv_read_bytes", "kv_write_bytes",
    "activation_bytes",
)  # fmt: skip
COUNTS = st.integers(0, 300)
names = st.sampled_from(TIMED)


def every(work):
    return {part: getattr(work, part) for part in PARTS}


class TestCache:
    @pytest.mark.parametrize("name", TIMED)
    def test_bytes_per_token_reproduce_the_published_figure(self, name):
        model = MODELS[name]
        published = model.published_kv_bytes_per_token.value
        assert kv_bytes_per_token(model, "bf16") == pytest.approx(published, rel=0.012)

    @pytest.mark.parametrize(
        ("name", "published"),
        [
            ("llama-3.1-70b", 327_680),
            ("llama-3.1-405b", 516_096),  # DeepSeek-V3 hardware paper, table 1
            ("qwen2.5-72b", 327_680),
            ("deepseek-v3", 70_272),
        ],
    )
    def test_anchors_exactly(self, name, published):
        assert kv_bytes_per_token(MODELS[name], "bf16") == published
        assert kv_bytes_per_token(MODELS[name], "fp8") == published / 2

    def test_deepseek_v4_pro_holds_a_million_tokens_in_9_62_gib(self):
        gib = kv_bytes(MODELS["deepseek-v4-pro"], 2**20, "bf16") / 2**30
        assert gib == pytest.approx(9.62, rel=0.002)

    def test_opt_66b_holds_512_tokens_in_1_13_gib(self):
        # DistServe, section 3.3: "1.13 GB" counts GiB.
        gib = kv_bytes(MODELS["opt-66b"], 512, "bf16") / 2**30
        assert gib == pytest.approx(1.13, abs=0.005)

    def test_index_keys_keep_their_own_precision(self):
        # DeepSeek V3.2: 61 layers, each an FP8 key of 128 and a scale of 4 bytes per token.
        model = MODELS["deepseek-v3.2"]
        assert kv_bytes_per_token(model, "bf16") == 70_272 + 61 * 132
        assert kv_bytes_per_token(model, "fp8") == 70_272 / 2 + 61 * 132

    def test_a_window_is_capped(self):
        # gpt-oss-120b: 18 layers keep 128 tokens, 18 all; 2·8·64 numbers a token in each.
        per_token = 18 * 2 * 8 * 64 * 2
        held = kv_bytes(MODELS["gpt-oss-120b"], [64, 128, 1000], "bf16")
        assert held == pytest.approx([2 * 64 * per_token, 256 * per_token, 1128 * per_token])

    def test_a_recurrent_state_is_constant(self):
        # Qwen3-Next: 39,518,208 bytes of state, then 24,576 per token.
        held = kv_bytes(MODELS["qwen3-next-80b-a3b"], [0, 1, 1000], "bf16")
        assert held == pytest.approx([0, 39_518_208 + 24_576, 39_518_208 + 24_576_000])

    @given(names, st.integers(0, 10**6))
    def test_equals_the_twin(self, name, context):
        expected = twin.cache_bytes(MODELS[name], context, "fp8") if context else 0
        assert kv_bytes(MODELS[name], context, "fp8") == pytest.approx(expected, rel=1e-9)

    def test_an_unknown_precision_is_refused(self):
        with pytest.raises(ValueError, match="cache precision 'fp3' is unknown; choose one of"):
            kv_bytes_per_token(MODELS["llama-3.1-8b"], "fp3")


class TestPrefill:
    @pytest.mark.parametrize("name", TIMED)
    def test_a_short_prompt_costs_two_flop_per_active_weight_and_token(self, name):
        model = MODELS[name]
        work = prefill_work(model, 128, **BF16)
        head = 2 * 127 * model.vocab * model.hidden
        assert work.linear_flop + head == pytest.approx(128 * 2 * active_parameter_count(model))
        assert work.attention_flop < 0.1 * work.linear_flop

    def test_llama_8b_of_1000_tokens_by_hand(self):
        work = prefill_work(MODELS["llama-3.1-8b"], 1000, **BF16)
        layer = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336
        assert work.linear_flop == 2 * (1000 * 32 * layer + 128256 * 4096)
        # Queries see 1, 2 … 1000 tokens: 500,500 pairs; 32 heads of 128, scores and values.
        assert work.attention_flop == 32 * 500_500 * 2 * 2 * 32 * 128
        assert work.weight_bytes == 2 * (32 * layer + 128256 * 4096)
        assert work.kv_write_bytes == 1000 * 131_072

    def test_a_cached_prefix_costs_attention_but_no_weights(self):
        model = MODELS["llama-3.1-8b"]
        fresh, cached = (prefill_work(model, 100, prefix, **BF16) for prefix in (0, 900))
        assert cached.linear_flop == fresh.linear_flop
        assert cached.attention_flop == pytest.approx(
            prefill_work(model, 1000, **BF16).attention_flop
            - prefill_work(model, 900, **BF16).attention_flop
        )

    @given(names, st.lists(st.integers(1, 5000), min_size=1, max_size=6), st.integers(0, 50_000))
    def test_chunks_add_up_to_the_prompt(self, name, chunks, prefix):
        model = MODELS[name]
        whole = prefill_work(model, sum(chunks), prefix, **FP8)
        starts = np.cumsum([prefix, *chunks[:-1]])
        ends = np.arange(len(chunks)) == len(chunks) - 1
        parts = prefill_work(model, np.array(chunks), starts, sampled=ends, **FP8)
        assert parts.linear_flop.sum() == pytest.approx(whole.linear_flop, rel=1e-12)
        assert parts.attention_flop.sum() == pytest.approx(whole.attention_flop, rel=1e-12)

    def test_beyond_the_window_each_token_costs_the_same(self):
        model = MODELS["gpt-oss-120b"]
        flop = [prefill_work(model, 1, n, **BF16).attention_flop for n in (1000, 2000, 3000)]
        full = 18 * 2 * 2 * 64 * 64 * 1000
        assert np.diff(flop) == pytest.approx([full, full])

    def test_latent_attention_is_expanded_in_prefill_and_absorbed_in_decode(self):
        # DeepSeek V3, one query over 1001 tokens: 128 heads; 192 + 128 against 576 + 512.
        model = MODELS["deepseek-v3"]
        prefill = prefill_work(model, 1, 1000, **BF16)
        decode = decode_work(model, 1, 1000, **BF16)
        assert prefill.attention_flop == 61 * 1001 * 2 * 128 * (192 + 128)
        assert decode.attention_flop == 61 * 1001 * 2 * 128 * (576 + 512)
        assert prefill.linear_flop == decode.linear_flop

    def test_two_prompts_share_one_read_of_the_weights(self):
        model = MODELS["llama-3.1-8b"]
        one, two = (prefill_work(model, 500, sequences=n, **BF16) for n in (1, 2))
        assert two.flop == 2 * one.flop
        assert two.weight_bytes == one.weight_bytes
        assert two.kv_write_bytes == 2 * one.kv_write_bytes


class TestDecode:
    def test_batch_1_of_a_dense_model_reads_every_weight_but_the_input_table(self):
        model = MODELS["llama-3.1-8b"]
        work = decode_work(model, 1, 1000, **BF16)
        assert work.weight_bytes == weight_bytes(model, "bf16") - 2 * 128256 * 4096
        assert work.linear_flop == 2 * active_parameter_count(model)
        assert work.kv_read_bytes == 1001 * 131_072
        assert work.kv_write_bytes == 131_072

    @pytest.mark.parametrize("name", TIMED)
    def test_batch_1_reads_the_active_weights(self, name):
        model = MODELS[name]
        work = decode_work(model, 1, 1000, **BF16)
        assert work.weight_bytes == pytest.approx(2 * active_parameter_count(model))
        assert work.linear_flop == pytest.approx(2 * active_parameter_count(model))

    def test_a_large_batch_reads_every_expert(self):
        model = MODELS["deepseek-v3"]
        work = decode_work(model, 1e5, 1000, **FP8)
        table = 2 * 129280 * 7168
        assert work.weight_bytes == pytest.approx(weight_bytes(model, "fp8") - table)

    def test_sparse_attention_reads_what_the_indexer_picks_and_all_index_keys(self):
        # DeepSeek V3.2 at 10,000 tokens: 2048 latents of 576, 10,001 index keys of 132 bytes.
        work = decode_work(MODELS["deepseek-v3.2"], 1, 10_000, **BF16)
        assert work.kv_read_bytes == 61 * (2048 * 576 * 2 + 10_001 * 132)
        absorbed, index = 2 * 128 * (576 + 512), 2 * 64 * 128
        assert work.attention_flop == 61 * (2048 * absorbed + 10_001 * index)

    def test_compressed_attention_reads_a_window_picked_entries_and_index_keys(self):
        # DeepSeek V4 Pro at 79,999: 30 layers 128 + 1024 + 20,000 keys; 31 layers 128 + 625.
        work = decode_work(MODELS["deepseek-v4-pro"], 1, 79_999, **BF16)
        assert work.kv_read_bytes == 2 * (
            30 * (512 * (128 + 1024) + 128 * 20_000) + 31 * 512 * (128 + 625)
        )

    def test_linear_attention_moves_its_state_whatever_the_context(self):
        # Qwen3-Next: 12 layers of 2·2·256 numbers a token beside 39,518,208 bytes of state.
        work = decode_work(MODELS["qwen3-next-80b-a3b"], 1, [0, 999], **BF16)
        assert work.kv_read_bytes == pytest.approx([39_518_208 + 24_576, 39_518_208 + 24_576_000])
        assert work.kv_write_bytes == pytest.approx(2 * [39_518_208 + 24_576])

    def test_verifying_drafts_reads_the_cache_once(self):
        model = MODELS["llama-3.1-8b"]
        plain, three = (decode_work(model, 8, 999, tokens_per_sequence=n, **BF16) for n in (1, 3))
        assert three.linear_flop == 3 * plain.linear_flop
        assert three.weight_bytes == plain.weight_bytes
        assert three.kv_read_bytes == 8 * 1002 * 131_072

    def test_a_mixed_checkpoint_multiplies_each_part_in_its_own_precision(self):
        work = decode_work(MODELS["kimi-k2"], 1, 0, weight_precision="fp4", kv_precision="fp8")
        experts = 2 * 60 * 8 * 3 * 7168 * 2048
        assert work.linear_flop_at["fp4"] == experts
        widened = decode_work(MODELS["kimi-k2"], 1, 0, weight_precision="int4", kv_precision="fp8")
        assert list(widened.linear_flop_at) == ["bf16"]


class TestMixed:
    @given(names, COUNTS, COUNTS, COUNTS, COUNTS)
    def test_all_but_the_weights_is_the_sum_of_both(self, name, batch, context, chunk, before):
        model = MODELS[name]
        mixed = every(mixed_work(model, batch, context, chunk, before, **FP8))
        decode = every(decode_work(model, batch, context, **FP8))
        prefill = every(prefill_work(model, chunk, before, **FP8))
        for part in set(PARTS) - {"weight_bytes"}:
            assert mixed[part] == pytest.approx(decode[part] + prefill[part], rel=1e-12)
        shared = mixed["weight_bytes"]
        assert shared <= (decode["weight_bytes"] + prefill["weight_bytes"]) * (1 + 1e-12)
        assert shared >= max(decode["weight_bytes"], prefill["weight_bytes"]) * (1 - 1e-12)

    def test_experts_touched_count_both(self):
        model = MODELS["qwen3-30b-a3b"]
        mixed = mixed_work(model, 8, 1000, 24, 0, **BF16)
        assert mixed.weight_bytes == pytest.approx(decode_work(model, 32, 0, **BF16).weight_bytes)

    def test_no_tokens_are_no_work(self):
        for name in TIMED:
            work = mixed_work(MODELS[name], 0, 500, 0, 500, **FP8)
            assert all(value == 0 for value in every(work).values())


FORMATS = st.tuples(st.sampled_from(["bf16", "fp8", "fp4"]), st.sampled_from(["bf16", "fp8"]))


@pytest.mark.parametrize("name", TIMED)
@settings(max_examples=10)
@given(st.integers(0, 40), st.integers(0, 5000), COUNTS, COUNTS, st.integers(1, 4), FORMATS)
def test_equals_the_twin_that_walks_layer_by_layer(
    name, batch, context, chunk, before, tokens, formats
):
    model, (weights, cache) = MODELS[name], formats
    work = mixed_work(
        model, batch, context, chunk, before,
        weight_precision=weights, kv_precision=cache, tokens_per_sequence=tokens,
    )  # fmt: skip
    answers = [twin.Sequence(tokens, context, True, tokens)] * batch
    sequences = answers + [twin.Sequence(chunk, before, False, 1)] * (chunk > 0)
    assume(sequences)
    expected = twin.work(model, sequences, weights, cache)
    for part, value in every(work).items():
        assert value == pytest.approx(expected[part], rel=1e-9), part


@pytest.mark.parametrize("name", TIMED)
def test_parameters_equal_the_twin(name):
    assert parameter_count(MODELS[name]) == pytest.approx(twin.parameters(MODELS[name]), rel=1e-12)


@pytest.mark.parametrize("name", ["llama-3.1-8b", "deepseek-v4-pro", "qwen3.5-397b-a17b"])
def test_arrays_are_their_scalars(name):
    model = MODELS[name]
    batches, contexts = np.array([1, 7, 512.0])[:, None], np.array([10, 5000.0])
    grid = every(mixed_work(model, batches, contexts, 256, 100, **FP8))
    for row, batch in enumerate(batches[:, 0]):
        for column, context in enumerate(contexts):
            alone = every(mixed_work(model, batch, context, 256, 100, **FP8))
            for part in PARTS:
                assert grid[part].shape == (3, 2)
                assert grid[part][row, column] == pytest.approx(alone[part], rel=1e-12)


@given(names, st.floats(1, 512), st.floats(0, 1e5), st.floats(1, 2))
def test_work_never_shrinks_as_load_grows(name, batch, context, factor):
    model = MODELS[name]
    base = every(decode_work(model, batch, context, **FP8))
    for other in ((batch * factor, context), (batch, context * factor)):
        grown = every(decode_work(model, *other, **FP8))
        assert all(grown[part] >= base[part] * (1 - 1e-9) for part in PARTS)


@given(names, st.floats(1, 20_000), st.floats(0, 20_000), st.floats(1, 2))
def test_longer_prompts_never_cost_less(name, new, cached, factor):
    model = MODELS[name]
    base = every(prefill_work(model, new, cached, **FP8))
    for other in ((new * factor, cached), (new, cached * factor)):
        grown = every(prefill_work(model, *other, **FP8))
        assert all(grown[part] >= base[part] * (1 - 1e-9) for part in PARTS)


def test_a_model_of_unknown_dimensions_is_refused():
    model = MODELS["mistral-large-4"]
    for refused in (
        lambda: decode_work(model, 1, 1, **BF16),
        lambda: prefill_work(model, 1, **BF16),
        lambda: kv_bytes_per_token(model, "bf16"),
    ):
        with pytest.raises(CatalogError, match="cannot be timed"):
            refused()
