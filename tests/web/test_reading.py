"""Uploads are read in a process of their own, and whatever becomes of it is said in words."""

import pytest

from pages.ui import reading
from planner import Audit, SwitchyardError


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    rows = "".join(f"{second},100,10\n" for second in range(90))
    path.write_text("seconds,input_tokens,output_tokens\n" + rows)
    return path


def test_a_log_comes_back_as_its_audit(log):
    found = reading.audited(log, "own.csv")
    assert isinstance(found, Audit)
    assert (found.requests, found.input_tokens, found.output_tokens) == (90, 9000, 900)


def test_a_refusal_comes_back_as_its_sentence(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("a,b\n1,2\n")
    found = reading.audited(path, "own.csv")
    assert isinstance(found, SwitchyardError)
    assert "log.csv" in str(found)


def test_a_reader_that_runs_out_of_time_or_dies_is_said_in_words(log, monkeypatch):
    monkeypatch.setattr(reading, "MOST_SECONDS", 0.01)
    assert "own.csv could not be read" in str(reading.audited(log, "own.csv"))
    monkeypatch.setattr(reading.sys, "executable", "/bin/false")
    monkeypatch.setattr(reading, "MOST_SECONDS", 5.0)
    assert "own.csv could not be read" in str(reading.audited(log, "own.csv"))
