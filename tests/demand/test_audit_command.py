"""The audit from the command line, over everything it promises to read."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from planner.__main__ import main, read_scenario
from tests.demand.test_audit_fuzzed import USAGE
from tests.demand.test_audit_shapes import export, span

ROOT = Path(__file__).parents[2]
TRACES = ROOT / "hardware_catalog" / "traces"
PROMISED = (
    "rows requests input_tokens output_tokens cached_tokens decode_to_prefill_token_ratio "
    "prefill_time_frac arrivals by_model by_class by_hour dropped caveats"
).split()


SHIPPED = [path.name for path in sorted(TRACES.glob("*_*"))]


def sources(folder, prometheus):
    (folder / "spans.jsonl").write_text(json.dumps(export(*map(span, range(90)))))
    (folder / "usage.jsonl").write_text("\n".join(map(json.dumps, USAGE)))
    return {
        **{name: TRACES / name for name in SHIPPED},
        "spans": folder / "spans.jsonl",
        "usage": folder / "usage.jsonl",
        "prometheus": prometheus,
    }


@pytest.mark.parametrize("kind", [*SHIPPED, "spans", "usage", "prometheus"])
def test_every_source_gives_the_promised_document(kind, tmp_path, prometheus, capsys):
    source = str(sources(tmp_path, prometheus)[kind])
    assert main(["audit", source, "--json", "--days", "1"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(PROMISED) <= set(document)
    assert 0 < document["prefill_time_frac"] < 1
    assert 0 < document["time"]["modelled_frac"] < 1
    assert document["line"]["sentence"].startswith("Decode : prefill is")
    assert len(document["in_18_months"]) == 4
    assert document["sensitivity"][0]["name"] == "As audited"
    assert document["arrivals"]["mean_per_s"] > 0


def test_the_scenario_that_the_log_asks_for_is_written(tmp_path, capsys):
    written = tmp_path / "mine.toml"
    trace = str(TRACES / "azure_2023_conversation.csv")
    assert main(["audit", trace, "--scenario", "enterprise", "--adopt", str(written)]) == 0
    held = read_scenario(written)
    assert held.profile == "enterprise"
    assert [row.requests_per_s for row in held.classes] == [pytest.approx(5.53, rel=0.01)]
    capsys.readouterr()
    assert main(["audit", trace, "--adopt", str(tmp_path)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_columns_and_units_may_be_named(tmp_path, capsys):
    path = tmp_path / "log.csv"
    path.write_text("when,n_in,n_out\n0,5,6\n60000,7,8\n")
    assert main(["audit", str(path)]) == 2
    assert "has no column for input_tokens" in capsys.readouterr().err
    named = ["--column", "input_tokens=n_in", "--column", "output_tokens=n_out"]
    given = [*named, "--column", "time=when", "--time-unit", "ms"]
    assert main(["audit", str(path), *given]) == 0
    shown = capsys.readouterr().out
    assert "log.csv: 2 requests" in shown
    assert "Decode : prefill is 1.2 : 1 by tokens" in shown
    assert "milliseconds since the start of the log (as chosen)" in shown
    assert "What the ratio leans on" in shown


def test_a_reader_that_has_seen_enough_is_no_error():
    command = f"{sys.executable} -m planner audit {TRACES / SHIPPED[0]} --json | head -1"
    both = ["bash", "-o", "pipefail", "-c", command]
    done = subprocess.run(both, check=False, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


def test_ctrl_c_breaks_off_in_words_and_leaves_nothing(tmp_path):
    """A log that takes a while; its reader gets the same signal, as from a terminal."""
    path = tmp_path / "log.csv"
    rows = "".join(f"{i},{i % 900},{i % 50}\n" for i in range(400_000))
    path.write_text("seconds,prompt_tokens,completion_tokens\n" + rows)
    work = tmp_path / "work"
    work.mkdir()
    # A suite that was started in the background is deaf to the signal, and so are its children.
    heard = ["env", "--default-signal=INT"]
    command = [*heard, sys.executable, "-m", "planner", "audit", str(path)]
    reader = subprocess.Popen(
        command,
        env={**os.environ, "TMPDIR": str(work)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=ROOT,
    )
    deadline = time.monotonic() + 60
    while not list(work.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(reader.pid, signal.SIGINT)
    out, err = reader.communicate(timeout=60)
    assert reader.returncode == 130
    assert "broken off; nothing was kept" in err
    assert "Traceback" not in err
    assert out == ""
    assert not list(work.iterdir())
