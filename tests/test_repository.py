"""What every file of the repository keeps: no address, no place on a machine, hashed locks."""

import ast
import re
from pathlib import Path

import pytest

from tests.sources import ROOT, tracked, tree

TEXT_FILES = [
    path
    for path in tracked()
    if Path(path).suffix in {"", ".py", ".toml", ".md", ".yml", ".yaml", ".lock", ".cfg", ".typ"}
    and not path.startswith("LICENSE")
]


@pytest.mark.parametrize("path", TEXT_FILES)
def test_no_file_names_a_package_registry_or_a_place_on_somebodys_machine(path):
    # Written in two halves, so that this file does not name them either.
    registries = ["py" + "pi.org", "python" + "hosted.org", "deb." + "debian.org"]
    places = ["/wo" + "rk/", "/op" + "t/", "/ro" + "ot/", "/home" + "/", "/Use" + "rs/"]
    text = (ROOT / path).read_text(errors="replace")
    assert not [word for word in registries + places if word in text]


@pytest.mark.parametrize("path", [p for p in tracked() if p.endswith(".py")])
def test_nothing_reads_the_material_it_was_made_from(path):
    used = {n.value for n in ast.walk(tree(path)) if isinstance(n, ast.Constant)}
    assert not [text for text in used if isinstance(text, str) and re.search(r"\bshared/", text)]


@pytest.mark.parametrize("path", [p for p in tracked() if p.endswith(".lock")])
def test_s4_a_lock_pins_every_package_by_hash_and_names_no_address(path):
    lines = (ROOT / path).read_text().splitlines()
    pins = [n for n, line in enumerate(lines) if re.match(r"[a-z0-9]", line)]
    assert pins
    for n in pins:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+ .*\\$", lines[n]), lines[n]
        assert lines[n + 1].strip().startswith("--hash=sha256:"), lines[n]
    assert not [
        line for line in lines if re.search(r"://|^\s*-{1,2}[fi]|@", line) and "--hash" not in line
    ]


def test_the_locks_of_all_extras_share_one_base():
    def pins(path: str) -> dict[str, str]:
        text = (ROOT / path).read_text()
        return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", text, re.MULTILINE))

    base = pins("requirements.lock")
    for extra in ("docs", "hosted", "postgres", "spark", "test"):
        locked = pins(f"requirements-{extra}.lock")
        assert base.items() <= locked.items()
        assert locked.keys() > base.keys()
