"""Iteration-level discrete-event simulator of serving pools: the oracle of the queueing tests.

Shares no code with `planner`. Each function replays given arrivals and lengths, iteration by
iteration, and returns what every request saw, so that any percentile can be taken from it.
Step curves are plain sequences indexed by the batch, `step[b]`, from 0.
"""

import heapq
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Served:
    """Per request in order of arrival [s]: wait to start, time to first token, own time per token
    over `tokens` decode iterations; and per kind of iteration its length and how many there were
    (counted while a request is in decode)."""

    wait_s: np.ndarray
    first_s: np.ndarray
    tpot_s: np.ndarray
    tokens: np.ndarray
    gap_s: np.ndarray
    gap_count: np.ndarray


def poisson_arrivals_s(rate: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Arrival times of a Poisson process."""
    return np.cumsum(rng.exponential(1 / rate, n))


def renewal_arrivals_s(rate: float, scv: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Arrival times with gamma interarrivals of the given squared coefficient of variation."""
    return np.cumsum(rng.gamma(1 / scv, scv / rate, n))


def lognormal(mean: float, scv: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Lognormal values with the given mean and SCV (SCV 0: constant)."""
    sigma = np.sqrt(np.log1p(scv))
    return mean * np.exp(sigma * rng.standard_normal(n) - sigma**2 / 2)


def lognormal_lengths(mean: float, scv: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Whole lengths ≥ 1, lognormal; rounded up or down at random, which keeps the mean."""
    drawn = np.floor(lognormal(mean, scv, n, rng) + rng.random(n))
    return np.maximum(1, drawn).astype(int) if scv else np.full(n, max(1, round(mean)))


def multi_server(arrival_s: np.ndarray, service_s: np.ndarray, n_servers: int) -> np.ndarray:
    """GI/G/c, first come first served: the wait of every request [s]."""
    free = [0.0] * n_servers
    wait = []
    for arrival, service in zip(arrival_s.tolist(), service_s.tolist(), strict=True):
        start = max(arrival, free[0])
        heapq.heapreplace(free, start + service)
        wait.append(start - arrival)
    return np.array(wait)


class Decoding:
    """The requests in decode; each leaves after its own number of iterations."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, int]] = []
        self.iteration = 0

    def __len__(self) -> int:
        return len(self.ends)

    def join(self, request: int, tokens: int) -> None:
        """`request` gets its first token in the next iteration and runs for `tokens` of them."""
        heapq.heappush(self.ends, (self.iteration + tokens, request))

    def alike(self, step_s: float, until_s: float) -> int:
        """Iterations before the batch may change: to the first last token, or to the first end of
        an iteration at or after `until_s` from now."""
        count = self.ends[0][0] - self.iteration
        return min(count, max(1, math.ceil(until_s / step_s))) if until_s < math.inf else count

    def run(self, count: int) -> list[int]:
        """Run iterations; the requests that got their last token."""
        self.iteration += count
        done = []
        while self.ends and self.ends[0][0] == self.iteration:
            done.append(heapq.heappop(self.ends)[1])
        return done


def decode_pool(
    arrival_s: np.ndarray, tokens: np.ndarray, step: Sequence[float], batch_cap: int
) -> Served:
    """Continuous batching: every running request gets a token per iteration; others join first
    come first served at the next iteration, while fewer than `batch_cap` run."""
    arrivals, lengths = [*arrival_s.tolist(), math.inf], tokens.tolist()
    n, head, now = len(lengths), 0, 0.0
    start, end = [0.0] * n, [0.0] * n
    decoding, gaps = Decoding(), []
    while head < n or decoding:
        if not decoding:
            now = max(now, arrivals[head])
        while arrivals[head] <= now and len(decoding) < batch_cap:
            start[head] = now
            decoding.join(head, lengths[head])
            head += 1
        step_s = step[len(decoding)]
        until_s = arrivals[head] - now if len(decoding) < batch_cap else math.inf
        count = decoding.alike(step_s, until_s)
        gaps.append((step_s, count))
        now += count * step_s
        for request in decoding.run(count):
            end[request] = now
    begin = np.array(start)
    wait_s = begin - arrival_s
    return Served(wait_s, wait_s, (np.array(end) - begin) / tokens, tokens, *np.array(gaps).T)


class Chunks:
    """Prompts on their way, first come first served, a chunk of tokens per iteration."""

    def __init__(self, prompts: list[int], chunk_tokens: int) -> None:
        self.prompts = prompts
        self.chunk_tokens = chunk_tokens
        self.started: deque[list[int]] = deque()  # [request, tokens left]

    def next(self, arrived: deque[int], places: int) -> tuple[float, list[int]]:
        """Fill one chunk, starting `arrived` prompts while `places` are left: the filled share of
        the chunk, and the requests whose prompt it completes."""
        room, done = self.chunk_tokens, []
        places -= len(self.started)
        while room and (self.started or (arrived and places > 0)):
            if not self.started:
                places -= 1
                self.started.append([arrived[0], self.prompts[arrived.popleft()]])
            taken = min(room, self.started[0][1])
            room -= taken
            self.started[0][1] -= taken
            if not self.started[0][1]:
                done.append(self.started.popleft()[0])
        return 1 - room / self.chunk_tokens, done


def chunked_replica(
    arrival_s: np.ndarray,
    prompt_tokens: np.ndarray,
    output_tokens: np.ndarray,
    decode_step: Sequence[float],
    mixed_step: Sequence[float],
    chunk_tokens: int,
) -> Served:
    """Chunked prefill: up to a chunk of waiting prompt tokens, first come first served, rides
    with every decode iteration; a part-filled chunk costs in proportion. At most B requests are
    started and unfinished; the first token appears when the prompt's last chunk ends."""
    arrivals, outputs = [*arrival_s.tolist(), math.inf], output_tokens.tolist()
    n, batch_cap, head, now = len(outputs), len(decode_step) - 1, 0, 0.0
    first, end = [0.0] * n, [0.0] * n
    decoding, gaps = Decoding(), []
    chunks, arrived = Chunks(prompt_tokens.tolist(), chunk_tokens), deque()
    while head < n or decoding or arrived or chunks.started:
        if not (decoding or arrived or chunks.started):
            now = max(now, arrivals[head])
        while arrivals[head] <= now:
            arrived.append(head)
            head += 1
        batch, count = len(decoding), 1
        filled, prefilled = chunks.next(arrived, batch_cap - batch)
        step_s = decode_step[batch] + (mixed_step[batch] - decode_step[batch]) * filled
        if not filled:
            count = decoding.alike(step_s, arrivals[head] - now if not arrived else math.inf)
        if batch:
            gaps.append((step_s, count))
        now += count * step_s
        for request in decoding.run(count):
            end[request] = now
        for request in prefilled:
            first[request] = now
            if outputs[request] > 1:
                decoding.join(request, outputs[request] - 1)
    return _served(arrival_s, first, end, outputs, gaps)


def prefill_priority_replica(
    arrival_s: np.ndarray,
    prompt_tokens: np.ndarray,
    output_tokens: np.ndarray,
    decode_step: Sequence[float],
    prefill_s_per_token: float,
) -> Served:
    """Whole prompts first: while a prompt waits and a place is free it runs alone, and decode
    stalls; otherwise every request in decode gets a token."""
    arrivals, outputs = [*arrival_s.tolist(), math.inf], output_tokens.tolist()
    services = (prompt_tokens * prefill_s_per_token).tolist()
    n, batch_cap, head, now, last = len(outputs), len(decode_step) - 1, 0, 0.0, 0.0
    first, end = [0.0] * n, [0.0] * n
    decoding, gaps = Decoding(), []
    while head < n or decoding:
        if not decoding:
            now = last = max(now, arrivals[head])
        while arrivals[head] <= now and len(decoding) < batch_cap:
            now += services[head]
            first[head] = now
            if not decoding:
                last = now
            if outputs[head] > 1:
                decoding.join(head, outputs[head] - 1)
            head += 1
        if decoding:
            step_s = decode_step[len(decoding)]
            until_s = arrivals[head] - now if len(decoding) < batch_cap else math.inf
            count = decoding.alike(step_s, until_s)
            gaps += [(now + step_s - last, 1), (step_s, count - 1)]
            now = last = now + count * step_s
            for request in decoding.run(count):
                end[request] = now
    return _served(arrival_s, first, end, outputs, gaps)


def _served(
    arrival_s: np.ndarray,
    first: list[float],
    end: list[float],
    outputs: list[int],
    gaps: list[tuple[float, int]],
) -> Served:
    tokens = np.array(outputs) - 1
    own_s = (np.array(end) - np.array(first)) / np.maximum(tokens, 1)
    first_s = np.array(first) - arrival_s
    columns = np.array(gaps).T if gaps else np.zeros((2, 0))
    return Served(first_s, first_s, np.where(tokens > 0, own_s, np.nan), tokens, *columns)
