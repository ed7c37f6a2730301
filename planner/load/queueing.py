"""Percentiles under load in closed form: means, waits and late percentiles of every pool.

Every function broadcasts over leading axes; step curves carry the batch on their last axis, with
+inf where a batch does not fit. Unstable systems answer stable=False and infinities. Lengths are
lognormal by mean and SCV (0: constant), arrivals Poisson unless an SCV is given. Quantiles are
those of late requests: a level below that of the mean answers the mean. How close each function
comes to simulation stands in docs/validation.md.
"""

from planner.load.bursts import audited_bursts, busiest_minute, logged_bursts, minute_bursts
from planner.load.bursty import bursty_pool
from planner.load.chunked import chunked_replica, chunked_saturation_per_s
from planner.load.decode import decode_pool, decode_pool_saturation_per_s
from planner.load.prefill import prefill_pool, prefill_pool_saturation_per_s
from planner.load.priority import (
    prefill_priority_replica,
    prefill_priority_saturation_per_s,
)
from planner.load.results import BurstyPool, DecodePool, PrefillPool, Replica

__all__ = [
    "BurstyPool",
    "DecodePool",
    "PrefillPool",
    "Replica",
    "audited_bursts",
    "bursty_pool",
    "busiest_minute",
    "chunked_replica",
    "chunked_saturation_per_s",
    "decode_pool",
    "decode_pool_saturation_per_s",
    "logged_bursts",
    "minute_bursts",
    "prefill_pool",
    "prefill_pool_saturation_per_s",
    "prefill_priority_replica",
    "prefill_priority_saturation_per_s",
]
