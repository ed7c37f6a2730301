"""Predictions of every kind of row: what they read, what they hold, and how they move."""

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from planner.evidence.points import checked, read_points
from planner.evidence.predict import predict
from tests.evidence.stand_ins import CATALOG, RATE, SPLIT, answer, answers, shipped_rows

TTFT, TPOT, POWER = "predicted_ttft_s", "predicted_tpot_s", "predicted_power_w_per_accelerator"
ENERGY = "predicted_energy_j_per_output_token"
CONTRACT = [
    TTFT, TPOT, RATE, POWER, ENERGY, "predicted_tpot_low_s", "predicted_tpot_high_s",
    f"{RATE}_low", f"{RATE}_high", "refused",
]  # fmt: skip
NUMBERS = CONTRACT[:-1]
MEASURED = """ttft_s ttft_p99_s tpot_s tpot_p99_s output_tokens_per_s_per_accelerator ttft_stat
tpot_stat input_tokens_per_s_per_accelerator power_w_per_accelerator power_scope
energy_j_per_output_token""".split()

GIVEN = shipped_rows()
FOUND = predict(checked(GIVEN, CATALOG), CATALOG)
ANSWERED = FOUND[FOUND["refused"] == ""]
WITHOUT_STEPS = ANSWERED["load"].str.startswith("offline")


def predicted(table):
    return predict(checked(table, CATALOG), CATALOG)[CONTRACT]


def test_measured_columns_may_be_blank():
    assert_frame_equal(predicted(GIVEN.assign(**dict.fromkeys(MEASURED, ""))), FOUND[CONTRACT])


def test_measured_columns_may_be_shuffled_or_missing():
    order = np.random.default_rng(1).permutation(len(GIVEN))
    shuffled = {name: GIVEN[name].to_numpy()[order] for name in MEASURED}
    assert not GIVEN.assign(**shuffled)["tpot_s"].equals(GIVEN["tpot_s"])
    assert_frame_equal(predicted(GIVEN.assign(**shuffled)), FOUND[CONTRACT])
    few = GIVEN.drop(columns=MEASURED).iloc[::10]
    assert_frame_equal(predicted(few), FOUND[CONTRACT].iloc[::10])


def test_the_columns_of_the_contract_follow_those_of_the_file():
    assert list(FOUND)[: len(GIVEN.columns)] == list(GIVEN)
    assert [name for name in FOUND if name in CONTRACT] == CONTRACT
    assert_frame_equal(FOUND[list(GIVEN)], GIVEN)


def test_an_answer_can_be_asked_again(tmp_path):
    path = tmp_path / "out.csv"
    FOUND.iloc[::50].to_csv(path, index=False)
    again = predict(read_points(path, CATALOG), CATALOG)
    assert list(again) == list(FOUND)
    np.testing.assert_array_equal(again[NUMBERS], FOUND[NUMBERS].iloc[::50])


def test_refused_are_exactly_the_rows_that_say_no_load():
    silent = (GIVEN["concurrency"] == "") & (GIVEN["request_rate_per_s"] == "")
    silent &= ~GIVEN["load"].str.contains("offline max|single stream")
    assert 0 < silent.sum() < 10
    assert list(FOUND["refused"] != "") == list(silent)
    assert all("concurrency is blank" in reason for reason in FOUND.loc[silent, "refused"])
    assert FOUND.loc[silent, NUMBERS].isna().all(axis=None)


def test_what_is_not_refused_is_a_number_above_zero():
    of_all = ANSWERED[[RATE, POWER, ENERGY, f"{RATE}_low", f"{RATE}_high"]].to_numpy()
    of_steps = ANSWERED.loc[~WITHOUT_STEPS, [TTFT, TPOT, *CONTRACT[5:7]]].to_numpy()
    for numbers in (of_all, of_steps):
        assert np.isfinite(numbers).all()
        assert (numbers > 0).all()
    assert ANSWERED.loc[WITHOUT_STEPS, [TTFT, TPOT]].isna().all(axis=None)


def test_intervals_enclose_their_predictions():
    steps = ANSWERED[~WITHOUT_STEPS]
    assert (steps["predicted_tpot_low_s"] < steps[TPOT]).all()
    assert (steps[TPOT] < steps["predicted_tpot_high_s"]).all()
    assert (ANSWERED[f"{RATE}_low"] < ANSWERED[RATE]).all()
    assert (ANSWERED[RATE] < ANSWERED[f"{RATE}_high"]).all()


