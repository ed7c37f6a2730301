"""The fit finds what is true, moves what rows speak for, and stays where the shipped file says."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

import planner
from planner.errors import PredictError
from planner.evidence.calibrate import recalibrated, shifts_of
from planner.evidence.crossval import folds
from planner.evidence.fitting import Fit, fitted
from planner.evidence.measured import own, shipped
from planner.evidence.named import TOLERANCE, differing, keep, with_named
from tests.evidence.stand_ins import CATALOG, RATE, SPLIT, answers, given

pytestmark = pytest.mark.filterwarnings("ignore:'str' is not supported as a fill value")

HELD = shipped(CATALOG)
SHIPPED = CATALOG.calibration
TIMES = {"ttft_s": "predicted_ttft_s", "tpot_s": "predicted_tpot_s"}
EVERYWHERE = (
    {},
    {"accelerator": "b200-sxm", "engine": "trtllm", "weight_precision": "fp4"},
    {"accelerator": "mi355x", "engine": "sglang"},
    {"model": "deepseek-r1", "accelerator": "h200-sxm", "engine": "sglang"},
    SPLIT | {"model": "gpt-oss-120b", "accelerator": "gb200-nvl72", "engine": "trtllm"},
)


def measured_file(tmp_path, rows, *, catalog=CATALOG, slower=1.0):
    """A file whose rows were measured by the model itself, times so much longer."""
    found = answers(*rows, catalog=catalog)
    table = given(*rows)
    for name, ours in TIMES.items():
        table[name] = (found[ours] * slower).map(str)
    table["output_tokens_per_s_per_accelerator"] = (found[RATE] / slower).map(str)
    path = tmp_path / "own.csv"
    table.to_csv(path, index=False)
    return path


def moved_by(path, rows):
    """Time per output token of some rows after recalibration over that before."""
    after = replace(CATALOG, calibration=recalibrated(own(path, CATALOG), CATALOG))
    return answers(*rows, catalog=after)["predicted_tpot_s"] / answers(*rows)["predicted_tpot_s"]


def warm(shifts):
    return Fit(HELD.numbers, tuple(shifts), np.array([*shifts.values()]), np.zeros(len(shifts)))


def apart_from_shipped(begin):
    """Where a fit from a start ends, by unknown, less the shipped number."""
    found = fitted(HELD.rows.at(np.flatnonzero(HELD.fit)), HELD.numbers, warm=warm(begin))
    known = shifts_of(SHIPPED, HELD.numbers)
    pairs = zip(found.keys, found.shifts, strict=True)
    return {key: shift - known.get(key, 0.0) for key, shift in pairs}


def test_the_shipped_numbers_are_where_the_fit_ends():
    apart = apart_from_shipped(shifts_of(SHIPPED, HELD.numbers))
    assert {key: by for key, by in apart.items() if abs(by) > TOLERANCE} == {}


def test_numbers_that_are_not_the_fit_do_not_stay():
    start, key = shifts_of(SHIPPED, HELD.numbers), ("memory_frac", "", "")
    by = 5 * TOLERANCE
    assert apart_from_shipped(start | {key: start[key] + by})[key] < by - TOLERANCE


def slower_kernels(number, engine, by):
    effect = number.effects["engine"][engine]
    engines = {**number.effects["engine"], engine: replace(effect, value=effect.value + by)}
    return replace(number, effects={**number.effects, "engine": engines})


def test_a_known_truth_is_found_again(tmp_path):
    slower = slower_kernels(SHIPPED.numbers["layer_overhead_s"], "vllm", 0.3)
    truth = replace(SHIPPED, numbers={**SHIPPED.numbers, "layer_overhead_s": slower})
    rows = [
        {"concurrency": n, "tp": tp, "n_accelerators": tp, "input_tokens": "200", "model": model}
        for n in ("1", "2", "4", "8", "16", "32")
        for tp in ("2", "4", "8")
        for model in ("llama-3.1-70b", "qwen3-32b")
    ]
    told = replace(CATALOG, calibration=truth)
    held = own(measured_file(tmp_path, rows, catalog=told), CATALOG)
    found = recalibrated(held, CATALOG)
    groups = held.rows.groups[0]
    before, after, true = (
        np.log(each.numbers["layer_overhead_s"].at(groups)) for each in (SHIPPED, found, truth)
    )
    assert true - before == pytest.approx(0.3, abs=1e-3)
    assert after == pytest.approx(true, abs=0.02)
    ours = answers(*rows, catalog=replace(CATALOG, calibration=found))["predicted_tpot_s"]
    np.testing.assert_allclose(ours, held.table["tpot_s"], rtol=3e-3)


def test_points_that_the_shipped_numbers_explain_move_nothing(tmp_path):
    path = measured_file(tmp_path, [{"concurrency": n} for n in ("1", "8", "64")])
    assert differing(SHIPPED, recalibrated(own(path, CATALOG), CATALOG)) == ""


TWO = ({"concurrency": "16"}, {"concurrency": "64"})


def test_two_rows_that_are_slower_make_their_own_kind_slower(tmp_path):
    own_kind = moved_by(measured_file(tmp_path, TWO, slower=1.3), TWO)
    assert own_kind.between(1.1, 1.33).all()


def test_two_rows_leave_the_effects_of_other_groups(tmp_path):
    found = recalibrated(own(measured_file(tmp_path, TWO, slower=1.3), CATALOG), CATALOG)
    mine = ("h100", "hopper", "vllm", "dense")
    moved = {
        (name, level, group)
        for name, number in SHIPPED.numbers.items()
        for level, groups in number.effects.items()
        for group, effect in groups.items()
        if found.numbers[name].effects[level][group] != effect
    }
    assert moved
    assert {key for key in moved if not any(word in key[2] for word in mine)} == set()


def test_two_rows_leave_what_belongs_to_other_groups(tmp_path):
    others = moved_by(measured_file(tmp_path, TWO, slower=1.3), EVERYWHERE[2:4])
    np.testing.assert_allclose(others, 1, atol=0.03)


def test_one_row_moves_its_group_less_than_fifty(tmp_path):
    """Where only an engine's effect may move, it takes up part of what one row says."""
    held = own(measured_file(tmp_path, TWO[:1], slower=1.2), CATALOG)
    free, key = "layer_overhead_s", ("layer_overhead_s", "engine", "vllm")
    pinned = {
        name: replace(number, own=1e-4, levels={"engine": 0.1} if name == free else {})
        for name, number in held.numbers.items()
    }
    before = shifts_of(SHIPPED, HELD.numbers)
    fits = [fitted(held.rows.at(np.zeros(n, int)), pinned, before=before) for n in (1, 50)]
    moved = [fit.shifts[fit.keys.index(key)] - before[key] for fit in fits]
    spread = [fit.spread[fit.keys.index(key)] for fit in fits]
    assert 0.01 < moved[0] < moved[1] / 2
    assert spread[1] < spread[0] < 0.1


