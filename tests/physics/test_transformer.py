"""Work of a step: by hand first, then limits, additivity, and the layer-by-layer twin."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planner.facts.catalog import load_catalog
from planner.physics.profile import profile
from planner.physics.transformer import decode_work, mixed_work, prefill_work
from planner.physics.weights import active_parameter_count, parameter_count, weight_bytes
from tests.oracle import transformer_twin as twin

MODELS = load_catalog().models
TIMED = sorted(name for name, model in MODELS.items() if not model.missing)
PARTS = (
    "linear_flop", "attention_flop", "weight_bytes", "kv_read_bytes", "kv_write_bytes",
    "activation_bytes",
)  # fmt: skip
COUNTS = st.integers(0, 300)
names = st.sampled_from(TIMED)


def of(name, weights="bf16", kv="bf16"):
    return profile(MODELS[name], weights, kv)


def narrow(name):
    return of(name, "fp8", "fp8")


def every(work):
    return {part: getattr(work, part) for part in PARTS}


class TestPrefill:
    @pytest.mark.parametrize("name", TIMED)
    def test_a_short_prompt_costs_two_flop_per_active_weight_and_token(self, name):
        model = MODELS[name]
        work = prefill_work(of(name), 128)
        head = 2 * 127 * model.vocab * model.hidden
        assert work.linear_flop + head == pytest.approx(128 * 2 * active_parameter_count(model))
        assert work.attention_flop < 0.1 * work.linear_flop

    def test_llama_8b_of_1000_tokens_by_hand(self):
        work = prefill_work(of("llama-3.1-8b"), 1000)
        layer = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336
        assert work.linear_flop == 2 * (1000 * 32 * layer + 128256 * 4096)
        # Queries see 1, 2 … 1000 tokens: 500,500 pairs; 32 heads of 128, scores and values.
        assert work.attention_flop == 32 * 500_500 * 2 * 2 * 32 * 128
        assert work.weight_bytes == 2 * (32 * layer + 128256 * 4096)
        assert work.kv_write_bytes == 1000 * 131_072

    def test_a_cached_prefix_costs_attention_but_no_weights(self):
        held = of("llama-3.1-8b")
        fresh, cached = (prefill_work(held, 100, prefix) for prefix in (0, 900))
        assert cached.linear_flop == fresh.linear_flop
        assert cached.attention_flop == pytest.approx(
            prefill_work(held, 1000).attention_flop - prefill_work(held, 900).attention_flop
        )

    @given(names, st.lists(st.integers(1, 5000), min_size=1, max_size=6), st.integers(0, 50_000))
    def test_chunks_add_up_to_the_prompt(self, name, chunks, prefix):
        held = narrow(name)
        whole = prefill_work(held, sum(chunks), prefix)
        starts = np.cumsum([prefix, *chunks[:-1]])
        ends = np.arange(len(chunks)) == len(chunks) - 1
        parts = prefill_work(held, np.array(chunks), starts, sampled=ends)
        assert parts.linear_flop.sum() == pytest.approx(whole.linear_flop, rel=1e-12)
        assert parts.attention_flop.sum() == pytest.approx(whole.attention_flop, rel=1e-12)

    def test_beyond_the_window_each_token_costs_the_same(self):
        held = of("gpt-oss-120b")
        flop = [prefill_work(held, 1, n).attention_flop for n in (1000, 2000, 3000)]
        full = 18 * 2 * 2 * 64 * 64 * 1000
        assert np.diff(flop) == pytest.approx([full, full])

    def test_latent_attention_is_expanded_in_prefill_and_absorbed_in_decode(self):
        # DeepSeek V3, one query over 1001 tokens: 128 heads; 192 + 128 against 576 + 512.
        held = of("deepseek-v3")
        prefill = prefill_work(held, 1, 1000)
        decode = decode_work(held, 1, 1000)
        assert prefill.attention_flop == 61 * 1001 * 2 * 128 * (192 + 128)
        assert decode.attention_flop == 61 * 1001 * 2 * 128 * (576 + 512)
        assert prefill.linear_flop == decode.linear_flop

    def test_two_prompts_share_one_read_of_the_weights(self):
        held = of("llama-3.1-8b")
        one, two = (prefill_work(held, 500, sequences=n) for n in (1, 2))
        assert two.flop == 2 * one.flop
        assert two.weight_bytes == one.weight_bytes
        assert two.kv_write_bytes == 2 * one.kv_write_bytes


class TestDecode:
    def test_batch_1_of_a_dense_model_reads_every_weight_but_the_input_table(self):
        model = MODELS["llama-3.1-8b"]
        work = decode_work(of("llama-3.1-8b"), 1, 1000)
        assert work.weight_bytes == weight_bytes(model, "bf16") - 2 * 128256 * 4096
        assert work.linear_flop == 2 * active_parameter_count(model)
        assert work.kv_read_bytes == 1001 * 131_072
        assert work.kv_write_bytes == 131_072

    @pytest.mark.parametrize("name", TIMED)
    def test_batch_1_reads_the_active_weights(self, name):
        model = MODELS[name]
        work = decode_work(of(name), 1, 1000)
        assert work.weight_bytes == pytest.approx(2 * active_parameter_count(model))
        assert work.linear_flop == pytest.approx(2 * active_parameter_count(model))

    def test_a_large_batch_reads_every_expert(self):
        work = decode_work(narrow("deepseek-v3"), 1e5, 1000)
        table, whole = 2 * 129280 * 7168, weight_bytes(MODELS["deepseek-v3"], "fp8")
        assert work.weight_bytes == pytest.approx(whole - table)

    def test_sparse_attention_reads_what_the_indexer_picks_and_all_index_keys(self):
        # DeepSeek V3.2 at 10,000 tokens: 2048 latents of 576, 10,001 index keys of 132 bytes.
        work = decode_work(of("deepseek-v3.2"), 1, 10_000)
        assert work.kv_read_bytes == 61 * (2048 * 576 * 2 + 10_001 * 132)
        absorbed, index = 2 * 128 * (576 + 512), 2 * 64 * 128
        assert work.attention_flop == 61 * (2048 * absorbed + 10_001 * index)

    def test_compressed_attention_reads_a_window_picked_entries_and_index_keys(self):
        # DeepSeek V4 Pro at 79,999: 30 layers 128 + 1024 + 20,000 keys; 31 layers 128 + 625.
        work = decode_work(of("deepseek-v4-pro"), 1, 79_999)
        assert work.kv_read_bytes == 2 * (
            30 * (512 * (128 + 1024) + 128 * 20_000) + 31 * 512 * (128 + 625)
        )

    def test_linear_attention_moves_its_state_whatever_the_context(self):
        # Qwen3-Next: 12 layers of 2·2·256 numbers a token beside 39,518,208 bytes of state.
        work = decode_work(of("qwen3-next-80b-a3b"), 1, [0, 999])
        assert work.kv_read_bytes == pytest.approx([39_518_208 + 24_576, 39_518_208 + 24_576_000])
        assert work.kv_write_bytes == pytest.approx(2 * [39_518_208 + 24_576])

    def test_verifying_drafts_reads_the_cache_once(self):
        held = of("llama-3.1-8b")
        plain, three = (decode_work(held, 8, 999, tokens_per_sequence=n) for n in (1, 3))
        assert three.linear_flop == 3 * plain.linear_flop
        assert three.weight_bytes == plain.weight_bytes
        assert three.kv_read_bytes == 8 * 1002 * 131_072

    def test_a_mixed_checkpoint_multiplies_each_part_in_its_own_precision(self):
        # Kimi K2: 60 layers with 8 experts of 3·7168·2048 a token; only those are narrow.
        experts = 2 * 60 * 8 * 3 * 7168 * 2048
        assert decode_work(of("kimi-k2", "fp4", "fp8"), 1, 0).expert_flop_at == {"fp4": experts}
        widened = decode_work(of("kimi-k2", "int4", "fp8"), 1, 0)
        assert widened.expert_flop_at == {"bf16": experts}
        assert "fp4" not in widened.fixed_flop_at


class TestParts:
    """What a step time is built from: parts, and the streams of the cache apart."""

    def test_the_head_is_apart_from_the_layers(self):
        work = decode_work(of("llama-3.1-8b"), 3, 0)
        assert work.head_flop == 2 * 3 * 128256 * 4096
        assert work.head_bytes == 2 * 128256 * 4096
        assert work.expert_bytes == 0

    def test_a_chunk_before_the_end_of_its_prompt_needs_no_head(self):
        work = prefill_work(of("llama-3.1-8b"), 512, sampled=0)
        assert work.head_flop == work.head_bytes == 0

    def test_answers_and_chunks_attend_apart(self):
        held = of("llama-3.1-8b")
        answers, chunk = mixed_work(held, 8, 1000, 256, 100).attending
        assert answers == decode_work(held, 8, 1000).attending[0]
        assert chunk == prefill_work(held, 256, 100).attending[0]

    def test_only_chunks_are_prompt_tokens(self):
        work = mixed_work(of("llama-3.1-8b"), 8, 1000, 256, 100, chunks=2)
        assert (work.tokens, work.prompt_tokens, work.sequences) == (8 + 512, 512, 10)
        assert decode_work(of("llama-3.1-8b"), 8, 1000).prompt_tokens == 0

    def test_rows_of_experts_and_experts_that_have_any(self):
        # Qwen3-30B: 8 of 128 experts; two tokens share 0.5 of 8 on average.
        work = decode_work(of("qwen3-30b-a3b"), 2, 0)
        assert work.expert_rows == 16
        assert work.experts == pytest.approx(128 * (1 - (120 / 128) ** 2))
        assert decode_work(of("llama-3.1-8b"), 2, 0).experts == 0

    def test_padding_costs_each_expert_its_rows(self):
        # One token, 8 experts of one row each: 31 more make 32.
        assert decode_work(of("qwen3-30b-a3b"), 1, 0).padded(31.0) == pytest.approx(32)
        assert decode_work(of("qwen3-30b-a3b"), 1, 0).padded(0.0) == 1
        assert decode_work(of("llama-3.1-8b"), 1, 0).padded(31.0) == 1

    def test_index_keys_are_a_stream_that_one_chip_holds(self):
        # DeepSeek V3.2 at 9,999: latents of 576 numbers, index keys of 132 bytes.
        work = decode_work(of("deepseek-v3.2"), 1, 9_999)
        assert work.attending[0].read_bytes == (61 * 2048 * 576 * 2, 61 * 10_000 * 132)
        assert work.holders == (1, 1)
        assert decode_work(of("llama-3.1-70b"), 1, 0).holders == (8,)


class TestMixed:
    @given(names, COUNTS, COUNTS, COUNTS, COUNTS)
    def test_all_but_the_weights_is_the_sum_of_both(self, name, batch, context, chunk, before):
        held = narrow(name)
        mixed = every(mixed_work(held, batch, context, chunk, before))
        decode = every(decode_work(held, batch, context))
        prefill = every(prefill_work(held, chunk, before))
        for part in set(PARTS) - {"weight_bytes"}:
            assert mixed[part] == pytest.approx(decode[part] + prefill[part], rel=1e-12)
        shared = mixed["weight_bytes"]
        assert shared <= (decode["weight_bytes"] + prefill["weight_bytes"]) * (1 + 1e-12)
        assert shared >= max(decode["weight_bytes"], prefill["weight_bytes"]) * (1 - 1e-12)

    def test_experts_touched_count_both(self):
        held = of("qwen3-30b-a3b")
        mixed = mixed_work(held, 8, 1000, 24, 0)
        assert mixed.weight_bytes == pytest.approx(decode_work(held, 32, 0).weight_bytes)

    def test_no_tokens_are_no_work(self):
        for name in TIMED:
            work = mixed_work(narrow(name), 0, 500, 0, 500)
            assert all(value == 0 for value in every(work).values())


FORMATS = st.tuples(st.sampled_from(["bf16", "fp8", "fp4"]), st.sampled_from(["bf16", "fp8"]))


@pytest.mark.parametrize("name", TIMED)
@settings(max_examples=10)
@given(st.integers(0, 40), st.integers(0, 5000), COUNTS, COUNTS, st.integers(1, 4), FORMATS)
def test_equals_the_twin_that_walks_layer_by_layer(
    name, batch, context, chunk, before, tokens, formats
):
    model, (weights, cache) = MODELS[name], formats
    held = profile(model, weights, cache)
    work = mixed_work(held, batch, context, chunk, before, tokens_per_sequence=tokens)
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
    held = narrow(name)
    batches, contexts = np.array([1, 7, 512.0])[:, None], np.array([10, 5000.0])
    grid = every(mixed_work(held, batches, contexts, 256, 100))
    for row, batch in enumerate(batches[:, 0]):
        for column, context in enumerate(contexts):
            alone = every(mixed_work(held, batch, context, 256, 100))
            for part in PARTS:
                assert grid[part].shape == (3, 2)
                assert grid[part][row, column] == pytest.approx(alone[part], rel=1e-12)


@given(names, st.floats(1, 512), st.floats(0, 1e5), st.floats(1, 2))
def test_work_never_shrinks_as_load_grows(name, batch, context, factor):
    held = narrow(name)
    base = every(decode_work(held, batch, context))
    for other in ((batch * factor, context), (batch, context * factor)):
        grown = every(decode_work(held, *other))
        assert all(grown[part] >= base[part] * (1 - 1e-9) for part in PARTS)


@given(names, st.floats(1, 20_000), st.floats(0, 20_000), st.floats(1, 2))
def test_longer_prompts_never_cost_less(name, new, cached, factor):
    held = narrow(name)
    base = every(prefill_work(held, new, cached))
    for other in ((new * factor, cached), (new, cached * factor)):
        grown = every(prefill_work(held, *other))
        assert all(grown[part] >= base[part] * (1 - 1e-9) for part in PARTS)
