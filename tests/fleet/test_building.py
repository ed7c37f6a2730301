"""Where the time of a pool goes: prompts are charged what they add, answers the rest."""

import pytest

from planner.fleet.building import pool
from planner.fleet.pools import DECODE, MONOLITHIC, PREFILL
from planner.fleet.sizing import Choice
from tests.fleet.test_curves import CHAT, row, timed

BATCH = 12.0
"""Requests in decode in each group; the stages of a pipeline work on one group each."""


def share(held, place, role=MONOLITHIC):
    """Share of time in prefill of one replica with twelve requests in decode in each group."""
    chips = int(held.grid.layout.stage_chips[place] * held.grid.layout.pp[place])
    choice = Choice(place, 1, chips, 1.0, 0.6, 1.0, 0.02, BATCH * held.grid.groups[place], 0.5)
    return pool(role, held, choice, CHAT).shares.prefill_frac


def at(held, curve, place):
    """A curve at the batch, by hand between the two batches timed around it."""
    above = int((held.batch[place] < BATCH).sum())
    low, high = held.batch[place][above - 1 : above + 1]
    weight = (BATCH - low) / (high - low)
    return curve[place][above - 1] * (1 - weight) + curve[place][above] * weight


@pytest.mark.parametrize("tokens", [512.0, 2048.0])
@pytest.mark.parametrize("pp", [1, 2])
def test_a_prompt_in_chunks_is_charged_what_it_adds_to_the_steps_of_others(tokens, pp):
    # Twelve in decode for 211 tokens each leave and arrive at 12/(211·t) a second, t the mean step:
    # t = t_d + 12/211 · I/c · (t_m − t_d), so t_d/t of the time is decode.
    held = timed(chunks=(tokens,))
    place = row(held, 8, pp=pp)
    alone_s, mixed_s = at(held, held.decode_s, place), at(held, held.mixed_s, place)
    chunks = held.fresh_tokens[place] / tokens
    step_s = alone_s + BATCH / held.iterations[place] * chunks * (mixed_s - alone_s)
    assert share(held, place) == pytest.approx(1 - alone_s / step_s, rel=1e-12)


def test_chunks_take_less_time_than_prompts_alone_for_the_weights_are_read_anyway():
    whole, chunked = timed(chunks=(0.0,)), timed(chunks=(512.0,))
    assert share(chunked, row(chunked, 8)) < share(whole, row(whole, 8))


def test_a_prompt_alone_takes_its_own_time():
    held = timed(chunks=(0.0,))
    place = row(held, 8)
    answer_s = held.iterations[place] * at(held, held.decode_s, place) / BATCH
    prompt_s = held.prefill_s[place]
    assert share(held, place) == pytest.approx(prompt_s / (prompt_s + answer_s), rel=1e-12)


def test_pools_of_one_phase_spend_all_their_time_in_it():
    held = timed()
    assert share(held, row(held, 8), PREFILL) == pytest.approx(1)
    assert share(held, row(held, 8), DECODE) == 0
