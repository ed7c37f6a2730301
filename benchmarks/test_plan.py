"""Speed of a plan on this machine: `make bench`."""

import subprocess
import sys

import pytest

import planner


def test_default_plan_warm(benchmark):
    """The deterministic plan of the default scenario, catalog loaded: target 50 ms."""
    catalog, scenario = planner.load_catalog(), planner.Scenario()
    planned = benchmark(planner.plan, scenario, catalog)
    assert planned.as_dict()["schema"] == "plan/1"


@pytest.mark.parametrize("code", ["import planner", "import planner; planner.load_catalog()"])
def test_cold_start(benchmark, code):
    """A new process until it can plan: target 1 s for the import, and the facts read once."""
    command = [sys.executable, "-c", code]
    benchmark.pedantic(subprocess.run, (command,), {"check": True}, rounds=5)
