"""Many readers at once, without screens: each opens the dashboard, thinks, and moves something."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.web.conftest import PAGE_PATHS
from tests.web.visitor import Visitor

RATIO = "Output : input tokens"
CHART_PAGES = [PAGE_PATHS[name] for name in ("start", "options", "power", "money")]


@dataclass
class Seen:
    """What a crowd saw: seconds from each act to a page at rest, and what went wrong."""

    first_s: list = field(default_factory=list)
    steps_s: list = field(default_factory=list)
    errors: list = field(default_factory=list)


def crowd(address, n_readers, *, n_steps, think_s, headers=lambda n: {}):
    """Readers side by side until all are done.

    headers: what the proxy sends along for the reader of a number.
    """
    seen = Seen()
    with ThreadPoolExecutor(n_readers) as pool:
        for n in range(n_readers):
            pool.submit(_read, address, seen, random.Random(n), n_steps, think_s, headers(n))
    return seen


def _read(address, seen, rng, n_steps, think_s, headers):
    """One reader: every third act another page, else another ratio."""
    try:
        time.sleep(rng.uniform(0, think_s))
        reader = Visitor(address, **headers)
        seen.first_s.append(_spent_s(reader.turn, rng.choice(CHART_PAGES)))
        for step in range(n_steps):
            time.sleep(rng.uniform(0.5, 1.5) * think_s)
            if step % 3 == 2:
                seen.steps_s.append(_spent_s(reader.turn, rng.choice(CHART_PAGES)))
            else:
                seen.steps_s.append(_spent_s(reader.move, RATIO, rng.random()))
        reader.close()
        assert not reader.broken, "a page broke"
    except Exception as error:  # noqa: BLE001 whatever a reader meets is counted
        seen.errors.append(repr(error))


def _spent_s(act, *given):
    began = time.perf_counter()
    act(*given)
    return time.perf_counter() - began


def resident_bytes(pid, name="VmHWM"):
    """The most memory that a process has held; `VmRSS` for what it holds now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(name)
