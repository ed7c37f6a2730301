"""Reading an upload in a process of its own: a file that kills its reader kills no session.

Holds no web, so that the process starts quickly.
"""

import multiprocessing
import resource
from multiprocessing.connection import Connection
from pathlib import Path

from planner import Audit, SwitchyardError, audit

MOST_BYTES = 4 * 2**30
MOST_SECONDS = 60.0


def audited(path: Path, name: str) -> Audit | SwitchyardError:
    """The audit of a file, or the sentence that refuses it; name: what the reader called it."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    reader = context.Process(target=_read, args=(path, theirs), daemon=True)
    reader.start()
    theirs.close()
    try:
        if mine.poll(MOST_SECONDS):
            found: Audit | SwitchyardError = mine.recv()
            return found
    except EOFError:
        pass
    finally:
        reader.kill()
        reader.join()
    return SwitchyardError(
        f"{name} could not be read within {MOST_SECONDS:.0f} s and {MOST_BYTES // 2**30} GiB of "
        "memory; upload a shorter stretch of it."
    )


def _read(path: Path, answer: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    try:
        answer.send(audit(path))
    except SwitchyardError as error:
        answer.send(SwitchyardError(str(error)))
