"""What the fleet is really asked and how busy it is: tables of the workload page."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from planner import Audit, Plan, text

Document = Mapping[str, Any]
READ, WRITTEN = "Reading prompts", "Writing answers"
NOW, LATER = "Now", "In 18 months"
LENGTHS = ("mean", "p50", "p90", "p95", "p99", "max")
SURGE = "long_documents"


def ratios(now: Document, later: Document) -> pd.DataFrame:
    """Output to input, by tokens and by chip time, today and in 18 months."""
    heads = [now["headline"], later["headline"]]
    rows = {
        "Tokens": [
            heads[0]["decode_to_prefill_token_ratio"],
            heads[1]["at_18_months"]["decode_to_prefill_token_ratio"],
        ],
        "Chip time": [_in_time(head) for head in heads],
    }
    table = pd.DataFrame([{"row": name, "now": a, "later": b} for name, (a, b) in rows.items()])
    table.attrs = {"now": NOW, "later": LATER}
    return table


def _in_time(head: Document) -> float | None:
    prefill = head["prefill_time_frac"]
    return (1 - prefill) / prefill if prefill else None


def shares(plan: Plan) -> pd.DataFrame:
    """Tokens and chip time by class at the mean rate, each split into reading and writing."""
    rows = []
    asked = [
        (d.name, d.input_tokens * d.mean_per_s, d.output_tokens * d.mean_per_s)
        for d in plan.sized.demands
    ]
    busy, reading = _chip_time(plan)
    tokens, time = sum(a + b for _, a, b in asked), sum(busy.values())
    read = sum(a for _, a, _ in asked) / tokens
    spent = sum(reading.values()) / time if time else 0.0
    rows.append(_share("All tokens", read, 1.0))
    rows.append(_share("All chip time", spent, 1.0))
    for name, inputs, outputs in asked:
        words = name.replace("_", " ")
        rows.append(
            _share(f"{words}: tokens", inputs / (inputs + outputs), (inputs + outputs) / tokens)
        )
        if busy.get(name):
            rows.append(
                _share(f"{words}: chip time", reading[name] / busy[name], busy[name] / time)
            )
    return pd.DataFrame(rows)


def _chip_time(plan: Plan) -> tuple[dict[str, float], dict[str, float]]:
    """Chips busy at the mean rate by class, over all its pools: in all, and with reading.

    Weighed as the headline's share of chip time is, so that the two agree.
    """
    busy: dict[str, float] = {}
    reading: dict[str, float] = {}
    mean_over_peak = {row.name: row.mean_per_s / row.peak_per_s for row in plan.sized.demands}
    for pool in plan.fleets["as-built"].pools:
        name = pool.class_name
        chips = pool.n_accelerators * pool.utilization * mean_over_peak[name]
        busy[name] = busy.get(name, 0.0) + chips
        reading[name] = reading.get(name, 0.0) + chips * pool.shares.prefill_frac
    return busy, reading


def _share(row: str, read: float, of_all: float) -> dict[str, Any]:
    return {"row": row, READ: read, WRITTEN: 1 - read, "share of all": of_all}


def lengths(audit: Audit) -> pd.DataFrame:
    """Percentiles of prompts and answers [tokens], as words."""
    rows = []
    for label, held in (("Prompt", audit.input_lengths), ("Answer", audit.output_lengths)):
        found = {name: text.number(getattr(held, name), place=0) for name in LENGTHS}
        rows.append({"Tokens of a": label} | found)
    return pd.DataFrame(rows)


def minutes(audit: Audit) -> pd.DataFrame:
    """Requests in each bin of the log."""
    held = audit.per_minute
    unit = "minute" if held.bin_s == 60 else "hour"
    return pd.DataFrame({unit: held.minute, "requests": held.requests})


def summary(audit: Audit) -> list[tuple[str, str, str]]:
    """A few figures of a log."""
    arrivals, prefill = audit.arrivals, audit.prefill_time_frac
    return [
        ("Requests", text.number(audit.requests, place=0), "Rows of the log that hold a request."),
        (
            "Output : input tokens",
            text.ratio(audit.decode_to_prefill_token_ratio),
            "Tokens written for each token read, cached ones included.",
        ),
        (
            "Chip time reading prompts",
            text.percent(prefill),
            "Share of chip time in prefill; modelled where the log holds no times.",
        ),
        (
            "Peak minute over mean",
            text.number(arrivals.peak_to_mean),
            "Busiest minute of the log against its mean rate.",
        ),
    ]


def surge(plan: Plan) -> pd.DataFrame | None:
    """Compute and memory in use before, during and after the surge of long documents.

    The phases run alone on the fleet's own chips (the option split-same-chip); None without the
    class or without such pools.
    """
    before = [pool for pool in plan.fleets["as-built"].pools if pool.class_name != SURGE]
    alone = {p.role: p for p in plan.fleets["split-same-chip"].pools if p.class_name == SURGE}
    if not before or not {"prefill", "decode"} <= alone.keys():
        return None
    chips = sum(pool.n_accelerators for pool in before)
    quiet = [
        sum(pool.n_accelerators * getattr(pool.mean, f"{kind}_util_frac") for pool in before)
        / chips
        for kind in ("compute", "memory")
    ]
    return pd.DataFrame(
        [
            {
                "when": "Before",
                "what": "The other classes, an average minute",
                "compute": quiet[0],
                "memory": quiet[1],
            },
            _phase("During", "Long prompts are read", alone["prefill"]),
            _phase("After", "Summaries are written", alone["decode"]),
        ]
    )


def _phase(when: str, what: str, pool: Any) -> dict[str, Any]:
    peak = pool.peak
    return {
        "when": when,
        "what": what,
        "compute": peak.compute_util_frac,
        "memory": peak.memory_util_frac,
    }
