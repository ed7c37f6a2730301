"""Power of a chip: published draws from measured rates, then what activity and a cap may do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.facts.catalog import load_catalog
from planner.physics.power import activity_frac, chip_draw_w, harmless_cap_frac, work_rate

CATALOG = load_catalog()
NAMES = ("memory_j_per_byte", "compute_weight", "expert_order")
FITTED = {name: CATALOG.calibration.numbers[name].whole.value for name in NAMES}
BEND = CATALOG.number("power.bend_order").value
BY_HAND = {"memory_j_per_byte": 2e-10, "compute_weight": 3.0, "expert_order": 0.25}
PUBLISHED = {
    name.removeprefix("power."): each for name, each in CATALOG.numbers.items() if "power." in name
}

LLAMA_2_70B = 2 * 68.7e9
"""Bytes that a step reads at 16 bits, and FLOP of a token: all weights but the input table."""

A100 = {"idle_w": 63, "tdp_w": 400}
H100 = {"idle_w": 75, "tdp_w": 700}
SHARES = st.floats(0, 1)
RATES = st.floats(0, 1e3)
WATTS = st.floats(1, 2000)


def draw_w(compute_util_frac, moved_bytes_per_s, idle_w, tdp_w, n_experts=0):
    span = tdp_w - idle_w
    rate = work_rate(compute_util_frac, moved_bytes_per_s, span, n_experts, **FITTED)
    return chip_draw_w(idle_w, tdp_w, activity_frac(rate, BEND))


def token_w(chips, tpot_s, peak_flop_per_s, **chip):
    """Draw while a single request of Llama 2 70B writes, from the time that a token took."""
    per_s = LLAMA_2_70B / chips / tpot_s
    return draw_w(per_s / peak_flop_per_s, per_s, **chip)


class TestSplitwise:
    """Artefact of Splitwise (ISCA 2024): watts per GPU, and the times measured beside them."""

    @pytest.mark.parametrize("chip", [A100, H100])
    def test_idle(self, chip):
        assert draw_w(0, 0, **chip) == chip["idle_w"]

    @pytest.mark.parametrize(
        ("chips", "tpot_s", "name"),
        [
            (2, 0.0549, "decode_llama2_70b_tp2_frac"),
            (4, 0.0450, "decode_llama2_70b_tp4_frac"),
            (8, 0.0449, "decode_llama2_70b_tp8_frac"),
        ],
    )
    def test_an_a100_decodes_at_43_to_79_percent_of_tdp(self, chips, tpot_s, name):
        # Averages of whole requests of 512 tokens, prompt included: ours, of tokens alone, are some
        # 10 % low on two chips and a quarter on eight, whose rate explains less of their draw.
        share = token_w(chips, tpot_s, 312e12, **A100) / 400
        published = PUBLISHED["measured_a100." + name].value
        assert share == pytest.approx(published, rel=0.26)
        assert share < published

    def test_the_token_draw_of_either_chip_on_a_pair(self):
        # 250 W and 380 W; their constants do not tell how many chips share a model.
        a100, h100 = token_w(2, 0.0549, 312e12, **A100), token_w(2, 0.0370, 989.4e12, **H100)
        assert a100 == pytest.approx(PUBLISHED["splitwise_constants.a100_token_w"].value, rel=0.15)
        assert h100 == pytest.approx(PUBLISHED["splitwise_constants.h100_token_w"].value, rel=0.15)

    @pytest.mark.parametrize(
        ("chip", "seconds", "peak", "name"),
        [(A100, 6.633, 312e12, "a100_prompt_w"), (H100, 2.398, 989.4e12, "h100_prompt_w")],
    )
    def test_prompts_draw_nearly_all_of_tdp(self, chip, seconds, peak, name):
        # 32 prompts of 512 tokens on a pair: 0.54 and 0.47 of peak. Published is the highest
        # reading, ours a mean.
        util = 32 * 512 * LLAMA_2_70B / 2 / seconds / peak
        published = PUBLISHED["splitwise_constants." + name].value
        assert draw_w(util, 0, **chip) == pytest.approx(published, rel=0.15)
        assert draw_w(util, 0, **chip) < chip["tdp_w"]

    def test_half_power_is_felt_by_a_prompt_machine_and_hardly_by_a_token_machine(self):
        # Splitwise caps 700 to 350 W: almost nothing for decode, a lot for prompts. On four or
        # eight chips decode stays below it; on two it binds a little. Prompts here keep 0.55 of
        # peak arithmetic and 0.15 of bandwidth.
        for chips, tpot_s in ((4, 0.0297), (8, 0.0298)):
            assert token_w(chips, tpot_s, 989.4e12, **H100) < 350
        assert 350 / token_w(2, 0.0370, 989.4e12, **H100) > 0.8
        assert 350 / draw_w(0.55, 0.15 * 3.35e12, **H100) < 0.55


class TestOtherPublished:
    def test_a_stress_run_saturates(self):
        # HPL draws 696 of 700 W on an H100 that idles at 72.5 W (arXiv 2604.07345).
        assert draw_w(0.9, 0.6 * 3.35e12, 72.5, 700) == pytest.approx(696, rel=0.03)

    def test_a_byte_costs_what_memory_and_the_way_to_it_cost(self):
        # 20 to 30 pJ a bit from DRAM to the caches of a GPU.
        published = PUBLISHED["energy.dram_to_l2_j_per_bit"]
        assert published.low <= FITTED["memory_j_per_byte"] / 8 <= published.high


class TestWork:
    def test_by_hand(self):
        # 0.2 nJ × 1 TB/s = 200 W of 500; 0.2 of peak arithmetic, which weighs three times.
        assert work_rate(0.2, 1e12, 500, 0, **BY_HAND) == pytest.approx(0.4 + 0.6)

    def test_sixteen_experts_keep_twice_as_much_awake(self):
        # 16 to the power of ¼; memory traffic is as it was.
        assert work_rate(0.2, 1e12, 500, 16, **BY_HAND) == pytest.approx(0.4 + 1.2)

    def test_of_an_idle_chip_is_nothing(self):
        assert work_rate(0, 0, 500, 128, **FITTED) == 0

    @given(SHARES, st.floats(0, 8e12), st.integers(0, 400), st.floats(1, 2), st.floats(1, 2))
    def test_busier_never_draws_less(self, compute, moved, experts, more, faster):
        base = draw_w(compute, moved, 75, 700, experts)
        assert draw_w(compute * more, moved * faster, 75, 700, experts) >= base
        assert draw_w(compute, moved, 75, 700, experts + 1) >= base


class TestActivity:
    def test_by_hand(self):
        # Sides of right triangles: 3-4-5 and 5-12-13.
        assert activity_frac([0, 3 / 4, 12 / 5], 2).tolist() == pytest.approx([0, 3 / 5, 12 / 13])

    @given(st.floats(0, 1e6))
    def test_never_exceeds_one(self, rate):
        assert 0 <= activity_frac(rate, BEND) <= 1 + 1e-12

    @given(RATES, RATES)
    def test_rises_with_work_and_never_faster_than_it(self, one, other):
        few, many = sorted((one, other))
        rise = activity_frac(many, BEND) - activity_frac(few, BEND)
        assert 0 <= rise <= many - few + 1e-12

    @given(RATES, RATES)
    def test_of_a_mean_is_above_the_mean(self, one, other):
        mean = (activity_frac(one, BEND) + activity_frac(other, BEND)) / 2
        assert activity_frac((one + other) / 2, BEND) >= mean - 1e-12


class TestDraw:
    def test_half_way_between_idle_and_tdp(self):
        assert chip_draw_w(100, 700, 0.5) == 400

    @given(WATTS, WATTS, SHARES)
    def test_lies_between_idle_and_tdp(self, one, other, activity):
        idle, tdp = min(one, other), max(one, other)
        draw = chip_draw_w(idle, tdp, activity)
        assert idle * (1 - 1e-12) <= draw <= tdp * (1 + 1e-12)

    def test_a_cap_binds_only_on_what_would_draw_more(self):
        # 70 % of 700 W, the design of Splitwise: 490 W.
        draws = chip_draw_w(75, 700, np.array([0.0, 0.4, 0.8, 1.0]), 0.7)
        assert draws == pytest.approx([75, 325, 490, 490])

    def test_knows_no_unit_of_power(self):
        in_watts = chip_draw_w(75, 700, 0.37, 0.6)
        assert chip_draw_w(0.075, 0.7, 0.37, 0.6) == pytest.approx(in_watts / 1e3)


class TestHarmlessCap:
    @given(WATTS, WATTS, SHARES, st.floats(0, 0.2), st.floats(0, 1))
    def test_takes_nothing_from_the_peak(self, one, other, activity, margin, floor):
        idle, tdp = min(one, other), max(one, other)
        cap = harmless_cap_frac(idle, tdp, activity, margin=margin, floor=floor)
        free = chip_draw_w(idle, tdp, activity)
        assert chip_draw_w(idle, tdp, activity, cap) == pytest.approx(free, rel=1e-12)

    def test_without_margin_it_is_the_peak_draw_itself(self):
        assert harmless_cap_frac(100, 700, 0.5, margin=0, floor=0) == pytest.approx(400 / 700)

    def test_a_margin_of_five_percent_by_hand(self):
        assert harmless_cap_frac(100, 700, 0.5, margin=0.05, floor=0) == pytest.approx(0.6)

    def test_is_never_below_what_can_be_set_nor_above_tdp(self):
        caps = harmless_cap_frac(75, 700, np.array([0.0, 1.0]), margin=0.05, floor=0.5)
        assert caps.tolist() == [0.5, 1]

    def test_a_busier_pool_is_never_capped_lower(self):
        caps = harmless_cap_frac(75, 700, np.linspace(0, 1, 50), margin=0.05, floor=0.3)
        assert np.all(np.diff(caps) >= 0)


def test_arrays_are_their_scalars():
    idle, tdp = np.array([60.0, 75, 140]), np.array([400.0, 700, 1000])
    busy, moved, experts = np.array([0.1, 0.5, 0.9]), 1e12 * np.arange(3), np.array([0, 8, 256])
    together = draw_w(busy, moved, idle, tdp, experts)
    alone = [
        float(draw_w(*row)) for row in zip(busy, moved, idle, tdp, experts, strict=True)
    ]  # fmt: skip
    assert together.tolist() == pytest.approx(alone, rel=1e-15)