def test_energy_is_power_over_rate():
    np.testing.assert_allclose(ANSWERED[ENERGY] * ANSWERED[RATE], ANSWERED[POWER], rtol=1e-12)


def test_a_chip_draws_less_than_its_rating_and_more_than_at_rest():
    chips = CATALOG.accelerators
    tdp = ANSWERED["accelerator"].map({name: c.tdp_w.value for name, c in chips.items() if c.tdp_w})
    assert (ANSWERED[POWER] < tdp).all()
    assert (ANSWERED[POWER] > 0.1 * tdp).all()
    on_h100 = ANSWERED.loc[ANSWERED["accelerator"] == "h100-sxm", POWER]
    assert on_h100.between(72.5, 700).all()


def test_a_busier_chip_draws_more():
    power = answers(*({"concurrency": n} for n in ("1", "8", "64")))[POWER]
    assert power.is_monotonic_increasing


MODELS = {
    "dense": "llama-3.1-70b",
    "experts": "qwen3-235b-a22b",
    "latent": "deepseek-r1",
    "hybrid": "qwen3.5-397b-a17b",
    "sparse": "deepseek-v4-pro",
}
WIDTHS = {"tpot": CONTRACT[5:7], "rate": CONTRACT[7:9]}


def widths(kind, quantity):
    """High over low on a chip seen with the model, seen without it, and never seen."""
    chips = ("b200-sxm", "rtx-pro-6000-se", "gaudi3")
    if kind == "dense":
        chips = ("b200-sxm", "h200-sxm", "gaudi3")
    row = {"model": MODELS[kind], "n_accelerators": "32", "tp": "32"}
    found = answers(*(row | {"accelerator": chip} for chip in chips))
    low, high = WIDTHS[quantity]
    return list(found[high] / found[low])


@pytest.mark.parametrize("quantity", WIDTHS)
@pytest.mark.parametrize("kind", MODELS)
def test_an_unseen_pair_is_less_certain_than_a_seen_one(kind, quantity):
    seen, pair, chip = widths(kind, quantity)
    assert seen < pair
    assert seen < chip


@pytest.mark.parametrize("quantity", WIDTHS)
@pytest.mark.parametrize("kind", [kind for kind in MODELS if kind != "sparse"])
def test_an_unseen_chip_is_the_least_certain(kind, quantity):
    _, pair, chip = widths(kind, quantity)
    assert pair <= chip * (1 + 1e-9)


@pytest.mark.parametrize("quantity", WIDTHS)
def test_an_unseen_chip_is_the_least_certain_with_sparse_attention(quantity):
    _, pair, chip = widths("sparse", quantity)
    assert pair <= chip * (1 + 1e-9)


LOADS = (
    {},
    SPLIT,
    SPLIT | {"prefill_ep": "4", "decode_attention_dp": "8", "decode_tp": "1", "decode_ep": "8"},
    {"load": "static batch"},
    {"load": "offline max throughput", "concurrency": ""},
    {"load": "offline fixed batch"},
    {"load": "single stream", "concurrency": ""},
    {"load": "open loop", "concurrency": "", "request_rate_per_s": "2"},
    {"load": "open-loop, 1000 prompts", "concurrency": "", "request_rate_per_s": "500"},
    {"mode": "prefill_only"},
    {"mode": "prefill_only", "concurrency": ""},
    {"mode": "decode_only"},
    {"mode": "decode_only", "concurrency": ""},
)


def test_every_mode_and_load_is_answered():
    found = answers(*LOADS)
    assert list(found["refused"]) == [""] * len(LOADS)
    assert (found[[RATE, POWER, ENERGY]] > 0).all(axis=None)
    offline = np.array([cells.get("load", "").startswith("offline") for cells in LOADS])
    modes = [cells.get("mode", "") for cells in LOADS]
    no_first = offline | np.array([mode == "decode_only" for mode in modes])
    no_later = offline | np.array([mode == "prefill_only" for mode in modes])
    assert list(found[TTFT].isna()) == list(no_first)
    assert list(found[TPOT].isna()) == list(no_later)


