"""What the brief says: a plan in the words and figures of one page, as plain values."""

import hashlib
import json
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

import numpy as np

from planner import text
from planner.decision.plan import Plan
from planner.decision.risk import Risk, Swing, risk, swings
from planner.export import pictures
from planner.export.figures import last_place
from planner.export.printable import ELLIPSIS, literal, printable
from planner.export.sources import Sources
from planner.export.tiles import numbers, tiles
from planner.export.wording import name_of, value_of
from planner.version import MODEL_VERSION

NAME_CHARACTERS = {"scenario": 44, "author": 20, "reason": 70, "assumption": 34, "caveat": 92, "chips": 44}
SHOWN_NAMES = {"swings": 5, "crossing": 2}
MONTHS_PER_YEAR, QUARTERS_PER_YEAR = 12, 4
OPTIONS = {
    "as-built": "As built today",
    "monolithic-software": "Same chips, software on",
    "split-same-chip": "Split, same chips",
    "split-capped": "Split, decode capped",
    "split-mixed": "Split, best chips on sale",
    "split-specialised": "Split, chips on paper only",
    "proposed": "Proposed mix",
}
SLIDERS = {
    "decode_to_prefill_token_ratio": ("output : input tokens", text.ratio),
    "power_budget_mw": ("the power budget", text.mw),
    "fleet_mix": ("the split share of power", text.percent),
}
EXCLUDED = (
    "Training beyond its share of chips; other staff; licences, storage and egress; quality lost to "
    "lower precision; financing fees. Owned and new chips do not yet mix in one pool."
)


def content(plan: Plan, *, made_at: datetime, author: str, status: str) -> dict[str, Any]:
    """Everything that the page shows; `prose` holds its running text."""
    document, held, sources = plan.as_dict(), risk(plan), Sources(plan.catalog)
    rival = contender(plan, held)
    widest = swings_of(plan, rival)
    cited = numbers(plan, document, rival, sources)
    bridge, place = pictures.bridge(document)
    figures = {
        "bridge": bridge,
        "stranded": pictures.stranded(document["stranded"]),
        "tornado": pictures.tornado(
            widest[: SHOWN_NAMES["swings"]], float(plan.money.npv_usd[rival]), plan.catalog, sources
        ),
    }
    review = quarter_later(made_at.date())
    return {
        "title": printable(plan.scenario.name, NAME_CHARACTERS["scenario"]),
        "status": status,
        "identity": _identity(plan, made_at, author),
        "check": _check(document),
        "tiles": tiles(plan, document, rival, held.npv_usd[rival], place),
        "numbers": cited,
        "declared": _declared(plan, document),
        "options": _options(document, held, place),
        "figures": {name: asdict(drawing) for name, drawing in figures.items()},
        "tornado": _tornado(plan),
        "prose": {
            "verdict": document["verdict"]["sentence"],
            "ask": ask(plan, review),
            "conditions": list(_conditions(plan, document, widest)),
            "waiting": _waiting(plan, document),
            "later": _later(document),
            "caveats": _caveats(plan),
            "excluded": EXCLUDED,
            "error": _error(plan, document),
            "cut": _cut(plan, author),
        },
        "sources": sources.notes(),
        "review": f"{review:%Y-%m-%d}",
    }


def scenario_id(plan: Plan) -> str:
    """Short hash of all that the answer depends on: inputs, model and catalog."""
    inputs = plan.scenario.model_dump(mode="json")
    version = plan.catalog.version
    held = json.dumps([inputs, MODEL_VERSION, version], sort_keys=True)
    return hashlib.sha256(held.encode()).hexdigest()[: len(version)]


def contender(plan: Plan, held: Risk) -> str:
    """The recommended option; where that is to stay, the likeliest of the others to gain.

    An option that is as-built under another name is none of them.
    """
    if plan.verdict.action != "stay":
        return plan.verdict.option_id
    rivals = {
        name: (held.gain_frac[name], npv["p50"])
        for name, npv in held.npv_usd.items()
        if plan.fleets[name].feasible and name != "split-specialised" and any(npv.values())
    }
    return max(rivals, key=lambda name: rivals[name], default=plan.verdict.option_id)


def swings_of(plan: Plan, option: str) -> tuple[Swing, ...]:
    """What moves the NPV of an option, as if it were the recommended one; as-built has none."""
    if option == "as-built":
        return ()
    found = swings(replace(plan, verdict=replace(plan.verdict, option_id=option)))
    return tuple(swing for swing in found if swing.width_usd)


