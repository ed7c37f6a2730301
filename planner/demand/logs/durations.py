"""The measured share of time in prefill, where a log has both latencies."""

import ibis
import ibis.expr.types as ir

from planner.demand.logs.clock import MICROSECONDS, SECOND_PER
from planner.demand.logs.columns import Roles
from planner.demand.logs.limits import Limits
from planner.demand.logs.synonyms import Role, named_unit


def with_durations(rows: ir.Table, roles: Roles, limits: Limits) -> ir.Table:
    """Rows with `ttft_us`, `latency_us` [int64], null where absent or at odds (TTFT > latency).

    A column that names no unit is in seconds, unless its mean would then be absurd.
    """
    none = ibis.null("int64")
    if not {Role.TTFT, Role.LATENCY} <= set(roles.fields):
        return rows.mutate(ttft_us=none, latency_us=none)
    unnamed = _latency_unit(rows, roles, limits)
    ttft_us = _whole_us(rows.ttft, named_unit(roles.name(Role.TTFT)) or unnamed)
    latency_us = _whole_us(rows.latency, unnamed)
    sound = ttft_us.between(0, latency_us)
    return rows.mutate(
        ttft_us=ibis.ifelse(sound, ttft_us, none), latency_us=ibis.ifelse(sound, latency_us, none)
    )


def _whole_us(duration: ir.FloatingValue, unit: str) -> ir.IntegerValue:
    """A logged duration in whole microseconds, null beyond int64."""
    scaled: ir.FloatingValue = duration * (SECOND_PER[unit] * MICROSECONDS)
    return scaled.try_cast("int64")


def _latency_unit(rows: ir.Table, roles: Roles, limits: Limits) -> str:
    """The unit that the column names; else milliseconds if seconds would be absurd."""
    named = named_unit(roles.name(Role.LATENCY))
    if named:
        return named
    mean = rows.latency.mean().to_pyarrow().as_py()
    return "ms" if mean is not None and mean > limits.max_mean_latency_s else "s"
