"""Power of a chip: the Splitwise constants as a sanity check, then what a cap may do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.facts.catalog import load_catalog
from planner.physics.power import activity_frac, chip_draw_w, harmless_cap_frac

NUMBERS = load_catalog().numbers
WEIGHTS = {
    "compute_weight": NUMBERS["estimates.power.compute_weight_frac"].value,
    "memory_weight": NUMBERS["estimates.power.memory_weight_frac"].value,
}
# A well batched phase: shares of peak arithmetic and of peak bandwidth that it keeps busy.
PROMPT, TOKEN = (0.55, 0.15), (0.05, 0.75)
SHARES = st.floats(0, 1)
WATTS = st.floats(1, 2000)


class TestSplitwiseConstants:
    """Artefact of Splitwise (ISCA 2024), watts per GPU: idle, prompt phase, token phase."""

    @pytest.mark.parametrize(
        ("idle_w", "tdp_w", "prompt_w", "token_w"), [(75, 700, 700, 380), (63, 400, 400, 250)]
    )
    def test_idle_prompt_and_token_draw(self, idle_w, tdp_w, prompt_w, token_w):
        def draw(busy):
            return chip_draw_w(idle_w, tdp_w, activity_frac(*busy, **WEIGHTS))

        assert draw((0, 0)) == idle_w
        assert draw(PROMPT) == pytest.approx(prompt_w, rel=0.1)
        assert draw(TOKEN) == pytest.approx(token_w, rel=0.1)

    def test_decode_draws_43_to_79_percent_of_tdp(self):
        # Measured on A100s in the artefact, from low to high memory traffic.
        for traffic in (0.45, 0.6, 0.75, 0.9):
            draw = chip_draw_w(63, 400, activity_frac(0.08, traffic, **WEIGHTS))
            assert 0.43 * 400 <= draw <= 0.79 * 400

    def test_half_power_is_felt_by_a_prompt_machine_and_hardly_by_a_token_machine(self):
        # Splitwise caps 700 to 350 W: almost nothing for decode, a lot for prompts.
        token, prompt = (
            chip_draw_w(75, 700, activity_frac(*busy, **WEIGHTS)) for busy in (TOKEN, PROMPT)
        )
        assert 350 / token > 0.85
        assert 350 / prompt < 0.55


class TestActivity:
    def test_a_stress_run_saturates(self):
        # HPL draws 696 of 700 W on an H100 that idles at 72.5 W (arXiv 2604.07345).
        draw = chip_draw_w(72.5, 700, activity_frac(0.9, 0.6, **WEIGHTS))
        assert draw == pytest.approx(696, rel=0.01)

    def test_never_exceeds_one(self):
        assert activity_frac(1, 1, compute_weight=5, memory_weight=5) == 1

    def test_of_an_idle_chip_is_nothing(self):
        assert activity_frac(0, 0, **WEIGHTS) == 0

    @given(SHARES, SHARES, SHARES, SHARES)
    def test_busier_never_draws_less(self, compute, memory, more_compute, more_memory):
        base = activity_frac(compute, memory, **WEIGHTS)
        both = np.maximum(compute, more_compute), np.maximum(memory, more_memory)
        assert activity_frac(*both, **WEIGHTS) >= base


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
    busy = np.array([0.1, 0.5, 0.9])
    together = chip_draw_w(idle, tdp, activity_frac(busy, busy / 2, **WEIGHTS), 0.6)
    alone = [
        chip_draw_w(i, t, activity_frac(b, b / 2, **WEIGHTS), 0.6)
        for i, t, b in zip(idle, tdp, busy, strict=True)
    ]
    assert together.tolist() == [float(draw) for draw in alone]
