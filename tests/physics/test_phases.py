"""Time of a step: published sizes over published rates by hand, then directions and limits."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.facts.catalog import load_catalog
from planner.physics.phases import step_time
from planner.physics.roofline import Machine
from planner.physics.transformer import decode_work, mixed_work, prefill_work

MODELS = load_catalog().models
LLAMA_8B, LLAMA_70B = MODELS["llama-3.1-8b"], MODELS["llama-3.3-70b"]
BF16 = {"weight_precision": "bf16", "kv_precision": "bf16"}
FP8 = {"weight_precision": "fp8", "kv_precision": "fp8"}

H100 = Machine(
    n_chips=np.array(1.0),
    flop_per_s=np.array(989.4e12),
    wide_flop_per_s=np.array(989.4e12),
    memory_bytes_per_s=np.array(3.35e12),
    memory_bytes=np.array(80e9),
    link_bytes_per_s=np.array(450e9),
    compute_frac=np.array(1.0),
    memory_frac=np.array(1.0),
    link_frac=np.array(1.0),
    link_latency_s=np.array(0.0),
    layer_overhead_s=np.array(0.0),
    iteration_overhead_s=np.array(0.0),
    roof_order=np.array(np.inf),
)
USUAL = replace(
    H100,
    compute_frac=np.array(0.6),
    memory_frac=np.array(0.8),
    link_frac=np.array(0.3),
    link_latency_s=np.array(15e-6),
    layer_overhead_s=np.array(40e-6),
    iteration_overhead_s=np.array(0.5e-3),
    roof_order=np.array(3.0),
)
NARROW = replace(USUAL, flop_per_s=np.array(1978.9e12))
BATCHES = np.arange(1, 257)


def decode(machine, batch=1, context=1000, model=LLAMA_8B, precisions=BF16):
    return step_time(model, machine, decode_work(model, batch, context, **precisions), batch)


def prefill(machine, tokens=1000, model=LLAMA_8B, precisions=BF16):
    return step_time(model, machine, prefill_work(model, tokens, **precisions), tokens)


class TestByHand:
    def test_a_decode_step_of_an_8b_model_reads_15_gb_in_4_5_ms(self):
        # 7.5 billion multiplied weights at 2 bytes over 3.35 TB/s; the cache adds a per cent.
        assert decode(H100, context=0).total_s == pytest.approx(15.01e9 / 3.35e12, rel=2e-3)

    def test_a_prompt_of_1000_tokens_takes_2_flop_per_weight_and_token(self):
        # 6.98 billion weights outside the embedding and the head; attention adds 2 %.
        flop = 2 * 6.98e9 * 1000
        assert prefill(H100).total_s == pytest.approx(flop / 989.4e12, rel=0.03)

    def test_overheads_of_32_layers(self):
        # 32 × 40 µs + 0.5 ms, nothing to send between chips when there is one.
        assert decode(USUAL).fixed_s == pytest.approx(1.78e-3)

    def test_eight_chips_reduce_twice_a_layer(self):
        # 100 tokens × 4096 × 2 bytes, 2·7/8 of them over 30 % of 450 GB/s, 64 times, plus starts.
        each = 1.75 * 819_200 / 135e9 + 15e-6
        eight = replace(USUAL, n_chips=np.array(8.0))
        assert decode(eight, batch=100).fixed_s == pytest.approx(1.78e-3 + 64 * each)

    def test_experts_on_eight_chips_exchange_tokens_out_at_8_bits_and_back_at_16(self):
        # 100 tokens to 8 of 128 experts × 2048 numbers: 1.638 MB out, 3.277 MB back, 7/64 of each
        # from every chip over 30 % of 450 GB/s; two starts a layer, 48 layers.
        model = MODELS["qwen3-30b-a3b"]
        each = 7 / 64 * 3 * 1_638_400 / 135e9 + 2 * 15e-6
        eight = replace(USUAL, n_chips=np.array(8.0))
        fixed = decode(eight, batch=100, model=model).fixed_s
        assert fixed == pytest.approx(48 * (40e-6 + each) + 0.5e-3)

    def test_a_70b_model_on_eight_h100s_answers_in_5_ms_at_best(self):
        eight = replace(H100, n_chips=np.array(8.0))
        assert decode(eight, model=LLAMA_70B).memory_s == pytest.approx(5.2e-3, rel=0.02)


class TestWhatBinds:
    def test_reading_a_prompt_is_bound_by_arithmetic_writing_by_memory(self):
        prompt, answer = prefill(USUAL, 2000), decode(USUAL)
        assert prompt.compute_s > 5 * prompt.memory_s
        assert answer.memory_s > 10 * answer.compute_s

    def test_a_batch_of_64_shares_one_read_of_the_weights(self):
        one, many = decode(USUAL, batch=1, context=200), decode(USUAL, batch=64, context=200)
        assert many.total_s < 1.5 * one.total_s

    def test_eight_bit_weights_and_cache_halve_the_read(self):
        # The head and the embedding stay at 16 bits: 0.53 of 7.5 billion weights.
        wide, narrow = decode(USUAL), decode(NARROW, precisions=FP8)
        assert 0.5 < narrow.memory_s / wide.memory_s < 0.55

    def test_eight_bit_arithmetic_halves_all_of_a_prompt_but_its_attention(self):
        wide, narrow = prefill(USUAL, 8000), prefill(NARROW, 8000, precisions=FP8)
        attention = prefill_work(LLAMA_8B, 8000, **BF16).attention_flop / (0.6 * 989.4e12)
        linear = wide.compute_s - attention
        assert narrow.compute_s == pytest.approx(attention + linear / 2, rel=2e-3)

    def test_a_chunk_beside_running_answers_reads_the_weights_once(self):
        batch, chunk = 64, 512
        both = mixed_work(LLAMA_8B, batch, 1000, chunk, 500, **BF16)
        mixed = step_time(LLAMA_8B, USUAL, both, batch + chunk).total_s
        alone = prefill_work(LLAMA_8B, chunk, 500, **BF16)
        apart = decode(USUAL, batch).total_s + step_time(LLAMA_8B, USUAL, alone, chunk).total_s
        assert decode(USUAL, batch).total_s < mixed < apart


class TestParts:
    @given(st.integers(1, 512), st.integers(0, 20_000))
    def test_a_step_is_its_roof_and_its_overheads(self, batch, context):
        step = decode(USUAL, batch, context)
        roof = step.total_s - step.fixed_s
        slower = max(step.compute_s, step.memory_s)
        assert slower * (1 - 1e-9) <= roof <= (step.compute_s + step.memory_s) * (1 + 1e-9)

    def test_time_scales_as_all_rates_do(self):
        rates = {name: getattr(USUAL, name) / 2 for name in RATES}
        waits = {name: getattr(USUAL, name) * 2 for name in WAITS}
        slow = replace(USUAL, n_chips=np.array(4.0), **rates, **waits)
        fast = replace(USUAL, n_chips=np.array(4.0))
        assert decode(slow, 32).total_s == pytest.approx(2 * decode(fast, 32).total_s, rel=1e-12)


RATES = ("flop_per_s", "wide_flop_per_s", "memory_bytes_per_s", "link_bytes_per_s")
WAITS = ("link_latency_s", "layer_overhead_s", "iteration_overhead_s")
SHARES = ("compute_frac", "memory_frac", "link_frac")


class TestDirections:
    @pytest.mark.parametrize("name", [*RATES, *SHARES])
    def test_a_better_machine_is_never_slower(self, name):
        pair = replace(USUAL, n_chips=np.array(2.0))
        better = replace(pair, **{name: getattr(pair, name) * 1.5})
        for step in (decode, prefill):
            assert step(better).total_s <= step(pair).total_s

    @given(st.floats(1e11, 1e13), st.floats(1, 4), st.integers(1, 300))
    def test_bandwidth_never_slows_decode(self, bytes_per_s, factor, batch):
        slow = replace(USUAL, memory_bytes_per_s=np.array(bytes_per_s))
        fast = replace(USUAL, memory_bytes_per_s=np.array(bytes_per_s * factor))
        assert decode(fast, batch).total_s <= decode(slow, batch).total_s

    @settings(max_examples=30)
    @given(st.integers(1, 300), st.integers(0, 30_000), st.integers(0, 300), st.integers(0, 9000))
    def test_more_work_never_takes_less_time(self, batch, context, more, longer):
        base = decode(USUAL, batch, context).total_s
        assert decode(USUAL, batch + more, context + longer).total_s >= base

    @pytest.mark.parametrize("name", ["llama-3.3-70b", "deepseek-v3", "gpt-oss-120b"])
    def test_each_token_is_cheaper_in_a_larger_batch(self, name):
        times = decode(USUAL, BATCHES, model=MODELS[name], precisions=FP8).total_s
        assert np.all(np.diff(times) > 0)
        assert np.all(np.diff(times / BATCHES) < 0)


def test_arrays_are_their_scalars():
    counts, batches = np.array([1.0, 2, 8]), np.array([1.0, 7, 256])
    wide = replace(USUAL, n_chips=counts).column()
    grid = decode(wide, batches)
    for row, n in enumerate(counts):
        for column, batch in enumerate(batches):
            alone = decode(replace(USUAL, n_chips=n), batch)
            for part in fields(alone):
                value = np.broadcast_to(getattr(grid, part.name), (3, 3))[row, column]
                assert value == pytest.approx(float(getattr(alone, part.name)), rel=1e-12)
