"""P7: nine in ten small faults in the engine are noticed, and of each other one it is said why not.

`make mutate` finds out anew; here its kept report is held to the row, and its reach to the engine.
"""

import re
import tomllib

import pytest
from mutmut.mutation import file_mutation

from tests import mutants
from tests.sources import ROOT

REPORT = (ROOT / "docs" / "mutation.md").read_text()
ROWS = re.findall(r"^\| `?([\w./]+)`? \| ([\d,]+) \| ([\d,]+) \| (\d+) \|", REPORT, re.MULTILINE)
FAULTS = {name: [int(n.replace(",", "")) for n in numbers] for name, *numbers in ROWS}
MODULES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]["only_mutate"]


@pytest.mark.parametrize("module", FAULTS)
def test_p7_tests_kill_well_over_80_percent_of_the_faults(module):
    put_in, killed, survived = FAULTS[module]
    assert killed + survived == put_in
    assert killed >= 0.9 * put_in


def test_p7_the_report_covers_every_module_and_adds_up():
    assert FAULTS.keys() == {*MODULES, "all"} - {"planner/load/queueing.py"}
    each = [FAULTS[name] for name in FAULTS if name != "all"]
    assert [sum(column) for column in zip(*each, strict=True)] == FAULTS["all"]


def test_p7_every_survivor_was_read():
    shown = REPORT.partition("## Survivors")[2]
    assert "Not yet read" not in shown
    assert len(re.findall(r"^- `", shown, re.MULTILINE)) == FAULTS["all"][2]


@pytest.mark.parametrize(
    ("module", "functions"),
    [
        ("planner/load/prefill.py", {"x_prefill_pool", "x__spread"}),
        ("planner/money/tax.py", {"xǁBridgeǁnet", "xǁBridgeǁfrac", "x_tax_frac"}),
    ],
)
def test_p7_properties_and_decorated_functions_get_faults_too(module, functions, monkeypatch):
    visitor = file_mutation.MutationVisitor
    # set to what they are, so that they are set back to it afterwards
    monkeypatch.setattr(visitor, "_skip_node_and_children", visitor._skip_node_and_children)
    arranged = file_mutation.function_trampoline_arrangement
    monkeypatch.setattr(file_mutation, "function_trampoline_arrangement", arranged)
    monkeypatch.chdir(ROOT)
    mutants.mutate_decorated_functions()
    names = file_mutation.mutate_file_contents(module, (ROOT / module).read_text()).mutant_names
    assert functions <= {name.rpartition("__mutmut_")[0] for name in names}
