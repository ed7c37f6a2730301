"""Speed of a plan on this machine: `make bench`."""

import subprocess
import sys

import numpy as np
import pytest

import planner


def test_l2_default_plan_warm(benchmark, record_property):
    """The deterministic plan of the default scenario, catalog loaded: target 50 ms."""
    catalog, scenario = planner.load_catalog(), planner.Scenario()
    planned = benchmark(planner.plan, scenario, catalog)
    record_property("median [s]", benchmark.stats.stats.median)
    assert planned.as_dict()["schema"] == "plan/1"


@pytest.mark.parametrize("n", [1024, 10_000])
def test_sampled(benchmark, n):
    """A plan with its uncertainty: targets 0.4 s at 1,024 draws, 2 s at 10,000."""
    scenario = planner.Scenario()
    planner.plan(scenario, n_samples=1)
    held = benchmark.pedantic(planner.sample, (scenario, n), rounds=5)
    assert sum(held.best_frac.values()) == pytest.approx(1)


def test_sweep_of_ten_thousand_points(benchmark):
    """A hundred ratios by a hundred power ceilings: target 1 s."""
    held = planner.plan(planner.Scenario())
    grid = np.geomspace(0.02, 2, 100), np.linspace(1, 40, 100)
    found = benchmark.pedantic(planner.sweep, (held, *grid), rounds=5)
    assert found.best.size == 10_000


def test_where_the_tornado_turns(benchmark):
    """The search for flip values, done only where it is shown."""

    def fresh():
        return (planner.plan(planner.Scenario(), n_samples=1024),), {}

    turns = benchmark.pedantic(lambda held: held.risk.turns, setup=fresh, rounds=3)
    assert turns


@pytest.mark.parametrize("study", [planner.heat_map, planner.regret])
def test_other_ratios(benchmark, study):
    """The heat map and the regret of a split, each cell sized anew."""
    held = planner.plan(planner.Scenario())
    assert benchmark.pedantic(study, (held,), rounds=3)


@pytest.mark.parametrize("code", ["import planner", "import planner; planner.load_catalog()"])
def test_cold_start(benchmark, code):
    """A new process until it can plan: target 1 s for the import, and the facts read once."""
    command = [sys.executable, "-c", code]
    benchmark.pedantic(subprocess.run, (command,), {"check": True}, rounds=5)
