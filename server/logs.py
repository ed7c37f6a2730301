"""Logs as lines of JSON that say what happened and where, and hold nothing that a user typed."""

import json
import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OWN = "switchyard"
LOG = logging.getLogger(OWN)


def structured() -> None:
    """From now on every record of this process is one line of JSON."""
    logging.setLogRecordFactory(_Line)
    plain = logging.Formatter("%(message)s")
    for name in ("uvicorn", "uvicorn.access"):
        for handler in logging.getLogger(name).handlers:
            handler.setFormatter(plain)
    if not LOG.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(plain)
        LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def told(event: str, **fields: str | float) -> None:
    """An event of our own; fields are names and counts, never what somebody typed."""
    LOG.info(event, extra={"fields": fields})


def of_error(error: BaseException) -> dict[str, Any]:
    """The kind of an error and the places it passed; its sentence can hold what a user typed."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "at": places}


class _Line(logging.LogRecord):
    """A record whose message is one line of JSON."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.error = self.exc_info and self.exc_info[1]
        self.exc_info = self.exc_text = self.stack_info = None

    def getMessage(self) -> str:  # noqa: N802 the name that logging calls
        """Of other people's records only the pattern: what fills it can come from a user."""
        fields: Mapping[str, Any] = getattr(self, "fields", {})
        line = {
            "time": datetime.fromtimestamp(self.created, UTC).isoformat(timespec="milliseconds"),
            "level": self.levelname.lower(),
            "logger": self.name,
            "event": str(self.msg),
            **fields,
            **(of_error(self.error) if isinstance(self.error, BaseException) else {}),
        }
        return json.dumps(line)
