"""Somebody new: a fresh clone in an empty home, and the commands of the README, word for word.

Only what makes repeating cheap is shared with the machine: the caches of the installers.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.docs.blocks import blocks, commands, fault
from tests.sources import ROOT
from tests.web.conftest import free_port, wait_for

KEPT = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
KEPT_ABOUT = ("PIP_", "UV_", "HTTP_", "HTTPS_", "NO_PROXY", "http_", "https_", "no_proxy")
INSTALL_S = 240


def caches():
    """Where pip and uv keep what they have downloaded before."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return {"UV_CACHE_DIR": str(home / "uv"), "PIP_CACHE_DIR": str(home / "pip")}


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    """The environment of somebody who has just sat down."""
    home = tmp_path_factory.mktemp("home")
    kept = {k: v for k, v in os.environ.items() if k in KEPT or k.startswith(KEPT_ABOUT)}
    folders = [p for p in kept["PATH"].split(os.pathsep) if not p.startswith(sys.prefix)]
    names = ("CACHE", "CONFIG", "DATA", "STATE")
    own = {f"XDG_{name}_HOME": str(home / name.lower()) for name in names}
    return caches() | kept | own | {"PATH": os.pathsep.join(folders), "HOME": str(home)}


@pytest.fixture(scope="module")
def clone(tmp_path_factory, around):
    """A fresh clone. Skips where the package index cannot be reached."""
    folder = tmp_path_factory.mktemp("fresh") / "switchyard"
    cloned = ["git", "clone", "--quiet", str(ROOT), str(folder)]
    subprocess.run(cloned, env=around, check=True, capture_output=True)
    first = ["download", "--quiet", "--require-hashes", "-r", "requirements-uv.lock"]
    asked = subprocess.run(
        [sys.executable, "-m", "pip", *first, "-d", str(folder.parent / "asked")],
        cwd=folder, env=around, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if asked.returncode:
        pytest.skip(f"the package index cannot be reached: {asked.stderr.strip()[-200:]}")
    return folder


def blocks_of(clone, *kinds):
    readme = (clone / "README.md").read_text(encoding="utf-8")
    return [block for block in blocks(readme) if block.kind in kinds]


@pytest.fixture(scope="module")
def dashboard(clone, around):
    """The dashboard, opened as the README says, on a free port."""
    lines = [line for block in blocks_of(clone, "sh") for line in block.text.splitlines()]
    (typed,) = [line for line in lines if line.startswith("make app")]
    port = free_port()
    with (clone.parent / "make.log").open("w") as log:
        server = subprocess.Popen(
            ["bash", "-c", typed], cwd=clone, env=around | {"PORT": str(port), "CI": "true"},
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            wait_for(server, f"http://127.0.0.1:{port}/_stcore/health", patience_s=INSTALL_S)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def test_a_newcomer_sees_the_dashboard(dashboard):
    assert dashboard


def test_a_newcomer_s_commands_do_what_the_readme_shows(dashboard, clone, around):
    typed = [each for block in blocks_of(clone, "console") for each in commands(block.text)]
    assert typed
    assert not list(filter(None, (fault(each, clone, around) for each in typed)))
    (brief,) = clone.glob("*.pdf")
    assert len(PdfReader(brief).pages) == 1


def test_a_newcomer_s_python_runs(dashboard, clone, around):
    written = "".join(block.text for block in blocks_of(clone, "python"))
    assert "import planner" in written
    command = [".venv/bin/python", "-c", written]
    said = subprocess.run(
        command, cwd=clone, env=around, check=True, capture_output=True, text=True
    )
    assert said.stdout.strip()
