"""Time of a step: published sizes over published rates by hand, then parts, limits, directions."""

import pytest

from planner.physics.layout import Layout
from planner.physics.phases import step_time
from planner.physics.transformer import mixed_work, prefill_work
from tests.physics.stand_ins import (
    DEEPSEEK,
    IDEAL,
    LLAMA_8B,
    LLAMA_70B,
    MIXTRAL,
    ONE,
    PLAIN,
    SHARES,
    WHOLE,
    decode,
    h100,
    of,
    prefill,
)

EIGHT = Layout(tp=8.0)
INFINITE = float("inf")


class TestByHand:
    def test_a_decode_step_of_an_8b_model_reads_15_gb_in_4_5_ms(self):
        # 7.5 billion multiplied weights at 2 bytes over 3.35 TB/s; the cache adds a per cent.
        assert decode(IDEAL, context=0).total_s == pytest.approx(15.01e9 / 3.35e12, rel=2e-3)

    def test_a_70b_model_needs_42_ms_on_one_h100(self):
        # 139 GB of multiplied weights at 3.35 TB/s: what every introduction to decoding says.
        assert decode(IDEAL, context=0, held=LLAMA_70B).total_s == pytest.approx(0.042, rel=0.015)

    def test_a_70b_model_on_eight_h100s_answers_in_5_ms_at_best(self):
        assert decode(IDEAL, held=LLAMA_70B, layout=EIGHT).memory_s == pytest.approx(
            5.2e-3, rel=0.02
        )

    def test_a_prompt_of_1000_tokens_takes_2_flop_per_weight_and_token(self):
        # 6.98 billion weights outside the embedding and the head; attention adds 2 %.
        assert prefill(IDEAL).compute_s == pytest.approx(2 * 6.98e9 * 1000 / 989.4e12, rel=0.03)

    def test_parts_of_a_prompt_follow_each_other(self):
        # Products, then 500,500 pairs in 32 layers of 4·4096 FLOP, then 1.05 GB of the head read.
        products = 2 * 32 * 218_103_808 * 1000 / 989.4e12
        pairs, head = 500_500 * 32 * 4 * 4096 / 989.4e12, 2 * 128_256 * 4096 / 3.35e12
        assert prefill(IDEAL).total_s == pytest.approx(products + pairs + head)

    def test_overheads_of_32_layers(self):
        # 32 × 40 µs + 0.5 ms, nothing to send between chips when there is one.
        assert decode().fixed_s == pytest.approx(1.78e-3)

    def test_each_sequence_costs_the_host_its_own(self):
        apart = h100(sequence_overhead_s=10e-6)
        assert decode(apart, 100).fixed_s == pytest.approx(1.78e-3 + 100 * 10e-6)

    def test_groups_with_sequences_of_their_own_have_hosts_of_their_own(self):
        apart, none = (
            decode(h100(sequence_overhead_s=each), 100, layout=Layout(attention_dp=4.0)).fixed_s
            for each in (10e-6, 0.0)
        )
        assert apart - none == pytest.approx(25 * 10e-6)

    def test_layers_with_experts_have_gaps_of_their_own(self):
        # DeepSeek V3: 61 layers, 58 with experts; Llama: none.
        gaps = h100(expert_layer_overhead_s=100e-6)
        assert decode(gaps, held=DEEPSEEK).overhead_s == pytest.approx(
            61 * 40e-6 + 58 * 1e-4 + 5e-4
        )
        assert decode(gaps).total_s == decode().total_s

    def test_eight_chips_reduce_twice_a_layer(self):
        # 100 tokens × 4096 × 2 bytes, 2·7/8 of them over 30 % of 450 GB/s, 64 times, plus starts.
        each = 1.75 * 819_200 / 135e9 + 15e-6
        assert decode(batch=100, layout=EIGHT).fixed_s == pytest.approx(1.78e-3 + 64 * each)

    def test_experts_on_eight_chips_exchange_tokens_out_at_8_bits_and_back_at_16(self):
        # 12.5 of 100 tokens on each chip, 2048 numbers at 1 + 2 bytes, to 8 experts: each of 7
        # other chips has at least one with 1 − (7/8)⁸ = 0.6564, so 4.595 copies leave over 30 % of
        # 450 GB/s; two starts a layer, 48 layers.
        spread = Layout(attention_dp=8.0, ep=8.0)
        each = 4.595 * 12.5 * 2048 * 3 / 135e9 + 2 * 15e-6
        fixed = decode(batch=100, held=of("qwen3-30b-a3b"), layout=spread).fixed_s
        assert fixed == pytest.approx(48 * (40e-6 + each) + 0.5e-3, rel=1e-5)

    def test_each_expert_fills_up_its_last_tile(self):
        # Mixtral at batch 1: two experts of one row each, and 32 rows of nothing in each of them.
        padded = decode(h100(WHOLE, expert_padding_rows=32.0), held=MIXTRAL)
        bare = decode(h100(WHOLE), held=MIXTRAL)
        rows = 2 * 2 * 32 * 3 * 4096 * 14336 * 32
        assert padded.compute_s - bare.compute_s == pytest.approx(rows / 989.4e12)
        assert padded.peak_compute_s == bare.peak_compute_s

    def test_the_fullest_chip_is_waited_for_where_experts_are_spread(self):
        # Mixtral at batch 1: two of 8 experts in 32 layers, 3·4096·14336 numbers of 2 bytes each,
        # over 8 chips. Half as long again on the fullest.
        read_s = 32 * 2 * 3 * 4096 * 14336 * 2 / 8 / 3.35e12
        uneven = h100(WHOLE, expert_imbalance=1.5)
        cut, spread = (decode(uneven, held=MIXTRAL, layout=Layout(8.0, ep=ep)) for ep in (1, 8))
        assert spread.total_s - cut.total_s == pytest.approx(read_s / 2)

    def test_two_stages_each_do_half_and_hand_on(self):
        # One stage's half of 7.5 billion weights less the head (0.525), the head, one message.
        two = decode(IDEAL, context=0, layout=Layout(pp=2.0))
        layers, head, hand_on = (15.01e9 - 1.05e9) / 2, 1.05e9, 4096 * 2 / 450e9
        assert two.total_s == pytest.approx((layers + head) / 3.35e12 + hand_on, rel=2e-3)


