"""Time of a step at the ends of its inputs, in which direction it moves, and arrays of it."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.physics.layout import Layout
from planner.physics.phases import step_time
from planner.physics.profile import stacked
from planner.physics.transformer import mixed_work
from tests.physics.stand_ins import (
    DEEPSEEK,
    LLAMA_8B,
    MIXTRAL,
    MODELS,
    PLAIN,
    RATES,
    SHARES,
    USUAL,
    WAITS,
    WHOLE,
    decode,
    h100,
    of,
    prefill,
    times,
)

BATCHES = np.arange(1, 257)
INFINITE = float("inf")


@pytest.mark.parametrize("step", [decode, prefill])
class TestLimits:
    def test_endless_bandwidth_leaves_arithmetic(self, step):
        found = step(h100(memory_bytes_per_s=INFINITE))
        assert found.total_s == pytest.approx(found.compute_s + 1.78e-3)

    def test_endless_arithmetic_leaves_memory(self, step):
        found = step(h100(flop_per_s=dict.fromkeys(("bf16", "fp8", "fp4"), INFINITE)))
        assert found.total_s == pytest.approx(found.memory_s + 1.78e-3)

    def test_one_chip_sends_nothing(self, step):
        dead = h100(inside_bytes_per_s=1.0, outside_bytes_per_s=1.0, link_latency_s=9.0)
        assert step(dead).link_s == 0
        assert step(dead).total_s == step().total_s

    @pytest.mark.parametrize("name", [n for n in SHARES + WAITS if "expert" in n])
    def test_a_dense_model_has_no_experts_to_be_slow(self, step, name):
        assert step(h100(**{name: 0.01})).total_s == step().total_s

    def test_a_high_order_is_the_slower_bound_of_each_part(self, step):
        soft, hard = (step(h100(WHOLE, roof_order=p)).total_s for p in (400.0, INFINITE))
        assert soft == pytest.approx(hard, rel=2e-3)

    def test_a_stage_of_one_and_experts_on_one_chip_are_the_plain_case(self, step):
        layout = Layout(tp=4.0, attention_dp=1.0, ep=1.0, pp=1.0)
        uneven = h100(expert_imbalance=7.0)
        assert step(uneven, held=MIXTRAL, layout=layout).total_s == pytest.approx(
            step(held=MIXTRAL, layout=Layout(tp=4.0)).total_s
        )


class TestParts:
    @given(st.integers(1, 512), st.integers(0, 20_000), st.sampled_from([LLAMA_8B, DEEPSEEK]))
    def test_a_step_is_its_roof_and_its_overheads(self, batch, context, held):
        step = decode(PLAIN, batch, context, held)
        roof = step.total_s - step.fixed_s
        slower = max(step.compute_s, step.memory_s)
        assert slower * (1 - 1e-9) <= roof <= (step.compute_s + step.memory_s) * (1 + 1e-9)

    @given(st.floats(1e-3, 1e3), st.sampled_from([decode, prefill]))
    def test_time_scales_as_all_rates_do(self, factor, step):
        changes = {}
        for name in RATES:
            changes |= times(factor, name)
        for name in WAITS:
            changes |= times(1 / factor, name)
        spread = Layout(tp=2.0, attention_dp=4.0, ep=8.0, pp=2.0)
        fast, usual = step(h100(**changes), 32, held=MIXTRAL, layout=spread), step(
            h100(), 32, held=MIXTRAL, layout=spread
        )  # fmt: skip
        assert fast.total_s == pytest.approx(usual.total_s / factor, rel=1e-9)

    def test_busy_at_peak_is_what_is_left_of_the_shares_reached(self):
        step = prefill(tokens=3000)
        assert step.peak_compute_s == pytest.approx(0.6 * step.compute_s)
        assert step.peak_memory_s == pytest.approx(0.8 * step.memory_s)


SPREAD = Layout(tp=2.0, attention_dp=8.0, ep=16.0, pp=2.0)
LAUNCHED = {"launch_layer_s": 1e-4, "launch_expert_layer_s": 1e-4, "launch_order": 2.0}
STEPS = st.sampled_from([decode, prefill])
MODELS_TRIED = st.sampled_from([LLAMA_8B, MIXTRAL, DEEPSEEK, of("qwen3-next-80b-a3b")])


class TestDirections:
    @pytest.mark.parametrize("name", [*RATES, *SHARES])
    @given(STEPS, st.integers(1, 3000), MODELS_TRIED, st.floats(1, 5))
    @settings(max_examples=15)
    def test_a_better_machine_is_never_slower(self, name, step, size, held, factor):
        better, worse = h100(**LAUNCHED, **times(factor, name)), h100(**LAUNCHED)
        slow = step(worse, size, held=held, layout=SPREAD).total_s
        assert step(better, size, held=held, layout=SPREAD).total_s <= slow * (1 + 1e-12)

    @pytest.mark.parametrize("name", [*WAITS, "slowdown", "expert_imbalance"])
    @given(STEPS, st.integers(1, 3000), MODELS_TRIED)
    @settings(max_examples=15)
    def test_longer_overheads_are_never_faster(self, name, step, size, held):
        base = {name: getattr(USUAL, name) for name in ("slowdown", "expert_imbalance", *WAITS)}
        base |= LAUNCHED
        longer = base | {name: 2 * base[name] + 1e-5}
        fast = step(h100(**base), size, held=held, layout=SPREAD).total_s
        assert step(h100(**longer), size, held=held, layout=SPREAD).total_s >= fast * (1 - 1e-12)

    @given(
        MODELS_TRIED, st.integers(0, 300), st.integers(0, 30_000), st.integers(0, 3000),
        *[st.integers(0, 300)] * 3,
    )  # fmt: skip
    def test_more_work_never_takes_less_time(self, held, batch, context, chunk, more, longer, new):
        machine = h100(**LAUNCHED)

        def mixed_s(*sizes):
            return step_time(held, machine, SPREAD, mixed_work(held, *sizes)).total_s

        base = mixed_s(batch, context, chunk, 500) * (1 - 1e-12)
        assert mixed_s(batch + more, context, chunk, 500) >= base
        assert mixed_s(batch, context + longer, chunk, 500) >= base
        assert mixed_s(batch, context, chunk + new, 500) >= base
        assert mixed_s(batch, context, chunk, 500 + longer) >= base

    @pytest.mark.parametrize("name", ["llama-3.3-70b", "deepseek-v3", "gpt-oss-120b"])
    def test_each_token_is_cheaper_in_a_larger_batch(self, name):
        times_s = decode(batch=BATCHES, held=of(name, "fp8", "fp8")).total_s
        assert np.all(np.diff(times_s) > 0)
        assert np.all(np.diff(times_s / BATCHES) < 0)


class TestArrays:
    def test_a_grid_of_machines_and_batches_is_its_scalars(self):
        counts, batches = np.array([1.0, 2, 8]), np.array([1.0, 7, 256])
        grid = decode(h100().column(), batches, layout=Layout(tp=counts).column())
        for row, n in enumerate(counts):
            for column, batch in enumerate(batches):
                alone = decode(batch=batch, layout=Layout(tp=n))
                for part in fields(alone):
                    value = np.broadcast_to(getattr(grid, part.name), (3, 3))[row, column]
                    assert value == pytest.approx(float(getattr(alone, part.name)), rel=1e-12)

    def test_points_of_many_models_are_the_models_one_by_one(self):
        names = sorted(name for name, model in MODELS.items() if not model.missing)
        held = [of(name, "fp8") for name in names]
        which = np.arange(3 * len(names)) % len(names)
        batch, chunk = 1.0 + which * 3, 10.0 * which
        layout = Layout(tp=2.0 ** (which % 4), attention_dp=1.0 + which % 2, pp=1.0 + which % 3)
        many = stacked(held, which)
        machine = h100(**LAUNCHED)
        together = step_time(many, machine, layout, mixed_work(many, batch, 900, chunk, 70)).total_s
        for place, model in enumerate(which):
            own = Layout(layout.tp[place], layout.attention_dp[place], 1.0, layout.pp[place])
            work = mixed_work(held[model], batch[place], 900, chunk[place], 70)
            alone = step_time(held[model], machine, own, work).total_s
            assert together[place] == pytest.approx(float(alone), rel=1e-13), names[model]