def test_copies_of_a_measurement_count_once(tmp_path):
    """0.3 % apart is a copy, 1 % is a repeat of its own; so is another concurrency."""
    path = measured_file(tmp_path, [{}, {}, {}, {"concurrency": "33"}])
    lines = path.read_text().splitlines()
    tpot = answers({})["predicted_tpot_s"].iloc[0]
    near, far = (lines[1].replace(str(tpot), str(tpot * by)) for by in (1.003, 1.01))
    path.write_text("\n".join([lines[0], lines[1], near, far, lines[4]]) + "\n")
    held = own(path, CATALOG)
    assert list(held.original) == [0, 0, 2, 3]
    assert list(held.copy) == list(~held.fit) == [False, True, False, False]


def test_faults_are_kept_and_not_fitted():
    treatments = {"left out", "first token left out", "not fitted", "kept"}
    assert set(HELD.fault) == {"", *treatments}
    assert not HELD.fit[np.isin(HELD.fault, ["left out", "not fitted"])].any()
    failed = HELD.table["id"].isin(["M0465", "M0466", "M0467", "M0468"])
    assert failed.sum() == 4
    assert not HELD.fit[failed].any()
    late = HELD.fault == "first token left out"
    assert np.isnan(HELD.rows.measured["ttft"][late]).all()
    assert np.isfinite(HELD.rows.measured["tpot"][late]).any()