class TestPeaks:
    def test_an_h100_multiplies_16_bit_weights_as_fast_as_it_reads_them_at_a_batch_of_295(self):
        # 989.4 TFLOP/s over 3.35 TB/s, 2 FLOP and 2 bytes a weight; hidden vectors add 3 %.
        step = decode(IDEAL, batch=295.34, context=0)
        assert step.compute_s == pytest.approx(step.memory_s, rel=0.04)

    def test_eight_chips_at_half_of_their_peaks_are_as_fast_as_four_at_all_of_it(self):
        half = h100(WHOLE, **dict.fromkeys(SHARES, 0.5), inside_bytes_per_s=INFINITE)
        whole = h100(WHOLE, inside_bytes_per_s=INFINITE)
        eight = prefill(half, 5000, LLAMA_70B, Layout(tp=8.0))
        four = prefill(whole, 5000, LLAMA_70B, Layout(tp=4.0))
        assert eight.compute_s == pytest.approx(four.compute_s)
        assert eight.total_s == pytest.approx(four.total_s, rel=5e-3)  # hidden vectors are on all

    def test_parts_of_different_precision_follow_each_other(self):
        # Kimi K2 in FP4 keeps attention wider: experts at 4 times the rate, the rest as before.
        fast = dict.fromkeys(("fp4", "fp8", "bf16"), 1e15) | {"fp4": 4e15}
        alike = dict.fromkeys(fast, 1e15)
        held = of("kimi-k2", "fp4")
        quick, slow = (
            prefill(h100(WHOLE, flop_per_s=rates), 1000, held).compute_s for rates in (fast, alike)
        )
        experts = 2 * 1000 * 60 * 8 * 3 * 7168 * 2048 / 1e15
        assert slow - quick == pytest.approx(0.75 * experts)


