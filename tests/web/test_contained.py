"""S4: what the Dockerfile starts, started here with its files and command, and without rights."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.conftest import ROOT, free_port, wait_for
from tests.web.visitor import Visitor

DOCKERFILE = (ROOT / "Dockerfile").read_text()
SECRET = "s" * 40
NOBODY = 10001
OTHERS_MAY_ENTER = 0o005


@pytest.fixture
def tree(tmp_path):
    """The files that the image holds, where nobody may write, and the two places where one may."""
    for name in ("app", "data", "tmp"):
        (tmp_path / name).mkdir()
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        for name in line.split():
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, tmp_path / "app" / name)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & OTHERS_MAY_ENTER != OTHERS_MAY_ENTER:
            folder.chmod(0o755)
    subprocess.run(["chmod", "-R", "a-w,a+rX", str(tmp_path / "app")], check=True)
    if os.geteuid() == 0:
        for name in ("data", "tmp"):
            os.chown(tmp_path / name, NOBODY, NOBODY)
    yield tmp_path
    subprocess.run(["chmod", "-R", "u+w", str(tmp_path)], check=True)


def without_rights():
    """As root, become somebody else who may read this interpreter and write nothing of ours."""
    if os.geteuid():
        return []
    if not shutil.which("setpriv"):
        pytest.skip("setpriv (util-linux) is not installed")
    caps = "-all,+dac_read_search"
    user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
    return ["setpriv", *user, f"--inh-caps={caps}", f"--ambient-caps={caps}"]


def files(folder):
    return {(path, path.stat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


def test_s4_the_image_runs_as_nobody_and_writes_only_its_data(tree):
    port = free_port()
    command = json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])
    command = [sys.executable, "-m", *[str(port) if part == "8501" else part for part in command]]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": ":".join(path for path in sys.path if "site-packages" in path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": str(tree / "tmp/matplotlib"),
        "HOME": str(tree / "tmp"),
        "TMPDIR": str(tree / "tmp"),
        "SWITCHYARD_DATA_DIR": str(tree / "data"),
        "SWITCHYARD_AUTH": "proxy",
        "SWITCHYARD_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SWITCHYARD_PROXY_SECRET": SECRET,
    }
    before = files(tree / "app")
    server = subprocess.Popen(
        without_rights() + command, cwd=tree / "app", env=environment, stderr=subprocess.DEVNULL
    )
    try:
        server.address = f"http://127.0.0.1:{port}"
        wait_for(server, f"{server.address}/_stcore/health")
        headers = {"X_Switchyard_Proxy_Secret": SECRET, "X_Forwarded_Email": "ada"}
        visitor = Visitor(server.address, **headers)
        assert "Master check passed" in visitor.open()
        visitor.close()
    finally:
        server.terminate()
        server.wait(30)
    assert files(tree / "app") == before
    assert Path(tree / "data/switchyard.sqlite").stat().st_size
    if os.geteuid() == 0:
        assert Path(tree / "data/switchyard.sqlite").stat().st_uid == NOBODY


def test_s4_the_image_does_not_start_without_sign_in(tree):
    command = json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])
    command = [str(free_port()) if part == "8501" else part for part in command]
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tree / "app",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode
    assert "Switchyard does not start" in ended.stderr
