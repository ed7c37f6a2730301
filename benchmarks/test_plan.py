"""Speed of a plan on this machine: `make bench`."""

import subprocess
import sys

import planner


def test_default_plan_warm(benchmark):
    """The deterministic plan of the default scenario, catalog loaded: target 50 ms."""
    catalog, scenario = planner.load_catalog(), planner.Scenario()
    planned = benchmark(planner.plan, scenario, catalog)
    assert planned.as_dict()["schema"] == "plan/1"


def test_cold_import(benchmark):
    """`import planner` in a new process: target 1 s."""
    benchmark.pedantic(
        subprocess.run, ([sys.executable, "-c", "import planner"],), {"check": True}, rounds=5
    )


def test_catalog_cold(benchmark):
    """Reading every fact from hardware_catalog/."""
    read = getattr(planner.load_catalog, "__wrapped__", planner.load_catalog)
    assert benchmark(read).accelerators