class TestLaunches:
    SLOW_HOST = h100(WHOLE, launch_layer_s=1e-3, launch_expert_layer_s=2e-3)

    def test_a_short_prompt_waits_for_32_launches(self):
        assert prefill(self.SLOW_HOST, 10).total_s == pytest.approx(32e-3)

    def test_experts_take_launches_of_their_own(self):
        assert prefill(self.SLOW_HOST, 1, MIXTRAL, EIGHT).total_s == pytest.approx(32 * 3e-3)

    def test_a_recorded_decode_step_waits_for_none(self):
        assert decode(self.SLOW_HOST, 64).total_s == decode(IDEAL, 64).total_s

    def test_a_long_prompt_hides_them(self):
        assert prefill(self.SLOW_HOST, 50_000).total_s == prefill(IDEAL, 50_000).total_s

    def test_a_chunk_beside_answers_is_launched_too(self):
        work = mixed_work(LLAMA_8B, 8, 1000, 16, 0)
        assert step_time(LLAMA_8B, self.SLOW_HOST, ONE, work).total_s == pytest.approx(32e-3)

    def test_a_slow_release_stretches_all_but_the_host(self):
        # 1.78 ms of overheads, 0.5 of them by the host: all but those take twice as long.
        slow, usual = decode(h100(slowdown=2.0)).total_s, decode().total_s
        assert slow == pytest.approx(2 * (usual - 0.5e-3) + 0.5e-3)


class TestCopiesOfCaches:
    """Per chip, 10,000 tokens more: what one chip reads more, over its 3.35 TB/s."""

    @pytest.mark.parametrize(
        ("held", "layout", "batch", "read_bytes"),
        [
            (LLAMA_70B, ONE, 1, 327_680),
            (LLAMA_70B, Layout(tp=8.0), 1, 327_680 / 8),  # 8 key-value heads: one on each chip
            (LLAMA_70B, Layout(tp=16.0), 1, 327_680 / 8),  # two chips hold each head
            (DEEPSEEK, Layout(tp=8.0), 1, 70_272),  # one latent for all heads: a copy on each
            (DEEPSEEK, Layout(attention_dp=8.0), 8, 70_272),  # its own sequence on each
            (DEEPSEEK, Layout(tp=2.0, attention_dp=4.0), 8, 2 * 70_272),
            (DEEPSEEK, Layout(tp=2.0, pp=2.0), 8, 8 * 70_272 / 2),
        ],
    )
    def test_latents_are_not_cut_and_grouped_heads_up_to_their_number(
        self, held, layout, batch, read_bytes
    ):
        near, far = (decode(IDEAL, batch, n, held, layout).memory_s for n in (10_000, 20_000))
        assert far - near == pytest.approx(10_000 * read_bytes / 3.35e12, rel=1e-9)


class TestWhatBinds:
    def test_reading_a_prompt_is_bound_by_arithmetic_writing_by_memory(self):
        prompt, answer = prefill(PLAIN, 2000), decode()
        assert prompt.compute_s > 5 * prompt.memory_s
        assert answer.memory_s > 10 * answer.compute_s

    def test_a_batch_of_64_shares_one_read_of_the_weights(self):
        one, many = decode(batch=1, context=200), decode(batch=64, context=200)
        assert many.total_s < 1.5 * one.total_s

    def test_eight_bit_weights_and_cache_halve_the_read(self):
        # The head and the embedding stay at 16 bits: 0.53 of 7.5 billion weights.
        wide, narrow = decode(), decode(held=of("llama-3.1-8b", "fp8", "fp8"))
        assert 0.5 < narrow.memory_s / wide.memory_s < 0.55

    def test_eight_bit_arithmetic_halves_all_of_a_prompt_but_its_attention(self):
        wide, narrow = prefill(tokens=8000), prefill(tokens=8000, held=of("llama-3.1-8b", "fp8"))
        attention = prefill_work(LLAMA_8B, 8000).attention_flop / (0.6 * 989.4e12)
        linear = wide.compute_s - attention
        assert narrow.compute_s == pytest.approx(attention + linear / 2, rel=2e-3)

    def test_a_chunk_beside_running_answers_reads_the_weights_once(self):
        both = mixed_work(LLAMA_8B, 64, 1000, 512, 500)
        mixed = step_time(LLAMA_8B, PLAIN, ONE, both).total_s
        alone = step_time(LLAMA_8B, PLAIN, ONE, prefill_work(LLAMA_8B, 512, 500)).total_s
        assert decode(batch=64).total_s < mixed < decode(batch=64).total_s + alone
