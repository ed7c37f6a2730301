"""Reading an upload in a process of its own: a file that kills its reader kills no session.

Run as a program it audits one file and answers through a pipe; it holds no web, to start quickly.
"""

import multiprocessing
import resource
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from planner import Audit, SwitchyardError, audit

ROOT = Path(__file__).parents[2]
MOST_BYTES = 4 * 2**30
MOST_SECONDS = 60.0


def audited(path: Path, name: str) -> Audit | SwitchyardError:
    """The audit of a file, or the sentence that refuses it; name: what the reader called it."""
    answer, asked = multiprocessing.Pipe(duplex=False)
    command = [sys.executable, "-m", "pages.ui.reading", str(path), str(asked.fileno())]
    with subprocess.Popen(command, cwd=ROOT, pass_fds=[asked.fileno()]) as reader:  # noqa: S603
        asked.close()
        try:
            if answer.poll(MOST_SECONDS):
                found: Audit | SwitchyardError = answer.recv()
                return found
        except EOFError:
            pass
        finally:
            reader.kill()
    return SwitchyardError(
        f"{name} could not be read within {MOST_SECONDS:.0f} s and {MOST_BYTES // 2**30} GiB of "
        "memory; upload a shorter stretch of it."
    )


def answered(path: str) -> Audit | SwitchyardError:
    """What the reading process has to say of a file."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    try:
        return audit(path)
    except SwitchyardError as error:
        return SwitchyardError(str(error))


if __name__ == "__main__":
    Connection(int(sys.argv[2]), readable=False).send(answered(sys.argv[1]))
