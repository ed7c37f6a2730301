"""The text in which engines and exporters show their counters."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from planner.errors import AuditError

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LINE = re.compile(
    rf"\s*(?P<name>{NAME})\s*(?:\{{(?P<labels>.*)\}})?"
    r"\s+(?P<value>\S+)(?:\s+-?[0-9.eE+]+)?\s*(?:#.*)?$"
)
LABEL = re.compile(rf'\s*({NAME})\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One series and its value."""

    name: str
    labels: Mapping[str, str]
    value: float


def samples(text: str, name: str) -> Iterator[Sample]:
    """Every finite sample of an exposition in text format 0.0.4 or OpenMetrics 1.0.

    Raises: AuditError for a line that is neither sample nor comment.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = LINE.match(line)
        value = _number(found["value"]) if found else None
        if found is None or value is None:
            raise AuditError(f"{name} holds no metric on line {number}: a name, labels, a number")
        if math.isfinite(value):
            yield Sample(found["name"], _labels(found["labels"] or ""), value)


def is_exposition(start: bytes) -> bool:
    """Does a file begin as an exposition does: a comment of a metric, or a sample?"""
    lines = start.decode("utf-8", "replace").splitlines()
    first = next((line for line in lines if line.strip()), "")
    if first.startswith(("# HELP ", "# TYPE ", "# EOF", "# UNIT ")):
        return True
    found = LINE.match(first)
    return (
        found is not None and _number(found["value"]) is not None and "," not in first.split("{")[0]
    )


def _number(word: str) -> float | None:
    """A value as Go prints it, or None."""
    try:
        return float(word)
    except ValueError:
        return None


def _labels(text: str) -> dict[str, str]:
    """The labels between braces, escapes undone."""
    return {
        key: re.sub(r"\\.", lambda found: ESCAPES.get(found[0], found[0]), value)
        for key, value in LABEL.findall(text)
    }