def test_nothing_that_was_measured_is_nothing():
    for values in HELD.rows.measured.values():
        assert (values[~np.isnan(values)] > 0).all()


def test_models_of_one_architecture_are_one_pair():
    models = HELD.table["model"]
    r1, v3 = (set(HELD.pair[models == name]) for name in ("deepseek-r1", "deepseek-v3"))
    assert r1 & v3
    assert "deepseek-r1 mi355x" in SHIPPED.pairs
    assert "deepseek-v3 mi355x" in SHIPPED.pairs


@pytest.mark.parametrize("scope", ["rows", "pairs", "chips"])
def test_folds_keep_together_what_belongs_together(scope):
    labels = {"rows": HELD.original, "pairs": HELD.pair, "chips": HELD.table["accelerator"]}[scope]
    parts = list(folds(HELD, scope, 5))
    everything = np.concatenate(parts)
    assert len(parts) == (HELD.table["accelerator"].nunique() if scope == "chips" else 5)
    assert sorted(everything) == list(range(len(HELD.table)))
    inside = [set(np.asarray(labels)[part]) for part in parts]
    assert sum(map(len, inside)) == len(set.union(*inside))


def test_folds_of_rows_are_alike_in_size():
    sizes = [len(part) for part in folds(HELD, "rows", 5)]
    assert max(sizes) < 1.2 * min(sizes)


def test_own_points_are_read_without_a_warning(tmp_path):
    path = measured_file(tmp_path, TWO)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert own(path, CATALOG)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"tpot_s": "-1"}, "Row 2: tpot_s: -1 is outside"),
        ({"tpot_s": "25"}, "Is it in milliseconds?"),
        ({"tp": "many", "tpot_s": "0.02"}, "Row 2: tp: many is no finite number"),
        ({}, "measures nothing; fill one of ttft_s, tpot_s"),
    ],
)
def test_points_that_cannot_be_fitted_are_refused(cells, said, tmp_path):
    path = tmp_path / "own.csv"
    given(cells).to_csv(path, index=False)
    with pytest.raises(PredictError) as refusal:
        own(path, CATALOG)
    assert said in str(refusal.value)


def test_without_a_calibration_nothing_is_moved(tmp_path):
    held = own(measured_file(tmp_path, TWO), CATALOG)
    with pytest.raises(PredictError, match="no calibration"):
        recalibrated(held, replace(CATALOG, calibration=None))


def test_a_named_calibration_is_kept_and_used(tmp_path, monkeypatch):
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path / "data"))
    path = measured_file(tmp_path, TWO, slower=1.3)
    kept = planner.recalibrate(path, "site-7")
    assert kept == tmp_path / "data" / "calibrations" / "site-7.toml"
    own_numbers, usual = (planner.predict(path, calibration=name) for name in ("site-7", ""))
    assert (own_numbers["predicted_tpot_s"] > 1.1 * usual["predicted_tpot_s"]).all()
    with pytest.raises(PredictError, match="no calibration 'site-8'; kept are: site-7"):
        planner.predict(path, calibration="site-8")
    kept.write_text("[compute_frac", encoding="utf-8")
    with pytest.raises(PredictError, match="'site-7' cannot be read"):
        planner.predict(path, calibration="site-7")


def test_what_is_kept_reads_back_the_same(tmp_path):
    keep(SHIPPED, "copy", tmp_path)
    assert with_named(CATALOG, "copy", tmp_path).calibration == SHIPPED


@pytest.mark.parametrize("name", ["", ".", "../up", "a/b", "a b", "-x", ".x", "x" * 65, "ü", "a\n"])
def test_a_name_that_makes_no_file_is_refused(name, tmp_path):
    with pytest.raises(PredictError, match="cannot name a calibration"):
        keep(SHIPPED, name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_first_number_that_differs_is_named():
    numbers = SHIPPED.numbers
    changed = slower_kernels(numbers["layer_overhead_s"], "vllm", 2 * TOLERANCE)
    assert differing(SHIPPED, SHIPPED) == ""
    other = replace(SHIPPED, numbers={**numbers, "layer_overhead_s": changed})
    assert differing(SHIPPED, other) == "layer_overhead_s, engine vllm,"


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_the_shipped_calibration_is_the_fit_of_the_shipped_points():
    planner.check_calibration()
