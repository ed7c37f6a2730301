"""P7: small faults put into the engine one at a time, and which of them no test notices.

`python -m tests.mutants run` hands over to mutmut; `python -m tests.mutants report` prints
docs/mutation.md from what it found and from the reasons in mutants.toml (`make mutate` does both).
"""

import json
import os
import platform
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import libcst as cst
from mutmut.mutation import file_mutation
from mutmut.mutation.diff_apply import get_diff_for_mutant

FOUND = Path("mutants")
REASONS = Path(__file__).with_suffix(".toml")
SURVIVED, UNTESTED = 0, 33
KILLED = {1, 3, 24, -24, 152}
"""A test failed, pytest itself did, or the tests ran into the limit of time."""

HEAD = """\
# Mutation testing

For whoever changes the engine: which small faults its everyday tests would notice, and which not.

`make mutate` puts one fault at a time into the modules below: a sign turned, a bound moved by one,
an argument left out, a number, a text or a whole term replaced. Then those quick tests run that
come past that place: of money, of load, and of load beside kept simulations (`[tool.mutmut]` in
`pyproject.toml` names them). A fault is killed when one of them fails; row P7 of the reliability
matrix asks for 80 %. Properties and decorated functions are included; constants of a module are
not, and `planner/load/queueing.py` only names what other modules of its room define, so that it
has nothing to change. Reasons stand in `tests/mutants.toml`.

<!-- not run: takes a quarter of an hour and more -->
```sh
make mutate
```
"""


def mutate_decorated_functions():
    """mutmut passes over decorated functions: here all properties and queueing functions.

    Their decorators go with the function that picks the mutant, and only with that one.
    """
    skipped = file_mutation.MutationVisitor._skip_node_and_children
    arranged = file_mutation.function_trampoline_arrangement

    def skip(self, node):
        if isinstance(node, cst.FunctionDef):
            node = node.with_changes(decorators=())
        return skipped(self, node)

    def arrange(function, mutants, class_name):
        before, (picking, *picked), after, names = arranged(function, mutants, class_name)
        bare = [copy.with_changes(decorators=()) for copy in picked]
        return before, [picking, *bare], after, names

    file_mutation.MutationVisitor._skip_node_and_children = skip
    file_mutation.function_trampoline_arrangement = arrange


@dataclass(frozen=True)
class Module:
    """What became of the faults put into a module."""

    path: str
    killed: int
    survivors: list[str]

    @property
    def mutants(self):
        return self.killed + len(self.survivors)

    @property
    def row(self):
        share = 100 * self.killed / self.mutants
        numbers = f"{self.mutants:,} | {self.killed:,} | {len(self.survivors)} | {share:.1f} %"
        return f"| `{self.path}` | {numbers} |"


def modules():
    """Every module with faults, in the order of their names, and the seconds that all took."""
    found, took_s = [], 0.0
    for meta in sorted(FOUND.glob("planner/**/*.meta")):
        held = json.loads(meta.read_text())
        path = meta.relative_to(FOUND).with_suffix("").as_posix()
        if held["exit_code_by_key"]:
            found.append(read(path, held["exit_code_by_key"]))
            took_s += sum(held["durations_by_key"].values())
    return found, took_s


def read(path, exit_codes):
    """Raises ValueError where a mutant was not tried or its tests could not be run."""
    codes = Counter(exit_codes.values())
    if strange := codes.keys() - KILLED - {SURVIVED, UNTESTED}:
        raise ValueError(f"{path}: exit codes {strange} tell nothing; run it again.")
    alive = [name for name, code in exit_codes.items() if code not in KILLED]
    return Module(path, len(exit_codes) - len(alive), [change(path, name) for name in alive])


def change(path, name):
    """The function of a mutant and the line that it changes, as it then reads."""
    lines = get_diff_for_mutant(name, path=path).splitlines()[2:]
    new, old = ([line[1:].strip() for line in lines if line.startswith(sign)] for sign in "+-")
    left_out = [line for line in old if line not in new]
    reads = " ".join(new) if set(new) - set(old) else f"without {' '.join(left_out)}"
    function = name.rpartition(".")[2].rpartition("__mutmut_")[0].removeprefix("x")
    return f"{function.removeprefix('_').removeprefix('ǁ').replace('ǁ', '.')}: {reads}"


def explained(module, reasons):
    """The survivors of a module, those with the same reason together; the unread ones first."""
    left = list(module.survivors)
    known = []
    for row in reasons.get(module.path, []):
        same = [line for line in left if line in row["changes"]]
        left = [line for line in left if line not in same]
        known += [f"{row['reason']}:", *(f"- `{line}`" for line in same), ""] if same else []
        for line in set(row["changes"]) - set(same):
            sys.stderr.write(f"{module.path}: no longer survives: {line}\n")
    unread = ["Not yet read:", *(f"- `{line}`" for line in left), ""] if left else []
    return [*unread, *known]


def report(today):
    found, took_s = modules()
    reasons = tomllib.loads(REASONS.read_text())
    killed = sum(module.killed for module in found)
    total = Module("all", killed, [line for module in found for line in module.survivors])
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    yield HEAD
    machine = f"{os.cpu_count()} cores, {system}, Python {platform.python_version()}"
    yield f"{today:%Y-%m-%d}, {machine}; {took_s / 60:.0f} minutes on one core.\n"
    yield "| module | mutants | killed | survived | share killed |\n|---|---|---|---|---|"
    yield from (module.row for module in found)
    yield f"{total.row}\n\n## Survivors\n"
    yield "Each line as it reads with the fault, behind the function that it stands in.\n"
    for module in found:
        if module.survivors:
            yield f"### {module.path}\n"
            yield from explained(module, reasons)


if __name__ == "__main__":
    if sys.argv[1:] == ["report"]:
        sys.stdout.write("\n".join(report(datetime.now(tz=UTC))).rstrip() + "\n")
    else:
        from mutmut.__main__ import cli

        mutate_decorated_functions()
        cli()
