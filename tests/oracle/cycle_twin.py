"""The cycle of requests in flight, counted the slow way with plain numbers and single prompts.

Written from the description of the model, importing nothing of `planner.load`: waits of a wave are
those of prompts that queue one behind the other, the batch is found by going half-way four times.
"""

from dataclasses import dataclass


@dataclass
class Replica:
    """One replica under `requests` in flight; times as functions of plain numbers."""

    requests: int
    places: int
    iterations: int
    drawn_frac: float
    slots_used: int
    mixed: bool
    alone_s: float
    step_s: object
    beside_s: object
    clump_prompts: float
    overhead_s: float

    @property
    def running(self):
        return min(self.requests, self.places)


def cycle(replica):
    """TTFT, iteration, rate, batch and wait for a place, by name."""
    n, batch = replica.running, float(replica.running)
    for _turn in range(4):
        step, cycle_s, queue_s = times_s(replica, batch)
        first_s = replica.overhead_s + replica.alone_s + step + queue_s
        waiting = min(first_s / cycle_s, 0.9)
        decoding = min(max(n - n * waiting, 1), n)
        batch = batch + (decoding - batch) / 2
    wait_s = (replica.requests - n) * cycle_s / n
    answer_s = max(cycle_s - queue_s - replica.alone_s, replica.iterations * step)
    return {
        "ttft_s": wait_s + first_s,
        "iteration_s": answer_s / replica.iterations,
        "requests_per_s": replica.requests / (wait_s + first_s + answer_s),
        "batch": batch,
        "wait_s": wait_s,
    }


def times_s(replica, batch):
    """A step, the whole cycle, and the mean wait of a prompt for prompts before it."""
    n, step = replica.running, replica.step_s(batch)
    prompt = max(replica.beside_s(batch, step), 0) if replica.mixed else replica.alone_s
    cycle_s = sum([prompt] * n) + sum([step] * replica.iterations)
    if replica.drawn_frac:
        again = random_wait_s(n, prompt, cycle_s)
    elif replica.mixed:
        in_step = replica.clump_prompts * (prompt - prompt / n)
        again = random_wait_s(n, prompt, cycle_s) + in_step
    else:
        again = 0.0
    waited_s = waves_s(replica, prompt, cycle_s) + again
    return step, cycle_s, min(waited_s, sum(prompt for _other in range(n - 1)))


def random_wait_s(n, prompt, cycle_s):
    """Behind the prompts of n − 1 others at random times (M/D/1), half of all of them at most."""
    busy = sum(prompt / cycle_s for _other in range(n - 1))
    return min(prompt * busy / (2 * (1 - min(busy, 0.999))), n * prompt / 2)


def waves_s(replica, prompt, cycle_s):
    """Mean wait over a run: the first n prompts come at once, later ones as they have spread."""
    n, within, waits = replica.running, 0.0, []
    for _slot in range(replica.slots_used):
        waits.append(mean_wait_s(n, prompt, within))
        left = max(within, n * prompt)
        if replica.drawn_frac:
            within = (left**2 + (replica.drawn_frac * cycle_s) ** 2) ** 0.5
            within = min(within, cycle_s)
        else:
            within = cycle_s if replica.mixed else 0.0
    return sum(waits) / len(waits)


def mean_wait_s(n, prompt, within):
    """n prompts that arrive evenly within a time, worked on one by one."""
    free_at, waited = 0.0, 0.0
    for number in range(n):
        arrives = within * number / n
        starts = max(free_at, arrives)
        waited += starts - arrives
        free_at = starts + prompt
    return waited / n
