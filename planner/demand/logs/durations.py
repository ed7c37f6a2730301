"""The measured share of time in prefill, where a log has both latencies."""

import ibis
import ibis.expr.types as ir

from planner.demand.logs.clock import MICROSECONDS
from planner.demand.logs.columns import Roles
from planner.demand.logs.limits import Limits
from planner.demand.logs.synonyms import Role, named_unit
from planner.facts.units import SECOND_PER


def with_durations(rows: ir.Table, roles: Roles, limits: Limits) -> ir.Table:
    """Rows with `ttft_us`, `latency_us` [int64], null where absent or at odds (TTFT > latency).

    A column that names no unit is in seconds, unless its mean would then be absurd.
    """
    none = ibis.null("int64")
    fields = set(roles.fields)
    if not fields & {Role.TTFT, Role.FIRST_AT} or not fields & {Role.LATENCY, Role.END_AT}:
        return rows.mutate(ttft_us=none, latency_us=none)
    latency_unit = _unit(rows.latency, roles, Role.LATENCY, limits)
    ttft_unit = named_unit(roles.name(Role.TTFT)) if Role.TTFT in fields else "s"
    ttft_us = _whole_us(rows.ttft, ttft_unit or latency_unit)
    latency_us = _whole_us(rows.latency, latency_unit)
    sound = ttft_us.between(0, latency_us)
    return rows.mutate(
        ttft_us=ibis.ifelse(sound, ttft_us, none), latency_us=ibis.ifelse(sound, latency_us, none)
    )


def _whole_us(duration: ir.FloatingValue, unit: str) -> ir.IntegerValue:
    """A logged duration in whole microseconds, null beyond int64."""
    scaled: ir.FloatingValue = duration * (SECOND_PER[unit] * MICROSECONDS)
    return scaled.try_cast("int64")


def _unit(duration: ir.FloatingValue, roles: Roles, role: Role, limits: Limits) -> str:
    """The unit that a column names; else the largest in which its mean is not absurd."""
    if role not in roles.fields:
        return "s"
    named = named_unit(roles.name(role))
    if named:
        return named
    mean = duration.mean().to_pyarrow().as_py() or 0
    likely = (u for u, s in SECOND_PER.items() if mean * s <= limits.max_mean_latency_s)
    return next(likely, "ns")
