"""Reading in a process of its own: whatever becomes of the file, the asker lives and is told."""

import os
import time
from pathlib import Path

import pytest

from planner.decision import apart
from planner.decision.apart import Question, audit_apart, audit_upload
from planner.errors import AuditError, UnmappedError

ROWS = "".join(f"{second},100,10\n" for second in range(90))
LOG = f"seconds,input_tokens,output_tokens\n{ROWS}"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LOG)
    return path


def test_an_audit_comes_back_whole_and_tells_its_steps(log):
    steps = []
    found = audit_apart(Question(str(log)), report=lambda step, done: steps.append((step, done)))
    assert (found.requests, found.input_tokens, found.output_tokens) == (90, 9000, 900)
    assert 0 < found.time.modelled_frac < 1
    assert {one.name for one in found.in_18_months} >= {"Growth alone", "Reasoning", "Agents"}
    assert {"Reading rows", "Counting chip time"} <= {step for step, _ in steps}
    assert [done for _, done in steps] == sorted(done for _, done in steps)


def test_a_refusal_comes_back_as_its_sentence_with_the_columns(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("when,prompt,n_in,n_out\n1,secret,2,3\n")
    with pytest.raises(UnmappedError, match=r"log\.csv has no column") as refused:
        audit_apart(Question(str(path)))
    assert refused.value.columns == ("when", "n_in", "n_out")
    columns = {"input_tokens": "n_in", "output_tokens": "n_out", "time": "when"}
    assert audit_apart(Question(str(path), columns=columns)).input_tokens == 2


ENDINGS = {
    "aborts": ("import os; os.abort()", "signal 6"),
    "segfaults": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal 11"),
    "exits": ("raise SystemExit(3)", "status 3"),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_a_reader_that_breaks_off_is_said_in_words(how, log, monkeypatch):
    code, part = ENDINGS[how]
    monkeypatch.setattr(apart, "PROGRAM", (apart.PROGRAM[0], "-c", code))
    with pytest.raises(AuditError, match=part):
        audit_apart(Question(str(log)))


def test_a_reader_that_takes_too_long_is_ended(log, monkeypatch):
    monkeypatch.setattr(apart, "PROGRAM", (apart.PROGRAM[0], "-c", "import time; time.sleep(60)"))
    with pytest.raises(AuditError, match=r"was not read within 0\.3 s"):
        audit_apart(Question(str(log)), most_s=0.3)


def test_memory_is_bounded(log, monkeypatch):
    """A reader that asks for more address space than it may have is refused in words."""
    eat = (
        "import planner.decision.apart as a, planner.demand.audit as b\n"
        "b.audit = lambda *x, **y: bytearray(8 * 2**30)\n"
        "a.main()"
    )
    monkeypatch.setattr(apart, "PROGRAM", (apart.PROGRAM[0], "-c", eat))
    with pytest.raises(AuditError, match="needs more memory"):
        audit_apart(Question(str(log)))


def test_breaking_off_ends_the_reader_and_leaves_nothing(log, tmp_path):
    class EnoughError(Exception):
        pass

    def stop(_step, _done):
        raise EnoughError

    folder = tmp_path / "work"
    with pytest.raises(EnoughError):
        audit_apart(Question(str(log)), folder=folder, report=stop)
    assert not list(folder.iterdir())
    time.sleep(0.1)
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    assert not [pid for pid in children if b"apart" in _command(pid)]


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_an_upload_lies_in_the_data_folder_only_while_it_is_read(tmp_path, monkeypatch):
    data = tmp_path / "data"
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(data))
    seen = []
    found = audit_upload(
        LOG.encode(),
        "../../etc/<b>log</b>\n.csv",
        Question(),
        report=lambda *_: seen.extend(p.name for p in data.rglob("*") if p.is_file()),
    )
    assert found.requests == 90
    assert found.source == "_.._etc__b_log__b__.csv"
    assert found.source in seen
    assert [p for p in data.rglob("*") if p.is_file()] == []


def test_a_data_folder_that_is_closed_is_said_in_words(tmp_path, monkeypatch):
    (tmp_path / "data").write_text("a file where the folder should be")
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(AuditError, match=r"log\.csv cannot be read here"):
        audit_upload(LOG.encode(), "log.csv", Question())
