"""Every queueing function refuses what has no meaning, in words that name the argument."""

import math

import numpy as np
import pytest

from planner.load.queueing import (
    chunked_replica,
    decode_pool,
    decode_pool_saturation_per_s,
    prefill_pool,
    prefill_pool_saturation_per_s,
    prefill_priority_replica,
    prefill_priority_saturation_per_s,
)

STEPS = [0.01, 0.02, 0.03]
GOOD = {
    decode_pool: (1, 100, STEPS),
    prefill_pool: (1, 0.1, 1.0, 2),
    chunked_replica: (1, 500, 1.0, 100, STEPS, [0.05, 0.06, 0.07], 256),
    prefill_priority_replica: (1, 500, 1.0, 100, STEPS, 1e-4),
    decode_pool_saturation_per_s: (100, STEPS),
    prefill_pool_saturation_per_s: (0.1, 2),
    prefill_priority_saturation_per_s: (500, 100, STEPS, 1e-4),
}
LOADED = [function for function in GOOD if "saturation" not in function.__name__]
CURVES = [
    (decode_pool, 2, "step_s"),
    (chunked_replica, 4, "decode_step_s"),
    (prefill_priority_replica, 4, "decode_step_s"),
    (decode_pool_saturation_per_s, 1, "step_s"),
    (prefill_priority_saturation_per_s, 2, "decode_step_s"),
]


def refused(function, position, value):
    given = list(GOOD[function])
    given[position] = value
    with pytest.raises(ValueError, match=r"\w+ .*must") as refusal:
        function(*given)
    return str(refusal.value)


@pytest.mark.parametrize("function", LOADED)
@pytest.mark.parametrize("value", [-1, -1e-12, math.nan, math.inf, [1.0, -1.0]])
def test_rates_are_finite_and_not_negative(function, value):
    assert refused(function, 0, value).startswith("requests_per_s must")


@pytest.mark.parametrize(
    ("function", "position", "name"),
    [
        (decode_pool, 1, "mean_output_tokens"),
        (prefill_pool, 1, "service_mean_s"),
        (chunked_replica, 1, "mean_input_tokens"),
        (chunked_replica, 3, "mean_output_tokens"),
        (chunked_replica, 6, "chunk_tokens"),
        (prefill_priority_replica, 5, "prefill_s_per_token"),
        (decode_pool_saturation_per_s, 0, "mean_output_tokens"),
        (prefill_pool_saturation_per_s, 0, "service_mean_s"),
        (prefill_priority_saturation_per_s, 0, "mean_input_tokens"),
        (prefill_priority_saturation_per_s, 3, "prefill_s_per_token"),
    ],
)
@pytest.mark.parametrize("value", [0, -3, math.nan])
def test_lengths_and_services_are_above_zero(function, position, name, value):
    assert refused(function, position, value).startswith(f"{name} must")


@pytest.mark.parametrize(("function", "position", "name"), CURVES)
@pytest.mark.parametrize(
    ("curve", "says"),
    [
        ([], "empty"),
        ([0.01, math.nan, 0.03], "nan"),
        ([0.01, 0.0, 0.03], "above 0"),
        ([0.03, 0.02, 0.04], "non-decreasing"),
        ([0.01, math.inf, 0.03], "non-decreasing"),
        ([math.inf, math.inf, math.inf], "finite"),
        (0.01, "empty"),
    ],
)
def test_step_curves_rise_from_a_first_batch_that_fits(function, position, name, curve, says):
    sentence = refused(function, position, curve)
    assert sentence.startswith(name)
    assert says in sentence


def test_both_curves_cover_the_same_batches():
    assert "same batches" in refused(chunked_replica, 5, [0.05, 0.06])
    assert "at least decode_step_s" in refused(chunked_replica, 5, [0.005, 0.06, 0.07])


def test_a_replica_needs_a_place_for_a_request():
    with pytest.raises(ValueError, match="B at least 1"):
        chunked_replica(1, 500, 1.0, 100, [0.01], [0.05], 256)


@pytest.mark.parametrize("value", [0, 1.5, -2, math.nan])
def test_servers_come_whole(value):
    assert refused(prefill_pool, 3, value).startswith("n_servers must")
    assert refused(prefill_pool_saturation_per_s, 1, value).startswith("n_servers must")


@pytest.mark.parametrize("level", [0, 1, 99, -0.5, math.nan])
@pytest.mark.parametrize("function", LOADED)
def test_a_quantile_is_a_fraction(function, level):
    with pytest.raises(ValueError, match=r"^quantile must be strictly between 0 and 1"):
        function(*GOOD[function], quantile=level)


@pytest.mark.parametrize("function", [decode_pool, chunked_replica, prefill_priority_replica])
def test_variation_is_not_negative(function):
    with pytest.raises(ValueError, match=r"^output_scv must"):
        function(*GOOD[function], output_scv=-0.1)


def test_variation_of_arrivals_is_not_negative():
    with pytest.raises(ValueError, match=r"^arrival_scv must"):
        prefill_pool(*GOOD[prefill_pool], arrival_scv=-0.1)


@pytest.mark.parametrize(
    ("function", "position", "name"),
    [
        (prefill_pool, 2, "service_scv"),
        (chunked_replica, 2, "input_scv"),
        (prefill_priority_replica, 2, "input_scv"),
    ],
)
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_variation_of_prompts_is_finite_and_not_negative(function, position, name, value):
    assert refused(function, position, value).startswith(f"{name} must")


@pytest.mark.parametrize("function", [chunked_replica, prefill_priority_replica])
@pytest.mark.parametrize("value", [0, 0.5, -1, math.nan])
def test_an_answer_has_a_token(function, value):
    assert "mean_output_tokens" in refused(function, 3, value)


def test_the_sentence_shows_the_value():
    assert refused(prefill_pool, 0, np.array([1.0, -2.5])).endswith("got -2.5.")
