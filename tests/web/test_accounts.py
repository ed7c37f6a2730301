"""S2 and S3 on the running dashboard: who may enter, who they are, and what they may do."""

import json
import re
import secrets
import signal
import subprocess
import sys

import pytest
from websockets.exceptions import InvalidStatus

from tests.web.conftest import ROOT, dashboard, free_port
from tests.web.visitor import Visitor, asked

SECRET = secrets.token_hex()
GROUPS = {"ada": "planning", "bob": "finance-leads", "cy": "sales"}
ROLES = {"SWITCHYARD_EDITORS": "planning", "SWITCHYARD_APPROVERS": "finance-leads"}
MARK = "Zanzibar7"
BROKEN = f"""
from contextlib import asynccontextmanager
import streamlit as st
from streamlit.starlette import App
from server.entry import guarded

@asynccontextmanager
async def nothing(_):
    yield

if __name__ == "__main__":
    raise RuntimeError("{MARK}" + str(st.query_params))
else:
    server = App(__file__, **guarded(nothing, lambda: None))
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("log") / "log"


@pytest.fixture(scope="module")
def proxied(log, tmp_path_factory):
    """A dashboard that believes the proxy which knows the secret."""
    secret = tmp_path_factory.mktemp("secrets") / "proxy"
    secret.write_text(f"{SECRET}\n")
    port, metrics = free_port(), free_port()
    settings = {
        "SWITCHYARD_AUTH": "proxy",
        "SWITCHYARD_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SWITCHYARD_PROXY_SECRET_FILE": str(secret),
        "SWITCHYARD_METRICS": f"127.0.0.1:{metrics}",
        "SWITCHYARD_SAVES_PER_DAY": "2",
        "SWITCHYARD_STEPS_PER_MINUTE": "30",
        "SWITCHYARD_DATA_DIR": str(tmp_path_factory.mktemp("store")),
    }
    with log.open("wb") as kept, dashboard(port=port, log=kept, **settings, **ROLES) as server:
        server.metrics = f"http://127.0.0.1:{metrics}"
        yield server


@pytest.fixture
def visit(proxied):
    """Open a session as somebody whom the proxy has signed in."""
    opened = []

    def arrive(name, **more):
        headers = {
            "X_Switchyard_Proxy_Secret": SECRET,
            "X_Forwarded_Email": name,
            "X_Forwarded_Groups": GROUPS.get(name, ""),
        }
        opened.append(Visitor(proxied.address, **(headers | more)))
        return opened[-1]

    yield arrive
    for visitor in opened:
        visitor.close()


def test_s2_without_sign_in_no_network_is_served():
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    command += ["--server.address=::", f"--server.port={free_port()}"]
    ended = subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode != 0
    assert (
        "does not start. Without sign-in the dashboard answers this machine alone" in ended.stderr
    )
    assert "Traceback" not in ended.stderr


def test_s3_nobody_enters_around_the_proxy(proxied):
    assert asked(proxied.address, "/")[0] == 403
    for given in ({}, {"X_Switchyard_Proxy_Secret": "guess"}):
        with pytest.raises(InvalidStatus):
            Visitor(proxied.address, X_Forwarded_Email="bob", **given)


def test_s3_the_proxy_names_who_is_here_and_groups_give_the_role(visit):
    for name, role in (("ada", "editor"), ("bob", "approver"), ("cy", "viewer")):
        assert f"{name} · {role}" in visit(name).open()


def test_s3_somebody_without_a_name_is_shown_the_door(visit):
    shown = visit(" ").open(f"name={MARK}")
    assert "nobody knows who you are" in shown
    assert "Output : input tokens" not in shown


def test_s3_a_viewer_keeps_nothing(visit):
    viewer = visit("cy")
    viewer.open()
    assert "cy is viewer here, and saving takes editor" in viewer.press("Save as a new scenario")


def test_s3_an_editor_saves_until_the_quota_of_the_day(visit):
    editor = visit("ada")
    editor.open(f"name={MARK}")
    for _ in range(2):
        assert f"Saved: {MARK}" in editor.press("Save as a new scenario")
    assert "the most that one user may here" in editor.press("Save as a new scenario")


def test_s3_what_one_works_on_is_not_shown_to_another(visit):
    visit("ada").open("power_budget_mw=7.125")
    assert "7.125" in visit("ada").open()
    assert "7.125" not in visit("bob").open()


def test_one_user_in_a_hurry_keeps_nobody_waiting(visit):
    hasty = visit("dee")
    shown = [hasty.open() for _ in range(40)]
    assert "One user may do no more at a time here" in shown[-1]
    assert "Output : input tokens" in visit("eve").open()


def test_s1_counts_are_on_their_own_port_and_name_nobody(proxied, visit):
    visit("ada").open()
    text = asked(proxied.metrics, "/metrics")[2]
    assert re.search(r"^switchyard_runs_total [1-9]", text, re.MULTILINE)
    assert re.search(r'^switchyard_refused_total{reason="proxy"}', text, re.MULTILINE)
    assert "ada" not in text


def test_a_server_that_is_told_to_stop_ends_well_with_tabs_open(tmp_path):
    """In its own process, so that the log holds the whole life of a server."""
    script, kept = tmp_path / "broken.py", tmp_path / "log"
    script.write_text(BROKEN)
    port = free_port()
    settings = {
        "SWITCHYARD_AUTH": "proxy",
        "SWITCHYARD_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SWITCHYARD_PROXY_SECRET": SECRET,
        "PYTHONPATH": f"{ROOT}:{':'.join(sys.path)}",
    }
    with kept.open("wb") as log, dashboard(script, port=port, log=log, **settings) as server:
        headers = {"X_Switchyard_Proxy_Secret": SECRET, "X_Forwarded_Email": "ada"}
        visitor = Visitor(server.address, **headers)
        shown = visitor.open(f"name={MARK}")
        server.terminate()
        assert server.wait(15) in (0, -signal.SIGTERM)
        visitor.close()
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    broken = next(line for line in lines if line.get("error"))
    assert (broken["error"], broken["at"][-1].split(" ")[0]) == ("RuntimeError", "broken.py:12")
    assert [line["event"] for line in lines if line["logger"] == "switchyard"] == [
        "started",
        "stopped",
    ]
    for said in (shown, kept.read_text()):
        assert MARK not in said
        assert "Traceback" not in said
    assert str(tmp_path) not in shown


def test_no_log_line_holds_what_a_user_typed(proxied, visit, log):
    visit("ada").open(f"name={MARK}&power_budget_mw={MARK}&s={MARK}")
    assert asked(proxied.address, f"/{MARK}")[0] == 403
    lines = log.read_text().splitlines()
    assert lines
    assert all(json.loads(line)["event"] for line in lines)
    assert MARK not in "".join(lines)