def quarter_later(day: date) -> date:
    """The day to look again: a quarter on, when waiting has cost once."""
    months = day.month - 1 + MONTHS_PER_YEAR // QUARTERS_PER_YEAR
    year, month = day.year + months // MONTHS_PER_YEAR, months % MONTHS_PER_YEAR + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def ask(plan: Plan, review: date) -> str:
    """What the reader is asked to sign, in a few words."""
    option = plan.verdict.option_id
    if plan.verdict.action == "stay":
        return f"Approve no change; decide again on {review:%Y-%m-%d}."
    operator, usd = plan.scenario.operator, float(plan.money.cash[option].purchase_usd)
    chips = f"{text.usd(usd)} of new chips" if usd else "no new chips"
    if not plan.fleets[option].split:
        return f"Approve the software roll-out and {chips}."
    engineers = text.count(round(operator.engineers), "engineer")
    quarters = text.number(operator.build_quarters, place=0)
    return f"Approve {chips}, {engineers} and a {quarters}-quarter build."


def _identity(plan: Plan, made_at: datetime, author: str) -> list[str]:
    by = printable(author, NAME_CHARACTERS["author"])
    return [
        f"Brief by {by}" if by else "Brief",
        f"{made_at:%Y-%m-%d %H:%M} UTC",
        f"id {scenario_id(plan)}",
        f"model {MODEL_VERSION}",
        f"catalog {plan.catalog.date}",
    ]


def _check(document: Mapping[str, Any]) -> dict[str, Any]:
    failed = document["checks"]["failed"]
    said = "passed" if not failed else f"failed: {text.count(len(failed), 'test')}"
    return {"ok": not failed, "text": f"Master check {said}"}


def _declared(plan: Plan, document: Mapping[str, Any]) -> str:
    held = document["declared"]
    chips = ", ".join(plan.catalog.accelerators[chip].name for chip in held["accelerators"])
    return (
        f"Built for {held['primary_workload']}: {text.mw(held['prefill_mw'])} of prefill, "
        f"{text.mw(held['decode_mw'])} of decode on {printable(chips, NAME_CHARACTERS['chips'])}."
    )


def _tornado(plan: Plan) -> str:
    stays = plan.verdict.action == "stay"
    option = "the best alternative" if stays else "the recommendation"
    return f"NPV of {option} with one assumption at its low (light), then at its high end (dark)"


def _options(document: Mapping[str, Any], held: Risk, place: int) -> list[dict[str, Any]]:
    """A row an option; the recommended one is marked, an impossible one says why."""
    chosen = document["verdict"]["option_id"]
    rows = [*document["options"], *([document["proposed"]] if chosen == "proposed" else [])]
    places = place, min(last_place([row["facility_provisioned_w"] / W_PER_MW for row in rows]), 0)
    return [
        {
            "label": OPTIONS[row["id"]],
            "chosen": row["id"] == chosen,
            "cells": _cells(row, held, *places),
            "reason": ""
            if row["feasible"]
            else printable(f"Infeasible: {row['reason']}", NAME_CHARACTERS["reason"]),
        }
        for row in rows
    ]


def _cells(row: Mapping[str, Any], held: Risk, place: int, mw_place: int) -> list[str]:
    watts = row["facility_provisioned_w"]
    return [
        text.usd(row["capex_usd"]),
        text.usd(row["cost_usd_per_year"], place=place),
        text.usd(row["cost_usd_per_mtok"]),
        text.number(watts / W_PER_MW, place=mw_place),
        text.percent(row["kv_efficiency_frac"]),
        row["bottleneck"] or text.MISSING,
        text.usd(held.npv_usd[row["id"]]["p50"]) if row["id"] in held.npv_usd else text.MISSING,
    ]


def _conditions(
    plan: Plan, document: Mapping[str, Any], widest: Sequence[Swing]
) -> Iterator[str]:
    """Where the verdict turns: along the sliders, and in the widest assumptions."""
    here = document["verdict"]["action"]
    turns = [flip for flip in document["verdict"]["flips"] if flip["action"] != here]
    for flip in turns:
        name, show = SLIDERS[flip["input"]]
        verb = _verb(plan, document, flip)
        yield f"{flip['action'].capitalize()} wins once {name} {verb} {show(flip['value'])}."
    if not turns:
        yield "No value of the three sliders turns it."
    crossing = [swing for swing in widest if zero(swing) is not None]
    if crossing:
        points = (_point(plan, swing) for swing in crossing[: SHOWN_NAMES["crossing"]])
        yield f"NPV changes sign near {' or '.join(points)}."
    else:
        yield "No single assumption turns the sign of NPV."