def test_below_capacity_an_open_loop_serves_what_it_is_offered():
    """2 requests a second of 200 tokens on 8 chips."""
    found = answer(load="open loop", concurrency="", request_rate_per_s="2")
    assert found[RATE] == pytest.approx(50, rel=1e-4)


def test_above_capacity_an_open_loop_needs_a_number_of_prompts():
    rows = [
        {"load": load, "concurrency": "", "request_rate_per_s": "500"}
        for load in ("open loop", "open-loop, 100 prompts", "open-loop, 1000 prompts")
    ]
    endless, short, long = answers(*rows).to_dict("records")
    assert "request_rate_per_s is above" in endless["refused"]
    assert np.isnan(endless[RATE])
    assert long[RATE] == short[RATE]
    assert long[RATE] * 8 < 500 * 200
    assert 5 * short[TTFT] < long[TTFT]


def test_a_blank_load_says_what_to_give():
    found = answers(
        {"concurrency": ""},
        {"load": "open loop", "concurrency": ""},
        {"load": "offline fixed batch", "concurrency": ""},
        SPLIT | {"concurrency": ""},
    )
    assert all("give concurrency" in reason for reason in found["refused"])
    assert found[NUMBERS].isna().all(axis=None)


def test_row_by_row_is_all_at_once():
    kinds = GIVEN.assign(held=GIVEN["weight_precision"] + GIVEN["engine"].str[:3])
    rows = kinds.drop_duplicates(["mode", "load", "held"]).index[:24]
    for row in rows:
        alone = predicted(GIVEN.loc[[row]])
        np.testing.assert_allclose(alone[NUMBERS], FOUND.loc[[row], NUMBERS], rtol=1e-12)


CLOSED = ANSWERED[(ANSWERED["concurrency"] != "") & ~WITHOUT_STEPS].iloc[::12]


def test_twice_the_requests_never_lower_the_rate():
    twice = CLOSED.assign(concurrency=(CLOSED["concurrency"].astype(float) * 2).map(str))
    assert len(CLOSED) > 200
    assert (predicted(twice)[RATE] >= CLOSED[RATE] * (1 - 1e-9)).all()


def test_a_b200_is_faster_than_an_h100():
    rows = CLOSED[CLOSED["accelerator"] == "h100-sxm"]
    newer = predicted(rows.assign(accelerator="b200-sxm"))
    assert len(rows) > 20
    assert (newer[RATE] > rows[RATE]).all()
    assert (newer[TPOT] < rows[TPOT]).all()


def test_a_longer_prompt_waits_longer_and_a_cached_prefix_shorter():
    short, long, cached = answers(
        {}, {"input_tokens": "4000"}, {"input_tokens": "4000", "cached_input_tokens": "3000"}
    )[TTFT]
    assert short < cached < long


@pytest.mark.parametrize("chip", ["tpu7x", "trainium3", "gaudi3", "mi325x", "ascend-910b"])
def test_a_chip_that_nobody_measured_is_answered(chip):
    found = answer(accelerator=chip)
    assert found["refused"] == ""
    assert np.isfinite([found[name] for name in (TTFT, TPOT, RATE)]).all()
    assert np.isfinite(found[POWER]) == (CATALOG.accelerators[chip].tdp_w is not None)


@pytest.mark.parametrize("chip", ["rubin-cpx", "tpu-8t", "tpu-8i"])
def test_a_chip_without_a_rate_for_the_weights_is_refused_or_answered(chip):
    found = answer(accelerator=chip)
    assert found["refused"] or np.isfinite(found[RATE])


def test_weights_that_do_not_fit_the_chips_are_refused():
    found = answer(model="llama-3.1-405b", weight_precision="bf16", n_accelerators="1", tp="1")
    assert "fit" in found["refused"]


@pytest.mark.parametrize("n", ["4", "0.1", "0.001"])
def test_replicas_without_a_request_each_answer_as_with_one(n):
    one = answer(n_accelerators="64", concurrency="8")[TTFT]
    assert answer(n_accelerators="64", concurrency=n)[TTFT] == pytest.approx(one, rel=0.02)


def test_a_prefix_longer_than_its_prompt_is_refused():
    assert answer(input_tokens="1000", cached_input_tokens="2000")["refused"]
