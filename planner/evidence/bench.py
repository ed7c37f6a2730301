"""The steps of a benchmark's points on their machines, and what a run of them measures."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.evidence.deployments import Deployments
from planner.physics.layout import Layout
from planner.physics.machines import Machine
from planner.physics.memory import places
from planner.physics.phases import StepTime, step_time
from planner.physics.transformer import decode_work, mixed_work, prefill_work

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run measures, arrays of one a point; nan where it measures no such thing.

    compute_util_frac, memory_util_frac: of peak arithmetic and bandwidth, over all time, on chips
    that decode or do both; prefill_...: on those that only prefill, a prefill_chips_frac of all.
    refused: why a point has no answer, or "".
    """

    ttft_s: Floats
    tpot_s: Floats
    output_tokens_per_s_per_accelerator: Floats
    compute_util_frac: Floats
    memory_util_frac: Floats
    prefill_compute_util_frac: Floats
    prefill_memory_util_frac: Floats
    prefill_chips_frac: Floats
    refused: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Bench:
    """Points and the machines that they ran on."""

    points: Deployments
    machine: Machine

    @property
    def context_tokens(self) -> Floats:
        """Mean context of a running request: half of its answer is written."""
        return np.asarray(self.points.input_tokens + self.points.output_tokens / 2)

    @property
    def fresh_tokens(self) -> Floats:
        """Tokens of a prompt that no cached prefix holds."""
        return np.asarray(np.maximum(self.points.input_tokens - self.points.cached_tokens, 1.0))

    @property
    def chunks(self) -> Floats:
        """Steps that a prompt is cut over. [1]"""
        return np.asarray(np.ceil(self.fresh_tokens / self.points.rules.step_tokens))

    @property
    def iterations(self) -> Floats:
        """Steps of an answer after its first token. [1]"""
        return np.asarray(np.maximum(self.points.output_tokens - 1, 1) / self.points.gained)

    def step_s(self, batch: Floats) -> Floats:
        """A decode step of `batch` sequences on a replica, drafts included. [s]"""
        return np.asarray(self._step(batch).total_s * self._drafting)

    def decode_busy(self, batch: Floats, requests_per_s: Floats) -> tuple[Floats, Floats]:
        """Shares of peak arithmetic and bandwidth that the steps of answers keep busy. [frac]"""
        step, per_s = self._step(batch), requests_per_s * self.iterations / batch
        per_s = per_s * self._drafting
        return np.asarray(per_s * step.peak_compute_s), np.asarray(per_s * step.peak_memory_s)

    def prefill_busy(self, layout: Layout, requests_per_s: Floats) -> tuple[Floats, Floats]:
        """The same for prompts, in steps of their own. [frac]"""
        chunk = self.fresh_tokens / self.chunks
        work = prefill_work(self.points.profile, chunk, self._before(chunk))
        step = step_time(self.points.profile, self.machine, layout, work)
        per_s = requests_per_s * self.chunks
        return np.asarray(per_s * step.peak_compute_s), np.asarray(per_s * step.peak_memory_s)

    def beside_s(self, batch: Floats, step_s: Floats, prompts: Any = 1.0) -> Floats:
        """What each of `prompts` prompts adds to decode steps of `step_s` that carry it. [s]"""
        chunk = self.fresh_tokens / self.chunks
        work = mixed_work(
            self.points.profile,
            batch,
            self.context_tokens,
            chunk,
            self._before(chunk),
            chunks=prompts,
            tokens_per_sequence=1 + self.points.drafts,
        )
        both_s = self._timed(work, self.points.decode.layout) * self._drafting
        return np.asarray((both_s - step_s) * self.chunks / prompts)

    def alone_s(self, layout: Layout, prompts: Any = 1.0) -> Floats:
        """Each of `prompts` prompts worked on together, with nothing else. [s]"""
        chunk = self.fresh_tokens / self.chunks
        work = prefill_work(self.points.profile, chunk, self._before(chunk), sequences=prompts)
        return np.asarray(self._timed(work, layout) * layout.pp * self.chunks / prompts)

    def places(self, *, full: bool) -> Floats:
        """Requests that find room on a replica, one at least. [1]

        Where the engine's usual limits leave none, the row ran with others: all memory counts.
        full: the queue never empties, and the engine admits only what will still fit later.
        """
        points, rules = self.points, self.points.rules
        kept = rules.kept_frac if full else 1 / 2
        room = partial(
            places,
            points.profile,
            points.decode.layout,
            points.sheet.memory_bytes,
            points.input_tokens + kept * points.output_tokens,
        )
        usual = room(
            memory_frac=rules.memory_frac,
            free_frac=rules.free_frac,
            reserve_bytes=rules.reserve_bytes,
        )
        most_of_all = room(memory_frac=1.0, free_frac=1.0, reserve_bytes=0.0)
        fit = np.where(usual >= 1, usual, most_of_all)
        most = rules.max_batch * points.decode.layout.attention_dp
        return np.asarray(np.clip(fit, 1, most))

    @property
    def _drafting(self) -> Floats:
        """A step with its drafts over one without."""
        points = self.points
        return np.asarray(1 + points.drafts * points.draft_layers / points.profile.n_layers)

    def _step(self, batch: Floats) -> StepTime:
        points = self.points
        work = decode_work(
            points.profile, batch, self.context_tokens, tokens_per_sequence=1 + points.drafts
        )
        return step_time(points.profile, self.machine, points.decode.layout, work)

    def _before(self, chunk: Floats) -> Floats:
        """Mean context of a chunk: cached prefix and half of the other chunks."""
        return np.asarray(self.points.cached_tokens + (self.fresh_tokens - chunk) / 2)

    def _timed(self, work: Any, layout: Layout) -> Floats:
        return step_time(self.points.profile, self.machine, layout, work).total_s
