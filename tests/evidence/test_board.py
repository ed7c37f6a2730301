"""What single steps on one board show, and that the report's sentences about them hold."""

import numpy as np
import pandas as pd
import pytest

from planner.evidence import board, board_report
from planner.facts.catalog import load_catalog
from planner.physics.profile import profile
from planner.physics.transformer import mixed_work

CATALOG = load_catalog()
HELD = board.read()
STEPS = board.beside(HELD, CATALOG)
MEAN = HELD.groupby("id").mean(numeric_only=True)
DECODE = STEPS[STEPS["phase"] == board.DECODE]


def watts(name):
    return MEAN.loc[name, "power_w"]


def test_the_table_is_whole():
    assert len(HELD) == 145
    assert not HELD.duplicated(["id", "run"]).any()
    assert HELD["power_w"].between(60, 710).all()
    assert (HELD["step_p10_s"] <= HELD["step_s"]).sum() == HELD["step_s"].notna().sum()
    assert set(HELD["model"].dropna()) <= set(CATALOG.models)


def test_three_meters_of_the_board_agree():
    """The energy counter, the board's own mean, and what it shows at each moment."""
    busy = HELD[HELD["busy_frac"] == 1]
    for name in ("average_w", "instant_w"):
        assert busy[name].to_numpy() == pytest.approx(busy["power_w"].to_numpy(), rel=0.04), name


def test_two_runs_agree():
    first, then = (HELD[HELD["run"] == run].set_index("id") for run in (1, 2))
    both = first.index.intersection(then.index)
    assert len(both) > 50
    assert np.abs(then["step_s"] / first["step_s"] - 1)[both].max() < 0.04
    assert np.abs(then["power_w"] / first["power_w"] - 1)[both].max() < 0.08


@pytest.mark.parametrize(("model", "chips"), [("llama-3.1-8b", 1), ("llama-3.1-70b", 8)])
def test_the_script_counts_the_same_work_as_we_do(model, chips):
    """Two counts of FLOP that share no code; of bytes where a chip holds a whole copy."""
    rows = STEPS[STEPS["model"] == model]
    batch, context, prompt = (
        rows[name].to_numpy(float) for name in ("batch", "context_tokens", "prompt_tokens")
    )
    held = profile(CATALOG.models[model], "bf16", "bf16")
    work = mixed_work(held, batch, np.maximum(context - 1, 0), prompt, 0.0, chunks=prompt > 0)
    assert chips * rows["flop"].to_numpy() == pytest.approx(work.flop, rel=1e-6)
    if chips == 1:
        assert rows["moved_bytes"].to_numpy() == pytest.approx(work.moved_bytes, rel=1e-6)


def test_no_step_beats_the_data_sheet():
    chip = CATALOG.accelerators[board.CHIP]
    rows = HELD[HELD["step_s"].notna()]
    rate = rows["flop"] / rows["step_s"]
    assert (rate <= rows["precision"].fillna("bf16").map(board.peaks(CATALOG))).all()
    assert (rows["moved_bytes"] / rows["step_s"] <= chip.memory_bytes_per_s.value).all()


def test_kernels_take_the_time_that_we_say():
    """Held out: no row of this table is fitted to."""
    assert STEPS["time_error_frac"].abs().median() < 0.08
    assert STEPS["time_error_frac"].abs().max() < 0.18


def test_our_draw_of_a_step_is_near_and_never_far_above():
    """It is right for memory traffic alone, and too low where the board meets its limit."""
    assert STEPS["power_error_frac"].abs().median() < 0.055
    assert STEPS["power_error_frac"].max() < 0.06
    alone = HELD[(HELD["kernel"] == "read") & (HELD["busy_frac"] == 1)]
    assert board.ours_w(alone, CATALOG) == pytest.approx(alone["power_w"].to_numpy(), rel=0.10)
    limited = STEPS[STEPS["at_power_limit"]]
    assert (limited["power_error_frac"] < -0.01).all()


def test_prefill_draws_the_limit_and_decode_of_one_two_thirds_of_it():
    tdp = CATALOG.accelerators[board.CHIP].tdp_w.value
    whole = STEPS[STEPS["tp"] == 1]
    prefill = whole[whole["phase"] == board.PREFILL]["power_w"] / tdp
    alone = whole[(whole["phase"] == board.DECODE) & (whole["batch"] == 1)]["power_w"] / tdp
    assert prefill.between(0.97, 1.01).all()
    assert alone.between(0.63, 0.70).all()


@pytest.mark.parametrize("key", list(DECODE.groupby(["run", "model", "context_tokens"]).groups))
def test_draw_and_step_grow_with_the_batch_up_to_the_limit(key):
    rows = DECODE.set_index(["run", "model", "context_tokens"]).loc[[key]].sort_values("batch")
    assert rows["step_s"].is_monotonic_increasing
    free = rows[~rows["at_power_limit"]]
    assert free["power_w"].is_monotonic_increasing
    assert (rows[rows["at_power_limit"]]["power_w"] > 680).all()


def test_the_clock_gives_way_only_at_the_power_limit():
    highest = HELD["sm_clock_hz"].max()
    busy = HELD[HELD["phase"].isin([*board.PHASES, "product", "stream"])]
    assert (busy[busy["at_power_limit"] == 0]["sm_clock_hz"] == highest).all()


def test_a_held_chip_rests_far_above_the_idle_of_the_catalog():
    idle = board.idle_w(CATALOG)
    assert watts("rest-no-context") == pytest.approx(idle, rel=0.03)
    for name in ("rest-context-loaded", "rest-after-work", "stream-awake"):
        assert 118 < watts(name) < 131


def test_draw_mixes_by_time_where_memory_binds():
    waits = board.mixed_by_time(HELD)
    assert len(waits) == 9
    near = waits[waits["phase"] != board.PREFILL]
    assert near["mixed_w"].to_numpy() == pytest.approx(near["power_w"].to_numpy(), rel=0.03)
    prompts = waits[waits["phase"] == board.PREFILL]
    assert (prompts["power_w"] > 1.05 * prompts["mixed_w"]).all()


def test_a_bit_costs_what_the_report_says():
    def above_j(name, moved):
        row = MEAN.loc[name]
        return (row["power_w"] - watts("stream-awake")) * row["step_s"] / row[moved] / 8

    memory = above_j("stream-read-264", "moved_bytes")
    assert memory == pytest.approx(17.6e-12, rel=0.02)
    assert above_j("stream-read-cache-264", "cache_bytes") == pytest.approx(5.2e-12, rel=0.02)
    zeros = above_j("stream-read-zeros-264", "moved_bytes")
    assert memory - zeros == pytest.approx(6.4e-12, rel=0.03)
    assert memory > CATALOG.number("power.energy.article_hbm_j_per_bit").value


def test_the_section_shows_every_step_and_leaves_nothing_open():
    text = board_report.section(HELD, CATALOG)
    assert "{" not in text
    assert "nan" not in text
    steps = STEPS.drop_duplicates(["phase", "model", "batch", "context_tokens", "prompt_tokens"])
    assert text.count(", llama-3.1-") == len(steps)


def test_a_folder_of_ones_own_is_read(tmp_path):
    pd.read_csv("hardware_catalog/measured/h100_bench.csv").head(3).to_csv(
        tmp_path / board.FILE, index=False
    )
    assert len(board.read(tmp_path)) == 3
