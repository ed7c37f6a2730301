"""What the pages draw as lines, for files: a day, other ratios, fuller chips, faster service."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from planner import text
from planner.decision.heat import heat_map
from planner.decision.loads import latencies
from planner.decision.plan import Plan
from planner.decision.variants import (
    RATIOS,
    SPLIT_FRACS,
    STRICTNESSES,
    at_mix,
    at_ratio,
    at_strictness,
)
from planner.demand.parts import Software
from planner.export.content import contender
from planner.export.lines import Line, Lines
from planner.export.words import OPTIONS
from planner.facts.units import HOURS_PER_DAY, W_PER_MW

Record = Mapping[str, Any]
FULL = (0.5, 0.75, 1.0)
HALF = HOURS_PER_DAY // 2


def series(plan: Plan, document: Record) -> dict[str, Lines]:
    """Every chart of lines by a name fit for a file; one of which nothing serves is left out."""
    found = {
        "day": day(plan, document),
        "ratio": ratio(plan, document),
        "load": load(plan),
        "service": service(plan),
        "mix": mix(plan),
        "software": software(plan),
    }
    return {name: chart for name, chart in found.items() if chart.lines}


def day(plan: Plan, document: Record) -> Lines:
    """Power at the meter around the busiest hour of an average day. [MW]"""
    shown = dict.fromkeys(("as-built", contender(plan, plan.risk)))
    rows = [row for row in (*document["options"], document["proposed"]) if row["id"] in shown]
    hours = range(-HALF, HALF + 1)
    lines = [
        Line(
            OPTIONS[row["id"]],
            list(hours),
            [row["facility_by_hour_w"][hour % HOURS_PER_DAY] / W_PER_MW for hour in hours],
        )
        for row in rows
    ]
    held = [row["facility_provisioned_w"] / W_PER_MW for row in rows]
    marks = [(hour, str(hour)) for hour in hours if hour % (HALF // 2) == 0]
    guides = [(mw, f"held: {text.mw(mw)}") for mw in held]
    return Lines(
        lines,
        "Hours from the busiest",
        text.mw,
        marks,
        guides=guides,
        title="Power drawn over an average day",
    )


def ratio(plan: Plan, document: Record) -> Lines:
    """Yearly cost of every option against the ratio, each ratio sized anew. [USD/year]"""
    rows = [row for each in RATIOS for row in at_ratio(plan, each)]
    today = document["headline"]["decode_to_prefill_token_ratio"]
    return Lines(
        _by_option(rows, "ratio", "cost_usd_per_year"),
        "Output : input tokens",
        text.usd,
        [(each, text.ratio(each)) for each in RATIOS[::2]],
        log=True,
        upright=(today, "today"),
        title="Cost of a year at another ratio",
    )


def service(plan: Plan) -> Lines:
    """Cost per million useful tokens against the time allowed to the first token. [USD/Mtok]"""
    rows = [row for each in STRICTNESSES for row in at_strictness(plan, each)]
    limits = sorted({row["limit_s"] for row in rows})
    return Lines(
        _by_option(rows, "limit_s", "cost_usd_per_mtok"),
        "Slowest 1 of 100 first tokens, of the class asked the fastest",
        text.usd,
        [(limit, text.seconds(limit)) for limit in limits],
        log=True,
        title="Cost per million useful tokens at stricter and looser service",
    )


def mix(plan: Plan) -> Lines:
    """NPV of the best plan with a share of its power forced into split pools, as formed. [USD]"""
    rows = [at_mix(plan, share) for share in SPLIT_FRACS]
    known = [(row["formed_frac"], row["npv_usd"]) for row in rows if row["npv_usd"] is not None]
    line = Line("Forced share", [share for share, _ in known], [usd for _, usd in known])
    return Lines(
        [line] if known else [],
        "Serving power in split pools",
        text.usd,
        [(share, text.percent(share)) for share in SPLIT_FRACS],
        title="NPV of the best plan at a forced mix",
    )


def software(plan: Plan) -> Lines:
    """The tax that is left at other ratios, the more software is switched on. [frac]"""
    held: dict[int, Line] = {}
    for cell in heat_map(plan):
        if cell["tax_frac"] is not None:
            name = f"+ {_title(cell['added'])}" if cell["added"] else "Software in place"
            line = held.setdefault(cell["level"], Line(name, [], []))
            line.xs.append(cell["ratio"])
            line.ys.append(cell["tax_frac"])
    ratios = sorted({x for line in held.values() for x in line.xs})
    return Lines(
        list(held.values()),
        "Output : input tokens",
        text.percent,
        [(each, text.ratio(each)) for each in ratios[::2]],
        log=True,
        title="Tax left on today's chips as software is switched on",
    )


def _title(field: str) -> str:
    """What a remediation is called, inside a sentence."""
    title = Software.model_fields[field].title or field
    return title[0].lower() + title[1:]


def load(plan: Plan) -> Lines:
    """Worst share of a service level used, as the chips of an option are run fuller."""
    rows = latencies(plan, tuple(dict.fromkeys(("as-built", contender(plan, plan.risk)))))
    worst: dict[tuple[str, float], float | None] = {}
    for row in rows:
        key, used = (row["option_id"], row["fullness"]), _used(row)
        if None in (used, worst.get(key, 0.0)):
            worst[key] = None
        else:
            worst[key] = max(used or 0.0, worst.get(key) or 0.0)
    records = [{"option_id": k[0], "fullness": k[1], "used": v} for k, v in worst.items()]
    return Lines(
        _by_option(records, "fullness", "used"),
        "How full the chips are run, of the plan",
        text.percent,
        [(each, text.percent(each)) for each in FULL],
        guides=[(1.0, "allowed")],
        upright=(1.0, "as planned"),
        title="Slowest 1 of 100 requests over what is allowed, worst class",
    )


def _used(row: Record) -> float | None:
    """The larger share of the two service levels; None where a pool saturates."""
    first, further = row["p99_ttft_s"], row["p99_tpot_s"]
    if first is None or further is None:
        return None
    return float(max(first / row["limit_ttft_s"], further / row["limit_tpot_s"]))


def _by_option(rows: Iterable[Record], x: str, y: str) -> Sequence[Line]:
    """A line per option through the records that have a value."""
    held: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row[y] is not None:
            held.setdefault(row["option_id"], []).append((row[x], row[y]))
    order = [name for name in OPTIONS if name in held]
    return [
        Line(OPTIONS[name], [at for at, _ in held[name]], [value for _, value in held[name]])
        for name in order
    ]
