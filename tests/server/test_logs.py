"""Lines of a log say what happened and where, and repeat nothing that came from outside."""

import io
import json
import logging

import pytest

from server import logs

TYPED = "=cmd|' /C calc'!A0"


@pytest.fixture
def lines():
    """What is logged while a test runs, read as JSON."""
    kept, factory = io.StringIO(), logging.getLogRecordFactory()
    handler = logging.StreamHandler(kept)
    loggers = [logging.getLogger(name) for name in ("switchyard", "somebody.else")]
    logs.structured()
    for logger in loggers:
        logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in kept.getvalue().splitlines()]
    for logger in loggers:
        logger.removeHandler(handler)
    logging.setLogRecordFactory(factory)


def test_an_event_of_our_own_has_its_fields(lines):
    logs.told("started", auth="oidc", pid=7)
    (line,) = lines()
    assert line | {"event": "started", "auth": "oidc", "pid": 7, "level": "info"} == line
    assert line["time"].endswith("+00:00")


def test_what_fills_the_pattern_of_other_peoples_records_is_left_out(lines):
    logging.getLogger("somebody.else").warning("Rejecting %s", TYPED)
    assert [line["event"] for line in lines()] == ["Rejecting %s"]


def test_of_an_error_the_kind_and_the_place_are_told(lines):
    try:
        int(TYPED)
    except ValueError:
        logging.getLogger("somebody.else").exception("It broke")
    (line,) = lines()
    assert line["error"] == "ValueError"
    assert line["at"][-1].startswith("test_logs.py:")
    assert TYPED not in json.dumps(line)
