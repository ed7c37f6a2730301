"""Board power while a step repeats: the energy counter of NVML, read beside CUDA events.

Nothing of the board is set, only read: no clock is locked and no limit moved.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import torch

try:
    import pynvml
except ImportError:  # a machine without NVML
    pynvml = None

SAMPLE_S = 0.02
QUEUED_S = 0.1
GRAPH_S = 0.005
SETTLED_S = 1.0
INSTANT_W_FIELD = 186
POWER_LIMIT = 4
"""The bit of NVML's reasons that says that the power limit holds the clock down."""
NAMES = (
    "time_s", "energy_j", "average_w", "instant_w", "sm_clock_hz", "memory_clock_hz",
    "temperature_c", "limit_reasons",
)  # fmt: skip


def _told(ask: Callable[..., float], *about: object) -> float:
    """A number of the board, nan where it does not tell."""
    try:
        return float(ask(*about))
    except pynvml.NVMLError:
        return np.nan


class Board:
    """The first board that NVML shows; nan everywhere where there is none."""

    def __init__(self) -> None:
        self.handle = None
        if pynvml is not None:
            try:
                pynvml.nvmlInit()
                self.handle = pynvml.nvmlDeviceGetHandleByIndex(0)
            except pynvml.NVMLError:
                self.handle = None

    def read(self) -> tuple[float, ...]:
        """One sample, in the order of NAMES."""
        h = self.handle
        if h is None:
            return (time.perf_counter(), *[np.nan] * (len(NAMES) - 1))
        fields = _told(lambda: pynvml.nvmlDeviceGetFieldValues(h, [INSTANT_W_FIELD])[0].value.uiVal)
        return (
            time.perf_counter(),
            _told(pynvml.nvmlDeviceGetTotalEnergyConsumption, h) / 1e3,
            _told(pynvml.nvmlDeviceGetPowerUsage, h) / 1e3,
            fields / 1e3,
            _told(pynvml.nvmlDeviceGetClockInfo, h, pynvml.NVML_CLOCK_SM) * 1e6,
            _told(pynvml.nvmlDeviceGetClockInfo, h, pynvml.NVML_CLOCK_MEM) * 1e6,
            _told(pynvml.nvmlDeviceGetTemperature, h, pynvml.NVML_TEMPERATURE_GPU),
            _told(pynvml.nvmlDeviceGetCurrentClocksEventReasons, h),
        )

    def about(self) -> dict[str, str]:
        """Name, driver and power limit, for the log."""
        if self.handle is None:
            return {}
        h = self.handle
        return {
            "name": str(pynvml.nvmlDeviceGetName(h)),
            "driver": str(pynvml.nvmlSystemGetDriverVersion()),
            "limit_w": str(pynvml.nvmlDeviceGetEnforcedPowerLimit(h) / 1e3),
            "vbios": str(pynvml.nvmlDeviceGetVbiosVersion(h)),
            "state": str(pynvml.nvmlDeviceGetPerformanceState(h)),
        }


class Sampler:
    """Reads the board from a thread of its own for as long as it is entered."""

    def __init__(self, board: Board) -> None:
        self.board, self.rows = board, []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.rows.append(self.board.read())
            time.sleep(SAMPLE_S)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@dataclass(frozen=True)
class Reading:
    """What a repeated step took and drew over the steady part, and every sample of the board."""

    step_s: float
    step_p10_s: float
    step_p90_s: float
    n_steps: int
    power_w: float
    average_w: float
    instant_w: float
    sm_clock_hz: float
    memory_clock_hz: float
    temperature_c: float
    at_power_limit: bool
    samples: np.ndarray


def rest(board: Board, rest_s: float) -> Reading:
    """The board with nothing to do."""
    with Sampler(board) as sampler:
        time.sleep(SETTLED_S)
        start = time.perf_counter()
        time.sleep(rest_s)
        end = time.perf_counter()
    return _reading(sampler.rows, start, end, np.array([np.nan]), 1)


def repeat(board: Board, step: Callable[[], object], warm_s: float, steady_s: float) -> Reading:
    """Repeat a step in a recorded graph; what happens in the first `warm_s` is not counted."""
    run, calls, n_queued = _recorded(step)
    with Sampler(board) as sampler:
        _kept_busy(run, n_queued, warm_s)
        start = time.perf_counter()
        taken = _kept_busy(run, n_queued, steady_s)
        end = time.perf_counter()
    return _reading(sampler.rows, start, end, taken, calls)


def _recorded(step: Callable[[], object]) -> tuple[Callable[[], object], int, int]:
    """A graph of a step, repeated until it lasts; the repeats, and how many graphs to queue."""
    if not torch.cuda.is_available():
        return step, 1, 1
    torch.cuda.synchronize()
    with torch.cuda.stream(torch.cuda.Stream()):
        step()
        taken = min(_seconds(step) for _ in range(2))
    calls = max(1, round(GRAPH_S / taken))
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(calls):
            step()
    graph.replay()
    return graph.replay, calls, 2 + int(QUEUED_S / _seconds(graph.replay))


def graph_s(step: Callable[[], object]) -> float:
    """One step in a recorded graph by the wall clock. [s]"""
    run, calls, _ = _recorded(step)
    return min(_seconds(run) for _ in range(2)) / calls


def _seconds(step: Callable[[], object]) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    step()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def _kept_busy(run: Callable[[], object], n_queued: int, busy_s: float) -> np.ndarray:
    """Run again and again, a few runs ahead of the board; times from end to end. [s]"""
    if not torch.cuda.is_available():
        return np.array([_plain_seconds(run)])
    marks, stop = [_mark()], time.perf_counter() + busy_s
    while time.perf_counter() < stop:
        run()
        marks.append(_mark())
        if len(marks) > n_queued:
            marks[-n_queued].synchronize()
    torch.cuda.synchronize()
    return np.array([first.elapsed_time(then) for first, then in pairwise(marks)]) / 1e3


def _plain_seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _mark() -> torch.cuda.Event:
    mark = torch.cuda.Event(enable_timing=True)
    mark.record()
    return mark


def _reading(rows: list, start: float, end: float, taken: np.ndarray, calls: int) -> Reading:
    held = np.array(rows)
    steady = held[(held[:, 0] >= start) & (held[:, 0] <= end)]
    if len(steady) < 2:
        steady = np.full((2, len(NAMES)), np.nan)
    column = dict(zip(NAMES, steady.T, strict=True))
    known = np.isfinite(column["energy_j"]).all()
    watts = np.polyfit(column["time_s"] - start, column["energy_j"], 1)[0] if known else np.nan
    reasons = column["limit_reasons"][np.isfinite(column["limit_reasons"])].astype(int)
    taken = taken / calls
    return Reading(
        step_s=float(np.median(taken)),
        step_p10_s=float(np.quantile(taken, 0.1)),
        step_p90_s=float(np.quantile(taken, 0.9)),
        n_steps=len(taken) * calls,
        power_w=float(watts),
        average_w=float(np.mean(column["average_w"])),
        instant_w=float(np.mean(column["instant_w"])),
        sm_clock_hz=float(np.mean(column["sm_clock_hz"])),
        memory_clock_hz=float(np.mean(column["memory_clock_hz"])),
        temperature_c=float(np.mean(column["temperature_c"])),
        at_power_limit=bool((reasons & POWER_LIMIT).any()),
        samples=held,
    )
