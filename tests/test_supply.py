"""S4: what a hosted installation is made of, under which licences, and how it is contained."""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

from server.settings import DEFAULTS
from tests.sources import PLANNER, ROOT, SERVER, tracked

LOCK = (ROOT / "requirements-hosted.lock").read_text()
LOCKED = dict(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", LOCK, re.MULTILINE))
# Licences under which a company may run a package, as it is, on its own machines.
WELCOME = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|MPL|Mozilla Public|PSF|Python Software|Zlib|CC0|HPND|Unlicense"
    r"|LGPL-3.0)\b"
)
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()
# Of another sign-in than the one that compose.yaml sets up, or set by the image.
NOT_HANDED_ON = {
    "SWITCHYARD_DATA_DIR",
    "SWITCHYARD_PROXY_GROUPS_HEADER",
    "SWITCHYARD_PROXY_SECRET",
    "SWITCHYARD_PROXY_SIGN_OUT_URL",
    "SWITCHYARD_PROXY_USER_HEADER",
}


def licence(name):
    """What a package says of its own licence, or None where it is for another platform."""
    try:
        held = metadata(name)
    except PackageNotFoundError:
        return None
    said = [held.get("License-Expression", ""), (held.get("License") or "").split("\n")[0]]
    return " ".join(said + [c for c in held.get_all("Classifier", []) if c.startswith("License")])


@pytest.mark.parametrize("name", LOCKED)
def test_s4_a_company_may_run_every_package(name):
    said = licence(name)
    assert said is None or WELCOME.search(said), said


def test_s4_the_bill_of_materials_names_every_package_by_hash(tmp_path):
    made = tmp_path / "sbom.json"
    command = ["cyclonedx_py", "requirements", "requirements-hosted.lock", "-o", str(made)]
    subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True, capture_output=True)
    parts = {part["name"]: part for part in json.loads(made.read_text())["components"]}
    assert {name: part["version"] for name, part in parts.items()} == LOCKED
    for part in parts.values():
        assert any(place.get("hashes") for place in part["externalReferences"]), part["name"]


def test_s4_no_secret_is_kept_beside_the_code():
    marks = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|password\s*=\s*['\"]\w|AKIA[0-9A-Z]{16}")
    texts = ((path, ROOT / path) for path in tracked() if not path.startswith("tests/"))
    assert not [p for p, file in texts if marks.search(file.read_text(errors="replace"))]
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text()


def test_s4_the_image_runs_as_nobody_and_says_when_it_is_well():
    last_stage = DOCKERFILE.split("\nFROM ")[-1]
    assert re.search(r"^USER 10001:10001$", last_stage, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", last_stage, re.MULTILINE)
    assert not re.search(r"^ADD |curl|wget|apt-get|sudo|chmod 777", DOCKERFILE, re.MULTILINE)
    assert not re.search(r"^(ENV|ARG).*(SECRET|PASSWORD|TOKEN)", DOCKERFILE, re.MULTILINE)


def test_s4_containers_cannot_write_their_own_files_or_gain_rights():
    ours, proxy = (
        COMPOSE.split("services:")[0],
        COMPOSE.split("  proxy:")[1].split("  database:")[0],
    )
    for part in (ours, proxy):
        assert "read_only: true" in part
        assert "cap_drop: [ALL]" in part
        assert "no-new-privileges:true" in part
    assert COMPOSE.count("ports:") == 1
    assert not re.search(r"(SECRET|PASSWORD): ", COMPOSE)


def test_every_setting_that_is_read_reaches_the_containers():
    named = re.compile(r'"(SWITCHYARD_[A-Z_]+[A-Z])"')
    read = {name for path in PLANNER + SERVER for name in named.findall((ROOT / path).read_text())}
    handed = re.findall(r"^    (SWITCHYARD_\w+?)(?:_FILE)?: (.*)$", COMPOSE, re.MULTILINE)
    assert {name for name, _ in handed} == read - NOT_HANDED_ON
    optional = {name: value for name, value in handed if value.endswith(":-}")}
    assert optional == {name: f"${{{name}:-}}" for name in optional}
    assert set(DEFAULTS) - NOT_HANDED_ON - {"SWITCHYARD_AUTH"} <= set(optional)


def test_s4_a_linter_of_dockerfiles_finds_nothing():
    linted = [Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile"]
    done = subprocess.run(linted, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
