"""What leaves the repository: a wheel with its facts, and a container that runs as nobody."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The unpacked wheel, as an installer would lay it out."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("switchyard-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run_elsewhere(installed, code):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=installed.parent,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_an_installed_wheel_reads_its_own_facts(installed):
    code = (
        "from planner.facts import catalog as c; print(c.__file__, len(c.load_catalog().sources))"
    )
    file, n_sources = run_elsewhere(installed, code).rsplit(" ", 1)
    assert Path(file).is_relative_to(installed)
    assert int(n_sources) > 0


def test_an_installed_wheel_opens_a_store(installed):
    ask = "planner.Store('sqlite:///s.sqlite').scenarios.listed(planner.Identity('ann', 'viewer'))"
    code = f"import planner; print({ask})"
    assert run_elsewhere(installed, code) == "[]"


def test_an_installed_wheel_makes_every_document(installed):
    code = (
        "import planner; from planner.export.bundle import Bundle;"
        "held = Bundle(planner.plan(planner.Scenario.read({'profile': 'enterprise'})));"
        "print(len(held.files('appendix')), len(held.files('xlsx')), len(held.files('toml')))"
    )
    assert run_elsewhere(installed, code) == "1 1 1"


def test_a_wheel_carries_every_fact_and_nothing_of_the_tests(installed):
    carried = {p.relative_to(installed) for p in installed.rglob("*") if p.is_file()}
    facts = {p.relative_to(ROOT) for p in (ROOT / "hardware_catalog").rglob("*.*") if p.is_file()}
    assert facts <= carried
    assert {p.parts[0] for p in carried} == {
        "planner", "hardware_catalog", f"switchyard-{PROJECT['version']}.dist-info"
    }  # fmt: skip


def test_the_licence_is_the_one_that_is_declared():
    assert PROJECT["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text()


def test_s4_the_container_installs_only_what_the_hashes_allow_and_runs_as_nobody():
    installs = re.findall(r"pip install .*?-r \S+", DOCKERFILE.replace("\\\n", ""))
    assert len(installs) == 2
    assert all("--require-hashes" in install for install in installs)
    last_stage = DOCKERFILE.split("\nFROM ")[-1]
    assert "\nUSER 10001:10001\n" in last_stage
    assert "/_stcore/health" in last_stage


def test_the_container_is_given_every_file_it_copies():
    copies = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    copied = {name for line in copies for name in line.split()[:-1]}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    assert copied == allowed
