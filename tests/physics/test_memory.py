"""What fits on a chip: weights and caches by hand, copies, and room for requests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.physics.layout import Layout
from planner.physics.memory import chip_cache_bytes, chip_weight_bytes, places
from planner.physics.profile import kv_bytes, stacked
from tests.physics.stand_ins import DEEPSEEK, LLAMA_70B, ONE, of

QWEN_NEXT, GPT_OSS = of("qwen3-next-80b-a3b"), of("gpt-oss-120b", "mxfp4")
WHOLE = {"memory_frac": 1.0, "free_frac": 1.0, "reserve_bytes": 0.0}
HELD = [LLAMA_70B, DEEPSEEK, QWEN_NEXT, GPT_OSS, of("deepseek-v4-pro", "fp8")]
LAYOUTS = st.builds(
    Layout, *[st.sampled_from([1.0, 2.0, 8.0])] * 2, st.just(1.0), st.sampled_from([1.0, 2.0])
)


class TestWeights:
    def test_a_70b_model_on_eight_chips_is_an_eighth_on_each(self):
        # 70.55 billion at 16 bits.
        eight = chip_weight_bytes(LLAMA_70B, Layout(tp=8.0))
        assert eight == pytest.approx(2 * 70.55e9 / 8, rel=1e-3)

    def test_each_group_holds_attention_and_shares_the_experts(self):
        # DeepSeek V3 on 8 chips: 58 × 256 experts of 3·7168·2048 bytes once, the rest on each.
        experts = 58 * 256 * 3 * 7168 * 2048
        rest = float(chip_weight_bytes(DEEPSEEK, ONE)) - experts
        apart = chip_weight_bytes(DEEPSEEK, Layout(attention_dp=8.0, ep=8.0))
        assert apart == pytest.approx(rest + experts / 8)
        assert 15e9 < rest < 25e9

    @given(st.sampled_from(HELD), LAYOUTS)
    def test_all_chips_hold_the_model_at_least_once(self, held, layout):
        together = layout.n_chips * chip_weight_bytes(held, layout)
        assert together >= held.weight_bytes * (1 - 1e-12)
        if layout.attention_dp == 1:
            assert together == pytest.approx(held.weight_bytes)


class TestCaches:
    """Bytes of one sequence of 10,000 tokens on each chip of its group."""

    @pytest.mark.parametrize(
        ("held", "layout", "per_token"),
        [
            (LLAMA_70B, ONE, 327_680),
            (LLAMA_70B, Layout(tp=8.0), 327_680 / 8),
            (LLAMA_70B, Layout(tp=16.0), 327_680 / 8),  # 8 heads: two chips hold each
            (LLAMA_70B, Layout(tp=4.0, pp=2.0), 327_680 / 8),
            (DEEPSEEK, Layout(tp=8.0), 70_272),  # a copy of the latent on every chip
            (DEEPSEEK, Layout(attention_dp=8.0), 70_272),
            (DEEPSEEK, Layout(tp=8.0, pp=2.0), 70_272 / 2),
        ],
    )
    def test_of_ten_thousand_tokens(self, held, layout, per_token):
        assert chip_cache_bytes(held, layout, 10_000) == pytest.approx(10_000 * per_token)

    def test_a_state_is_cut_over_its_chips(self):
        # Qwen3-Next: 39,518,208 bytes of state; 2 key-value heads share 24,576 bytes a token.
        four = chip_cache_bytes(QWEN_NEXT, Layout(tp=4.0), 1000)
        assert four == pytest.approx(39_518_208 / 4 + 24_576_000 / 2)

    @given(st.sampled_from(HELD), st.floats(1, 1e6), LAYOUTS)
    def test_one_chip_holds_all_and_more_chips_at_least_their_share(self, held, context, layout):
        whole = kv_bytes(held, context)
        assert chip_cache_bytes(held, ONE, context) == pytest.approx(whole)
        group = chip_cache_bytes(held, layout, context) * layout.tp * layout.pp
        assert group >= whole * (1 - 1e-12)


class TestPlaces:
    def test_a_70b_model_on_eight_h100s_by_hand(self):
        # Per chip 80 GB × 0.9 − 17.64 GB of weights − 2 GB = 52.36 GB, of which 0.95 for caches;
        # 4096 tokens × 40,960 bytes = 167.8 MB: 296.5 requests.
        found = places(
            LLAMA_70B,
            Layout(tp=8.0),
            80e9,
            4096,
            memory_frac=0.9,
            free_frac=0.95,
            reserve_bytes=2e9,
        )
        assert found == pytest.approx(296.5, rel=1e-3)

    def test_groups_have_places_of_their_own(self):
        # Eight H200s, DeepSeek V3 at 8 bits: each chip holds its own sequences of 70,272 a token.
        spread = Layout(attention_dp=8.0, ep=8.0)
        free = 141e9 - float(chip_weight_bytes(DEEPSEEK, spread))
        found = places(DEEPSEEK, spread, 141e9, 5000, **WHOLE)
        assert found == pytest.approx(8 * free / (5000 * 70_272))

    def test_latents_cut_over_chips_that_hold_copies_leave_fewer_places(self):
        cut = places(DEEPSEEK, Layout(tp=8.0, ep=8.0), 141e9, 5000, **WHOLE)
        spread = places(DEEPSEEK, Layout(attention_dp=8.0, ep=8.0), 141e9, 5000, **WHOLE)
        assert 0 < 4 * cut < spread

    def test_weights_that_do_not_fit_leave_less_than_none(self):
        assert places(LLAMA_70B, ONE, 80e9, 1000, **WHOLE) < 0

    def test_twice_the_context_leaves_half_the_places_but_for_windows(self):
        # gpt-oss: half of its layers keep 128 tokens at most, which is little beside 10,000.
        near, far = (places(GPT_OSS, ONE, 80e9, n, **WHOLE) for n in (10_000, 20_000))
        assert 0.5 < far / near < 0.51

    @given(
        st.sampled_from(HELD), st.floats(1, 1e5), st.floats(1, 3), LAYOUTS,
        st.sampled_from(["memory_bytes", "context_tokens", "memory_frac", "reserve_bytes"]),
    )  # fmt: skip
    def test_more_memory_never_holds_fewer_and_longer_requests_never_more(
        self, held, context, factor, layout, name
    ):
        base = {"memory_bytes": 1e12, "context_tokens": context, "reserve_bytes": 1e9}
        base |= {"memory_frac": 0.3, "free_frac": 0.9}
        grown = places(held, layout, **(base | {name: base[name] * factor}))
        better = name.startswith("memory")
        now = places(held, layout, **base)
        if now > 0:
            assert grown >= now * (1 - 1e-12) if better else grown <= now * (1 + 1e-12)


def test_arrays_are_their_scalars():
    which = np.arange(30) % len(HELD)
    layout = Layout(tp=2.0 ** (which % 4), attention_dp=1.0 + which % 2, pp=1.0 + which % 3)
    contexts, memory = 100.0 * np.arange(1, 31), 1e11 * (1 + which)
    together = places(stacked(HELD, which), layout, memory, contexts, **WHOLE)
    for place, model in enumerate(which):
        own = Layout(layout.tp[place], layout.attention_dp[place], 1.0, layout.pp[place])
        alone = places(HELD[model], own, memory[place], contexts[place], **WHOLE)
        assert together[place] == pytest.approx(float(alone), rel=1e-14)
