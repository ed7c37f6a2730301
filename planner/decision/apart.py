"""An audit in a process of its own: a file that kills its reader kills nothing else.

Run as a program it takes one question from its standard input and answers in lines of JSON.
"""

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from select import select
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from pydantic import TypeAdapter

from planner import text
from planner.demand.logs.limits import GIB, KIB, LAST_DAYS
from planner.demand.logs.progress import unheard
from planner.demand.logs.results import Audit
from planner.demand.scenario import Scenario
from planner.errors import AuditError, SwitchyardError, UnmappedError
from planner.facts.folders import data_folder

MEMORY_BYTES = 2 * 2 * GIB
"""Address space of the reading process: more than any log needs, less than a bomb asks for."""
PACKAGE = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "planner.decision.apart")
TICK_S = 1 / 5
UPLOAD_S = 60.0
"""Longest time that the reading of an upload may take."""
NAME_CHARACTERS = 80
PIECE_BYTES = KIB * KIB


@dataclass(frozen=True, slots=True)
class Question:
    """What to audit and how; see `planner.demand.audit.audit`."""

    source: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    time_unit: str | None = None
    time_zone: str | None = None
    backend: str = "duckdb"
    days: float = LAST_DAYS
    scenario: Scenario | None = None


def audit_apart(
    question: Question,
    *,
    name: str = "",
    folder: Path | None = None,
    most_s: float | None = None,
    report: Callable[[str, float], None] = unheard,
) -> Audit:
    """Audit in a child process with bounded memory; it is gone when this returns or is broken off.

    name: what the reader calls the log. folder: where the child may write, else the system's
    temporary folder; all it wrote is deleted. most_s: longest time, else none.
    report: is told each step, several times a second; what it raises ends the child and passes.

    Raises:
        AuditError: the child's sentence, or that it ran out of time or memory.
        UnmappedError: the log has no column for a role; the error carries the columns.
    """
    called = name or Path(question.source).name
    with _workplace(folder, called) as place, _child(question, place) as child:
        report("Starting", 0.0)
        # What planning needs loads here while the child loads what reading needs.
        from planner.decision.audited import NEARLY_DONE, growth_of, timed  # noqa: PLC0415

        scenario = question.scenario or Scenario.read({})
        growth = growth_of(scenario)
        found = _found(child, called, most_s, report)
    report("Counting chip time", NEARLY_DONE)
    return timed(found, scenario, growth)


def _found(
    child: "subprocess.Popen[bytes]",
    called: str,
    most_s: float | None,
    report: Callable[[str, float], None],
) -> Audit:
    """What the child found in the log. Raises: see `audit_apart`."""
    for kind, *told in _answers(child, called, most_s):
        if kind == "step":
            report(*told)
        elif kind == "audit":
            found: Audit = TypeAdapter(Audit).validate_python(told[0])
            return found
        elif kind == "unmapped":
            raise UnmappedError(*told)
        else:
            raise AuditError(told[0])
    status = child.wait()
    how = f"signal {-status}" if status < 0 else f"status {status}"
    raise AuditError(
        f"{called} broke off its reader ({how}): it is damaged, or needs more than "
        f"{MEMORY_BYTES // GIB} GiB of memory; export it again or give a shorter stretch"
    )


def audit_upload(
    data: bytes | memoryview,
    name: str,
    question: Question,
    *,
    most_s: float = UPLOAD_S,
    report: Callable[[str, float], None] = unheard,
) -> Audit:
    """Audit what somebody sent: kept in the data folder while it is read, then deleted.

    name: the file's own; only letters, digits, dots, dashes and spaces of it are used.
    question: all but the source. The rest, and what is raised, is as for `audit_apart`; AuditError
    too where the file cannot be kept.
    """
    safe = re.sub(r"[^\w. -]", "_", name).lstrip(".")[-NAME_CHARACTERS:] or "log"
    uploads = data_folder() / "uploads"
    with _workplace(uploads, safe) as place:
        path = Path(place) / safe
        try:
            path.write_bytes(data)
        except OSError as error:
            raise AuditError(f"{safe} cannot be kept: {error.strerror or error}") from error
        asked = replace(question, source=str(path))
        return audit_apart(asked, name=safe, folder=Path(place), most_s=most_s, report=report)


def server_logs() -> dict[str, Path]:
    """Logs too large to send, by name: those that lie in `logs` of the data folder."""
    try:
        found = sorted((data_folder() / "logs").iterdir())
    except OSError:
        return {}
    return {path.name: path for path in found if not path.name.startswith((".", "_"))}


@contextmanager
def _workplace(folder: Path | None, name: str) -> Iterator[str]:
    """A folder of the child's own. Raises: AuditError where none can be made."""
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        held = TemporaryDirectory(prefix="audit-", dir=folder, ignore_cleanup_errors=True)
    except OSError as error:
        raise AuditError(f"{name} cannot be read here: {error.strerror or error}") from error
    with held as place:
        yield place


@contextmanager
def _child(question: Question, place: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The reading process with its question, killed at the end whatever happens."""
    paths = [str(PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "TMPDIR": place, "PYTHONPATH": os.pathsep.join(paths)}
    with subprocess.Popen(  # noqa: S603 - our own program
        PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as child:
        try:
            if child.stdin:
                child.stdin.write(json.dumps(asdict(replace(question, scenario=None))).encode())
                child.stdin.close()
            yield child
        except BrokenPipeError:
            child.wait()
            yield child
        finally:
            child.kill()


def _answers(
    child: "subprocess.Popen[bytes]", name: str, most_s: float | None
) -> Iterator[list[Any]]:
    """What the child says, line by line; its last step again and again while it says nothing."""
    started, held = monotonic(), b""
    last: list[Any] = ["step", "Starting", 0.0]
    output = child.stdout.fileno() if child.stdout else -1
    while most_s is None or monotonic() - started < most_s:
        if not select([output], [], [], TICK_S)[0]:
            yield last
            continue
        piece = os.read(output, PIECE_BYTES)
        if not piece:
            return
        *lines, held = (held + piece).split(b"\n")
        for line in lines:
            answer: list[Any] = json.loads(line)
            last = answer if answer[0] == "step" else last
            yield answer
    yield [
        "error",
        f"{name} was not read within {text.given(most_s)} s; give a shorter stretch of it",
    ]


def answered(question: Question, say: Callable[[list[Any]], None]) -> None:
    """Audit here, and say each step, then the audit or the sentence that refuses it."""
    if not question.backend.startswith("spark://"):  # Java reserves more than it uses
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    from planner.demand.audit import audit  # noqa: PLC0415 - the asking process never reads

    try:
        found = audit(
            question.source,
            columns=question.columns,
            time_unit=question.time_unit,
            time_zone=question.time_zone,
            backend=question.backend,
            days=question.days,
            report=lambda step, done_frac: say(["step", step, done_frac]),
        )
        say(["audit", found.as_dict()])
    except UnmappedError as error:
        say(["unmapped", str(error), list(error.columns), dict(error.found)])
    except SwitchyardError as error:
        say(["error", str(error)])
    except MemoryError:
        say(["error", f"{Path(question.source).name} needs more memory than an audit may use"])


def main() -> None:
    """Answer the question on standard input."""
    # What a library prints must not be taken for an answer.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

        def say(answer: list[Any]) -> None:
            answers.write(json.dumps(answer) + "\n")
            answers.flush()

        answered(Question(**json.load(sys.stdin)), say)


if __name__ == "__main__":
    main()
