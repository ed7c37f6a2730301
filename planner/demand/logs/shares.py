"""Tokens by model, class and hour."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import ibis.expr.types as ir

from planner.demand.logs.clock import MICROSECONDS
from planner.demand.logs.lengths import lengths
from planner.demand.logs.results import Share
from planner.facts.units import HOUR_S

OTHERS = "(others)"
NO_NAME = "(none)"


def sums(rows: ir.Table, *by: str) -> list[dict[str, Any]]:
    """Requests, tokens and latencies of each group, the busiest first; one row without `by`."""
    found = rows.aggregate(
        by=list(by),
        requests=rows.count(),
        input_tokens=rows.input_tokens.sum(),
        output_tokens=rows.output_tokens.sum(),
        cached_tokens=rows.cached_tokens.sum(),
        ttft_us=rows.ttft_us.sum(),
        latency_us=rows.latency_us.sum(),
    )
    order = [found.requests.desc(), *(found[key].asc() for key in by)]
    listed: list[dict[str, Any]] = found.order_by(order).to_pyarrow().to_pylist()
    return listed


def share(name: str, sum_: Mapping[str, Any]) -> Share:
    """The tokens of a group and its two ratios; a ratio to nothing is null."""
    input_tokens, output_tokens = int(sum_["input_tokens"]), int(sum_["output_tokens"])
    cached, ttft_us, latency_us = sum_["cached_tokens"], sum_["ttft_us"], sum_["latency_us"]
    return Share(
        name=name,
        requests=int(sum_["requests"]),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_tokens=None if cached is None else int(cached),
        fresh_tokens=None if cached is None else input_tokens - int(cached),
        decode_to_prefill_token_ratio=output_tokens / input_tokens if input_tokens else None,
        prefill_time_frac=ttft_us / latency_us if latency_us else None,
    )


def shares(rows: ir.Table, column: str, n_most: int, *, coarse: bool) -> tuple[Share, ...]:
    """Tokens and lengths by model or class, the busiest `n_most` by name, the rest together."""
    found = sums(rows, column)
    most, rest = found[:n_most], found[n_most:]
    names = [sum_[column] for sum_ in most]
    named = rows.filter(rows[column].isin(names)) if rest else rows
    inputs, outputs = (
        lengths(named, tokens, (column,), coarse=coarse)
        for tokens in ("input_tokens", "output_tokens")
    )
    listed = [
        replace(share(name, sum_), input_lengths=inputs[(name,)], output_lengths=outputs[(name,)])
        for name, sum_ in zip(names, most, strict=True)
    ]
    return (*listed, *([share(OTHERS, together(rest))] if rest else []))


def together(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Groups added up; a sum that all of them lack stays null."""
    keys = ("requests", "input_tokens", "output_tokens", "cached_tokens", "ttft_us", "latency_us")
    given = {key: [sum_[key] for sum_ in found if sum_[key] is not None] for key in keys}
    return {key: sum(values) if values else None for key, values in given.items()}


def hourly(rows: ir.Table, starts_at: datetime | None) -> tuple[Share, ...]:
    """Tokens by clock hour in UTC, or by hour since the first arrival of an undated log.

    rows: since_us. Hours without requests are left out.
    """
    midnight = starts_at and starts_at.replace(minute=0, second=0, microsecond=0)
    offset_us = (starts_at - midnight) // timedelta(microseconds=1) if starts_at and midnight else 0
    hour = (rows.since_us + offset_us) // (HOUR_S * MICROSECONDS)
    found = sums(rows.mutate(hour=hour), "hour")
    name = _hour_name(midnight)
    return tuple(share(name(sum_["hour"]), sum_) for sum_ in sorted(found, key=lambda s: s["hour"]))


def _hour_name(first: datetime | None) -> Callable[[int], str]:
    """How hour number n is called: `2023-11-16T18:00Z`, or `hour 3` in an undated log."""
    if first is None:
        return lambda n: f"hour {n}"
    return lambda n: f"{first + timedelta(hours=n):%Y-%m-%dT%H:%MZ}"
