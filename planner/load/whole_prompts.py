"""A replica that runs whole prompts first, at its mean, and the wait for a first token on it."""

from dataclasses import dataclass

import numpy as np

from planner.load.birth_death import BatchLaw, batch_law
from planner.load.checks import Floats
from planner.load.curves import ReplicaCurves, rise_s
from planner.load.first_token import Delay, sojourn_excess_s
from planner.load.interplay import dispersion
from planner.load.lengths import third_moment_frac
from planner.load.traffic import Traffic
from planner.load.waiting import pollaczek_wait_s, waiting_scv


@dataclass(frozen=True, slots=True)
class Stalled:
    """The replica at its mean.

    busy: share of time that prompts run; stretch: 1/(1 − busy), by which they lengthen a step;
    decode steps at the law's grid, by token and by time, and their growth with the batch; slope_s:
    that of stretched steps; room: prompts that can run before the batch is full.
    """

    traffic: Traffic
    service_s: Floats
    busy: Floats
    stretch: Floats
    law: BatchLaw
    grid_decode_s: Floats
    token_decode_s: Floats
    decode_s: Floats
    slope_s: Floats
    dispersion: Floats
    room: Floats

    @property
    def n_dims(self) -> int:
        """Dimensions of what is asked."""
        traffic = self.traffic
        asked = (traffic.prompt_scv, traffic.life_scv, traffic.level_frac, self.room, self.busy)
        return max(np.ndim(value) for value in asked)

    @property
    def tokens_per_s(self) -> Floats:
        """Decode iterations of requests, per second."""
        return self.traffic.rate_per_s * self.traffic.life_tokens


def replica_state(
    traffic: Traffic, curves: ReplicaCurves, service_s: Floats, utilization: Floats
) -> Stalled:
    """The law of the batch, counted in time that no prompt takes, and means over it."""
    busy = traffic.rate_per_s * service_s
    stretch = 1 / (1 - busy)
    rate = traffic.rate_per_s * traffic.life_tokens
    load_at_cap = np.where(traffic.rate_per_s > 0, utilization, 0)
    law = batch_law(rate * stretch, curves.log_product_s, load_at_cap, curves.grid)
    token_s, time_s, rise = (
        law.mean(curve)
        for curve in (curves.decode_s, curves.decode_before_s, rise_s(curves.grid, curves.decode_s))
    )
    return Stalled(
        traffic=traffic,
        service_s=service_s,
        busy=busy,
        stretch=stretch,
        law=law,
        grid_decode_s=curves.decode_s,
        token_decode_s=token_s,
        decode_s=time_s,
        slope_s=rise * stretch,
        dispersion=dispersion(traffic, busy, 1),
        room=np.maximum(law.grid.cap - rate * token_s * stretch, 1),
    )


def prompt_delay(state: Stalled) -> Delay:
    """M/G/1 wait behind prompts, the decode step under way, the own prompt."""
    traffic, service_s = state.traffic, state.service_s
    scv, level = traffic.prompt_scv, traffic.level_frac
    decoding = 1 - state.law.seen[..., 0]
    line_s = pollaczek_wait_s(traffic.rate_per_s, service_s, scv)
    bend = waiting_scv(state.busy, scv, third_moment_frac(scv))
    longer_s = sojourn_excess_s(line_s, state.busy, bend, service_s, scv, level)
    step_s = decoding * state.decode_s / 2
    return Delay(line_s + step_s + service_s, np.hypot(longer_s, step_s))