def _point(plan: Plan, swing: Swing) -> str:
    """An assumption and its value where NPV is nil: "Growth at 3.1% a year"."""
    name = printable(name_of(swing.assumption, plan.catalog), NAME_CHARACTERS["assumption"])
    return f"{name} at {value_of(zero(swing) or 0.0, swing.assumption.unit)}"


def zero(swing: Swing) -> float | None:
    """Where a swing's NPV is about nil, drawn straight from its low to its high end."""
    low, high = swing.npv_low_usd, swing.npv_high_usd
    if not low * high < 0:
        return None
    held = swing.assumption
    return held.low + (held.high - held.low) * low / (low - high)


def _verb(plan: Plan, document: Mapping[str, Any], flip: Mapping[str, Any]) -> str:
    """Which way a slider must move from where it stands."""
    name = flip["input"]
    ratio = document["headline"]["decode_to_prefill_token_ratio"]
    today = getattr(plan.scenario, name) if name != "decode_to_prefill_token_ratio" else ratio
    if today == "auto":
        return "is forced to"
    return "falls to" if flip["value"] < today else "rises to"


def _waiting(plan: Plan, document: Mapping[str, Any]) -> str:
    usd = document["headline"]["proposed"]["waiting_usd_per_quarter"]
    if usd is None:
        cost = "Nothing, for nothing is proposed."
    else:
        cost = f"{text.usd(usd)} a quarter." if usd >= 0 else f"Waiting pays {text.usd(-usd)} a quarter."
    speed = document["headline"]["speed_to_power_quarters"]
    first, new = (text.count(round(speed[key]), "quarter") for key in ("recovered", "new"))
    anyway = float(plan.money.cash["as-built"].purchase_usd)
    also = f" Carrying on buys {text.usd(anyway)} of chips too." if anyway else ""
    more = document["declared"]["flexibility_usd_per_year"]
    mixed = f" Mixed use pays {text.usd(more)} a year for flexibility." if more > 0 else ""
    return f"{cost} Recovered power serves after {first}, new power after {new}.{also}{mixed}"


def _later(document: Mapping[str, Any]) -> str:
    held = document["headline"]["at_18_months"]
    ratio, action = text.ratio(held["decode_to_prefill_token_ratio"]), held["action"]
    return (
        f"At {ratio} the verdict reads {action}: {text.percent(held['tax_frac'])} tax after "
        f"software, {text.mw(held['recovered_mw'])} recovered."
    )


def _caveats(plan: Plan) -> str:
    """The first thing that bent this answer, and how many more there are."""
    held = [*plan.sized.caveats, *plan.fleets["proposed"].caveats]
    if not held:
        return ""
    more = f" And {text.number(len(held) - 1)} more in the plan." if held[1:] else ""
    return printable(held[0], NAME_CHARACTERS["caveat"]) + more


def _error(plan: Plan, document: Mapping[str, Any]) -> str:
    ledger = document["ledger"]
    guessed = sum(row["kind"] in {"estimate", "assumption"} for row in ledger)
    return (
        "A first fit to public measurements, not a calibration: no error is claimed. "
        f"{text.number(guessed, place=0)} of {text.count(len(ledger), 'assumption')} are estimates "
        f"without a published source. {_ranges(plan)}"
    )


def _ranges(plan: Plan) -> str:
    if plan.sampled is None:
        return "The plan was made without samples, so it has no P10 to P90."
    n = text.count(np.size(plan.sampled.npv_usd["split-mixed"]), "draw")
    return (
        f"Large figures use the stated values (NPV: P50); ranges come from {n}, fleets held as sized."
    )


def _cut(plan: Plan, author: str) -> str:
    """Says so where a name was too long for the page."""
    long = [
        f"{what} of {text.count(len(raw), 'character')}"
        for what, raw in (("scenario name", plan.scenario.name), ("author", author))
        if printable(raw, NAME_CHARACTERS[what.split()[0]]) != literal(raw)
    ]
    return f"Cut at {ELLIPSIS} for want of room: {', '.join(long)}." if long else ""


W_PER_MW = 1e6
