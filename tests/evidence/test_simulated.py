"""Kept simulations are those of today's simulator, and the table beside them says what it shows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from planner.evidence import simulated
from planner.facts.catalog import load_catalog
from tests.oracle import comparison

CATALOG = load_catalog()
HELD = simulated.read()
SOME = [
    ("prefill pool", 5),
    ("decode pool", 5),
    ("chunked replica", 11),
    ("prefill-priority replica", 11),
]


@pytest.fixture(scope="module")
def compared():
    return {(each.pool, each.quantity): each for each in simulated.beside(HELD, CATALOG)}


def kept(pool, case):
    return HELD[(HELD["pool"] == pool) & (HELD["case"] == case)].iloc[0]


@pytest.mark.parametrize(("pool", "case"), SOME)
def test_a_kept_case_is_what_the_simulator_shows(pool, case, monkeypatch):
    """One run of the four: the others differ by as much as their noise says."""
    monkeypatch.setattr(comparison, "N_RUNS", 2)
    again, row = comparison.as_row(pool, case), kept(pool, case)
    for name in ("requests_per_s", "load"):
        assert again[name] == pytest.approx(row[name], rel=1e-5)
    for name in simulated.QUANTITIES:
        if name in again:
            noise = row[f"{name.removesuffix('_s')}_noise_frac"]
            assert again[name] == pytest.approx(row[name], rel=5 * noise + 1e-5), name


@pytest.mark.sweep
@pytest.mark.parametrize(("pool", "case"), SOME)
def test_a_kept_case_is_simulated_again_to_the_digit(pool, case):
    again, row = comparison.as_row(pool, case), kept(pool, case)
    for name in row.dropna().index.drop("pool"):
        assert again[name] == pytest.approx(row[name], rel=1e-5), name


@pytest.mark.parametrize(("pool", "case"), SOME)
def test_ours_is_what_the_formula_says_of_the_case(pool, case):
    """By the curves that were simulated, not by the parameters that are kept."""
    make, _, predict = comparison.KINDS[pool]
    _, ours = predict(make(np.random.default_rng([comparison.SEED, case])))
    rows = HELD[(HELD["pool"] == pool) & (HELD["case"] == case)].reset_index(drop=True)
    found = simulated.predicted(pool, rows)
    assert found.keys() == ours.keys()
    for name, value in ours.items():
        assert found[name][0] == pytest.approx(value, rel=1e-3)


def test_each_pool_met_two_hundred_cases_and_more():
    assert HELD.groupby("pool").size().to_dict() == dict.fromkeys(simulated.POOLS, 240)
    assert HELD["load"].between(0.2, 0.85).all()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_within_counts_cases_by_size_of_error(share, compared):
    one = next(iter(compared.values()))
    error = np.where(np.arange(10) < 10 * share, -0.9, 1.1) * one.target_frac
    assert replace(one, error_frac=error).within_frac == pytest.approx(share)


SHARES = {
    ("prefill pool", "ttft_mean_s"): 0.95,
    ("prefill pool", "ttft_quantile_s"): 0.95,
    ("decode pool", "tpot_mean_s"): 1.0,
    ("decode pool", "tpot_quantile_s"): 0.99,
    ("chunked replica", "ttft_mean_s"): 0.95,
    ("chunked replica", "ttft_quantile_s"): 0.93,
    ("chunked replica", "tpot_mean_s"): 0.97,
    ("chunked replica", "tpot_quantile_s"): 0.96,
    ("chunked replica", "itl_quantile_s"): 0.95,
    ("prefill-priority replica", "ttft_mean_s"): 0.91,
    ("prefill-priority replica", "ttft_quantile_s"): 0.91,
    ("prefill-priority replica", "tpot_mean_s"): 0.97,
    ("prefill-priority replica", "tpot_quantile_s"): 0.92,
    ("prefill-priority replica", "itl_quantile_s"): 0.93,
}


@pytest.mark.parametrize(("pool", "quantity"), SHARES)
def test_nearly_all_cases_keep_to_the_target(pool, quantity, compared):
    """And the typical error is a third of it."""
    each = compared[pool, quantity]
    assert each.within_frac >= SHARES[pool, quantity]
    assert np.median(np.abs(each.error_frac)) <= each.target_frac / 3


def test_the_section_shows_every_pool_and_its_worst_cases():
    text = simulated.section(HELD, CATALOG)
    for pool in simulated.POOLS:
        assert text.count(f"| {pool} |") >= 2
    assert "240 random cases" in text
    assert "{" not in text


def test_a_folder_of_ones_own_is_read(tmp_path):
    HELD.head(3).to_csv(tmp_path / simulated.FILE, index=False)
    pd.testing.assert_frame_equal(simulated.read(tmp_path), HELD.head(3))
