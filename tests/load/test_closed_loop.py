"""Requests in flight: waves by hand, Little's law, bounds on throughput, and the twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.load.closed_loop import (
    Loop,
    first_wave_s,
    full_rate_per_s,
    replica_cycle,
    settled,
    split_cycle,
)

PLAIN = {
    "requests": 8.0, "places": 1e9, "iterations": 100.0, "drawn_frac": 0.0, "slots_used": 10,
    "mixed": False,
}  # fmt: skip
PROMPT_S, OVERHEAD_S = 0.1, 0.05


def flat(batch):
    return 0.02 + 0 * batch


def rising(batch):
    return 0.02 + 0.0005 * batch


def replica(step_s=flat, alone_s=PROMPT_S, beside_s=None, clump=0.0, overhead_s=0.0, **changes):
    return replica_cycle(
        Loop(**(PLAIN | changes)),
        alone_s=alone_s,
        step_s=step_s,
        beside_s=beside_s or (lambda batch, step: 0.8 * alone_s + 0 * batch),
        clump_prompts=clump,
        request_overhead_s=overhead_s,
    )


def split(step_s=flat, **changes):
    pools = {
        "prefill_workers": 2.0, "decode_workers": 3.0, "alone_s": PROMPT_S, "together_s": 0.08,
        "handoff_s": 0.03, "matching_frac": 0.9, "request_overhead_s": OVERHEAD_S,
    }  # fmt: skip
    pools |= {name: changes.pop(name) for name in pools.keys() & changes.keys()}
    return split_cycle(Loop(**(PLAIN | changes)), step_s=step_s, **pools)


LOOPS = st.fixed_dictionaries(
    {
        "requests": st.sampled_from([1.0, 2.0, 5.0, 32.0, 200.0]),
        "places": st.sampled_from([1.0, 8.0, 1e9]),
        "iterations": st.sampled_from([1.0, 20.0, 500.0]),
        "drawn_frac": st.sampled_from([0.0, 0.06, 0.3]),
        "slots_used": st.sampled_from([1, 5, 20]),
        "mixed": st.booleans(),
        "alone_s": st.floats(1e-3, 5),
        "clump": st.sampled_from([0.0, 1.0]),
        "overhead_s": st.sampled_from([0.0, 0.05]),
    }
)


class TestOneRequest:
    @pytest.mark.parametrize("mixed", [True, False])
    @pytest.mark.parametrize("drawn", [0.0, 0.06])
    def test_waits_for_nobody(self, mixed, drawn):
        # 0.05 s of host, 0.1 s of prompt, one step of 0.02 s; then a step for each token.
        alone = replica(
            requests=1.0, overhead_s=OVERHEAD_S, mixed=mixed, drawn_frac=drawn, clump=1.0
        )
        assert alone.ttft_s == pytest.approx(0.17)
        assert alone.iteration_s == pytest.approx(0.02)
        assert alone.requests_per_s == pytest.approx(1 / (0.17 + 100 * 0.02))
        assert (alone.batch, alone.wait_s) == (1, 0)


class TestLockStep:
    """Equal lengths, prompts first: eight prompts of 0.1 s, then all eight answer together."""

    def test_prompts_of_a_wave_wait_for_half_of_the_others(self):
        # 0, 0.1 … 0.7 s: 0.35 s; then the prompt itself and a step.
        assert replica().ttft_s == pytest.approx(0.35 + 0.1 + 0.02)

    @pytest.mark.parametrize("slots", [1, 3, 30])
    def test_every_wave_is_like_the_first(self, slots):
        loop = Loop(**(PLAIN | {"slots_used": slots}))
        assert first_wave_s(loop, 8.0, 0.1) == pytest.approx(7 * 0.1 / 2)

    def test_a_wave_lasts_eight_prompts_and_an_answer(self):
        # 0.8 s + 100 steps of 0.02 s, and the step that gives the first token.
        assert replica().requests_per_s == pytest.approx(8 / (0.8 + 2.0 + 0.02))


class TestWaves:
    def wait_s(self, prompt_s=0.1, requests=8.0, **changes):
        return float(first_wave_s(Loop(**(PLAIN | changes)), requests, prompt_s))

    def test_the_first_wave_alone_waits_as_a_burst(self):
        assert self.wait_s(slots_used=1, drawn_frac=0.3, mixed=True) == pytest.approx(0.35)

    def test_on_a_mixed_replica_equal_lengths_keep_their_spread(self):
        # The first of 5 waves waits 0.35 s; those after it come spread over the cycle.
        assert self.wait_s(slots_used=5, mixed=True) == pytest.approx(0.35 / 5)

    def test_unlike_lengths_spread_the_next_wave_over_more_than_its_work(self):
        # 0.3 of 10 s is more than 0.8 s of prompts: nobody waits in the second wave.
        assert self.wait_s(slots_used=2, drawn_frac=0.3) == pytest.approx(0.35 / 2)

    def test_lengths_almost_alike_spread_little_by_little(self):
        # √(0.8² + 0.1²) is hardly more than 0.8: the second wave arrives as it left, unqueued.
        assert self.wait_s(slots_used=2, drawn_frac=0.01) == pytest.approx(0.35 / 2)

    def test_one_request_makes_no_wave(self):
        assert self.wait_s(requests=1.0) == 0


class TestPlaces:
    def test_cap_the_batch_and_others_wait_their_turn(self):
        # 3 of 12 run: the other 9 wait for three cycles of 3 prompts and 100 steps: 3 × 2.3 s.
        capped = replica(requests=12.0, places=3.0)
        assert capped.batch <= 3
        assert capped.wait_s == pytest.approx(9 / 3 * (3 * 0.1 + 2.0))

    def test_beyond_the_requests_change_nothing(self):
        assert replica(places=8.0).ttft_s == replica(places=1e6).ttft_s

    def test_more_requests_than_places_gain_nothing(self):
        # But the host's time, which the next request overlaps.
        few, many = (replica(requests=n, places=4.0).requests_per_s for n in (4.0, 4000.0))
        assert few < many < 4 / (4 * 0.1 + 2.0)


class TestLaws:
    @given(LOOPS)
    def test_little(self, loop):
        found = replica(rising, **loop)
        cycle_s = found.ttft_s + loop["iterations"] * found.iteration_s
        assert found.requests_per_s * cycle_s == pytest.approx(loop["requests"], rel=1e-12)

    @given(LOOPS)
    def test_throughput_never_exceeds_prompts_or_steps(self, loop):
        found = replica(rising, **loop)
        running = min(loop["requests"], loop["places"])
        assert found.requests_per_s <= 1 / found.prompt_s * (1 + 1e-12)
        steps_per_s = running / (loop["iterations"] * rising(found.batch))
        assert found.requests_per_s <= steps_per_s * (1 + 1e-12)
        assert 1 <= found.batch <= running

    @given(LOOPS)
    def test_an_iteration_is_at_least_a_step(self, loop):
        found = replica(rising, **loop)
        assert found.iteration_s >= found.step_s * (1 - 1e-12)
        assert found.ttft_s >= loop["alone_s"] + found.step_s + loop["overhead_s"] - 1e-12

    @given(LOOPS, st.floats(0.01, 100))
    def test_knows_no_unit_of_time(self, loop, factor):
        slow = loop | {name: loop[name] * factor for name in ("alone_s", "overhead_s")}
        base = replica(rising, **loop)
        scaled = replica(lambda batch: factor * rising(batch), **slow)
        assert scaled.ttft_s == pytest.approx(factor * base.ttft_s, rel=1e-9)
        assert scaled.requests_per_s * factor == pytest.approx(base.requests_per_s, rel=1e-9)

    @given(LOOPS, st.floats(1, 5))
    def test_longer_prompts_never_come_sooner(self, loop, factor):
        longer = replica(**(loop | {"alone_s": factor * loop["alone_s"]}))
        assert longer.ttft_s >= replica(**loop).ttft_s * (1 - 1e-12)

    @given(LOOPS, st.sampled_from([1.0, 2.0, 9.0, 64.0]), st.sampled_from([1.0, 7.0, 100.0]))
    def test_more_requests_never_lower_throughput_where_answers_are_long(self, loop, n, more):
        # Within 0.2 %: the batch is found in four turns. Short answers: see the test below.
        loop |= {"iterations": 500.0}
        few, many = (replica(rising, **(loop | {"requests": m})) for m in (n, n + more))
        assert many.requests_per_s >= few.requests_per_s * (1 - 2e-3)

    def test_nor_where_they_are_short_and_prompts_clump(self):
        one, two = (
            replica(
                lambda batch: 0.001 + 0 * batch, beside_s=lambda b, t: 0.095, requests=n,
                iterations=1.0, mixed=True, clump=1.0, slots_used=1,
            ).requests_per_s
            for n in (1.0, 2.0)
        )  # fmt: skip
        assert two >= one


class TestFullRate:
    def test_by_hand(self):
        # Four requests: 4 × 0.08 s of prompts and 100 steps of 0.022 s.
        rate, batch = full_rate_per_s(4.0, 100.0, rising, lambda b, t: 0.08)
        assert rate == pytest.approx(4 / (0.32 + 2.2))
        assert batch == 4

    def test_what_a_prompt_adds_may_depend_on_the_steps_that_carry_it(self):
        # Four requests in a step, which lasts 0.022 s: 0.01 s each and as long again.
        rate, _ = full_rate_per_s(4.0, 100.0, rising, lambda b, t: 0.01 * b + t)
        assert rate == pytest.approx(4 / (4 * 0.062 + 2.2))

    def test_two_stages_take_turns_at_half_of_the_requests(self):
        # Steps of two requests, 0.021 s, on each of two stages in turn.
        rate, batch = full_rate_per_s(4.0, 100.0, rising, lambda b, t: 0.08, 2.0)
        assert rate == pytest.approx(4 / (0.32 + 100 * 2 * 0.021))
        assert batch == 2


class TestSettled:
    """The batch that gives itself, from a start that is the most there can be."""

    def test_where_it_lies_straight_ahead_it_is_found_at_once(self):
        # √(16·b) gives itself at 16; plain halvings would still be 0.7 % off after eight.
        assert settled(lambda b: np.sqrt(16 * b), np.array(100.0)) == pytest.approx(16, rel=1e-9)

    def test_a_batch_that_never_changes_is_its_own(self):
        assert settled(lambda b: b, np.array([7.0, 3.0])).tolist() == pytest.approx([7, 3])

    def test_it_is_never_more_than_at_the_start(self):
        assert settled(lambda b: 1000 + 0 * b, np.array(10.0)) == pytest.approx(10)

    def test_where_every_turn_halves_it_no_leap_is_taken(self):
        # Two plain turns at each of four: 2⁻⁸ of the start.
        assert settled(lambda b: b / 2, np.array(256.0)) == pytest.approx(1)

    def test_an_empty_pool_stays_above_nothing(self):
        assert settled(lambda b: 0 * b, np.array(5.0)) == pytest.approx(1e-3)


SPLITS = st.fixed_dictionaries(
    {
        "requests": st.sampled_from([1.0, 2.0, 5.0, 32.0, 200.0, 2000.0]),
        "places": st.sampled_from([8.0, 100.0, 1e9]),
        "iterations": st.sampled_from([5.0, 50.0, 500.0]),
        "slots_used": st.sampled_from([1, 10]),
        "prefill_workers": st.sampled_from([1.0, 4.0]),
        "decode_workers": st.sampled_from([1.0, 4.0]),
        "together_s": st.floats(1e-3, PROMPT_S),
    }
)


class TestSplit:
    def test_a_quiet_pair_of_pools_by_hand(self):
        # Two requests: host 0.05, prompt 0.1, transfer 0.03 s, then 100 steps of 0.02 s. Prefill
        # could do 22.5/s. One of the first two waits for 0.08 s of two workers: 0.02 s on
        # average, once in 10 requests.
        found = split(requests=2.0)
        assert found.ttft_s == pytest.approx(0.05 + 0.1 + 0.03 + 0.002)
        assert found.iteration_s == 0.02
        assert found.requests_per_s == pytest.approx(2 / (0.182 + 2.0))
        assert (found.wait_s, found.prompt_s) == pytest.approx((0.002, 0.08))

    def test_prefill_bound_it_does_what_its_workers_can(self):
        # 2 workers of 0.08 s at 0.9: 22.5 requests per second; thousands wait.
        found = split(requests=5000.0)
        assert found.requests_per_s == pytest.approx(22.5)
        assert found.ttft_s == pytest.approx(5000 / 22.5 - 2.0)

    def test_decode_bound_it_does_what_its_places_can(self):
        # 6 places, 100 steps of 0.02 s each.
        assert split(requests=5000.0, places=6.0).requests_per_s == pytest.approx(3.0)

    @given(SPLITS)
    def test_bounded_by_both_pools(self, loop):
        found = split(rising, **loop)
        prefill_per_s = loop["prefill_workers"] / loop["together_s"] * 0.9
        held = min(loop["requests"], loop["places"])
        decode_per_s = held / (loop["iterations"] * rising(held / loop["decode_workers"]))
        assert found.requests_per_s <= prefill_per_s * (1 + 1e-12)
        assert found.requests_per_s <= decode_per_s * (1 + 1e-12)
        assert found.batch <= held / loop["decode_workers"] * (1 + 1e-12)

    @given(SPLITS)
    def test_little_where_the_queue_outlasts_the_first_wave(self, loop):
        found = split(rising, **(loop | {"slots_used": 10**9}))
        cycle_s = found.ttft_s + loop["iterations"] * found.iteration_s
        assert found.requests_per_s * cycle_s == pytest.approx(loop["requests"], rel=1e-6)

    def test_little_in_a_short_run(self):
        found = split(requests=32.0, slots_used=1)
        cycle_s = found.ttft_s + 100 * found.iteration_s
        assert found.requests_per_s * cycle_s == pytest.approx(32, rel=1e-3)

    def test_one_request_waits_for_nobody(self):
        alone = split(requests=1.0, slots_used=1)
        assert alone.ttft_s == pytest.approx(0.05 + 0.1 + 0.03)

    def test_decode_workers_hold_what_prefill_lets_through(self):
        # One worker of 0.08 s at 0.9: 11.25 requests per second; 50 steps of 0.02 s and more.
        found = split(rising, requests=1000.0, iterations=50.0, prefill_workers=1.0)
        per_worker = found.requests_per_s * 50 * found.step_s / 3
        assert found.batch == pytest.approx(per_worker, rel=0.01)

    @given(SPLITS, st.floats(1, 10))
    def test_more_requests_never_lower_throughput(self, loop, factor):
        more = split(rising, **(loop | {"requests": factor * loop["requests"]}))
        assert more.requests_per_s >= split(rising, **loop).requests_per_s * (1 - 1e-12)
