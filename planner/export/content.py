"""What the brief says: a plan in the words and figures of one page, as plain values."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import numpy as np

from planner import text
from planner.decision.plan import Plan
from planner.decision.risk import Risk, risk
from planner.export import pictures
from planner.export.printable import ELLIPSIS, literal, printable
from planner.export.sources import Sources
from planner.export.tiles import numbers, tiles

NAME_CHARACTERS = {"scenario": 44, "author": 24, "reason": 66}
SHOWN_NAMES = {"swings": 5}
MONTHS_PER_YEAR, QUARTERS_PER_YEAR = 12, 4
OPTIONS = {
    "as-built": "As built today",
    "monolithic-software": "Same chips, all software on",
    "split-same-chip": "Split, same chips",
    "split-capped": "Split, decode power capped",
    "split-mixed": "Split, best chips on sale",
    "split-specialised": "Split, paper chips (not on sale)",
    "proposed": "Proposed mix",
}
SLIDERS = {
    "decode_to_prefill_token_ratio": ("output : input tokens", text.ratio),
    "power_budget_mw": ("the power budget", text.mw),
    "fleet_mix": ("the split share of power", text.percent),
}
EXCLUDED = (
    "Training beyond its share of chips; staff beyond the platform team; software licences, "
    "storage and egress; quality lost to lower precision; financing fees and incentives. "
    "Owned and new chips are not yet mixed inside a pool. Paper chips never enter the verdict."
)


def content(plan: Plan, *, made_at: datetime, author: str, status: str) -> dict[str, Any]:
    """Everything that the page shows; `prose` holds its running text."""
    document, held, sources = plan.as_dict(), risk(plan), Sources(plan.catalog)
    rival = contender(plan, held)
    figures, place = _figures(plan, document, held, sources)
    review = quarter_later(made_at.date())
    return {
        "title": printable(plan.scenario.name, NAME_CHARACTERS["scenario"]),
        "status": status,
        "identity": _identity(plan, made_at, author),
        "check": _check(document),
        "tiles": tiles(plan, document, rival, held.npv_usd[rival], place),
        "numbers": numbers(plan, document, sources),
        "declared": _declared(plan, document),
        "options": _options(document, held, place),
        "figures": {name: asdict(drawing) for name, drawing in figures.items()},
        "tornado": _tornado(plan),
        "prose": {
            "spread": _spread(plan),
            "verdict": document["verdict"]["sentence"],
            "ask": ask(plan, review),
            "conditions": list(_conditions(plan, document, held)),
            "waiting": _waiting(document),
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
    held = json.dumps([inputs, plan.as_dict(flips=False)["model_version"], version], sort_keys=True)
    return hashlib.sha256(held.encode()).hexdigest()[: len(version)]


def contender(plan: Plan, held: Risk) -> str:
    """The recommended option; where that is to stay, the best alternative that is one."""
    if plan.verdict.action != "stay":
        return plan.verdict.option_id
    same = plan.money.cost_usd_per_year("as-built")
    others = {
        name: npv["p50"]
        for name, npv in held.npv_usd.items()
        if plan.fleets[name].feasible and plan.money.cost_usd_per_year(name) != same
    }
    others.pop("split-specialised", None)
    return max(others, key=lambda name: others[name], default="as-built")


def quarter_later(day: date) -> date:
    """The day to look again: the first of the month a quarter on, when waiting has cost once."""
    months = day.month - 1 + MONTHS_PER_YEAR // QUARTERS_PER_YEAR
    return date(day.year + months // MONTHS_PER_YEAR, months % MONTHS_PER_YEAR + 1, 1)


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
    document = plan.as_dict(flips=False)
    by = printable(author, NAME_CHARACTERS["author"])
    return [
        f"id {scenario_id(plan)}",
        f"model {document['model_version']}",
        f"catalog {plan.catalog.date} ({plan.catalog.version})",
        f"{made_at:%Y-%m-%d %H:%M} UTC",
        *([f"by {by}"] if by else []),
    ]


def _check(document: Mapping[str, Any]) -> dict[str, Any]:
    failed = document["checks"]["failed"]
    said = "passed" if not failed else f"failed: {text.count(len(failed), 'test')}"
    return {"ok": not failed, "text": f"Master check {said}"}


def _declared(plan: Plan, document: Mapping[str, Any]) -> str:
    held = document["declared"]
    chips = ", ".join(plan.catalog.accelerators[chip].name for chip in held["accelerators"])
    return (
        f"Built for {held['primary_workload']}: {text.mw(held['prefill_mw'])} of prefill and "
        f"{text.mw(held['decode_mw'])} of decode on {chips}."
    )


def _figures(
    plan: Plan, document: Mapping[str, Any], held: Risk, sources: Sources
) -> tuple[dict[str, Any], int]:
    top = held.swings[: SHOWN_NAMES["swings"]]
    option = contender(plan, held)
    base = float(plan.money.npv_usd[option])
    bridge, place = pictures.bridge(document)
    return {
        "bridge": bridge,
        "stranded": pictures.stranded(document["stranded"]),
        "tornado": pictures.tornado(top, base, plan.catalog, sources),
    }, place


def _tornado(plan: Plan) -> str:
    stays = plan.verdict.action == "stay"
    option = "the best alternative" if stays else "the recommendation"
    return f"NPV of {option} with one assumption at its low, then at its high end"


def _spread(plan: Plan) -> str:
    if plan.sampled is None:
        return "no P10 to P90, because the plan was made without samples."
    n = np.size(plan.sampled.npv_usd["split-mixed"])
    return f"P10 · P50 · P90 of {text.count(n, 'draw')}."


def _options(document: Mapping[str, Any], held: Risk, place: int) -> list[dict[str, Any]]:
    """A row an option; the recommended one is marked, an impossible one says why."""
    chosen = document["verdict"]["option_id"]
    rows = [*document["options"], *([document["proposed"]] if chosen == "proposed" else [])]
    return [
        {
            "label": OPTIONS[row["id"]],
            "chosen": row["id"] == chosen,
            "cells": _cells(row, held, place),
            "reason": ""
            if row["feasible"]
            else printable(f"Not feasible: {row['reason']}", NAME_CHARACTERS["reason"]),
        }
        for row in rows
    ]


def _cells(row: Mapping[str, Any], held: Risk, place: int) -> list[str]:
    watts = row["facility_provisioned_w"]
    return [
        text.usd(row["capex_usd"]),
        text.usd(row["cost_usd_per_year"], place=place),
        text.usd(row["cost_usd_per_mtok"]),
        text.mw(watts / W_PER_MW),
        text.percent(row["kv_efficiency_frac"]),
        row["bottleneck"] or text.MISSING,
        text.usd(held.npv_usd[row["id"]]["p50"]) if row["id"] in held.npv_usd else text.MISSING,
    ]


def _conditions(plan: Plan, document: Mapping[str, Any], held: Risk) -> Iterator[str]:
    """Where the verdict turns: along the sliders, and in the widest assumptions."""
    here = document["verdict"]["action"]
    found = [flip for flip in document["verdict"]["flips"] if flip["action"] != here]
    for flip in found:
        name, show = SLIDERS[flip["input"]]
        yield f"{flip['action'].capitalize()} wins once {name} {_side(plan, flip)} {show(flip['value'])}."
    crossing = [s for s in held.swings if s.npv_low_usd * s.npv_high_usd < 0]
    if crossing:
        yield f"NPV changes sign inside the range of {text.count(len(crossing), 'assumption')}."
    if not found and not crossing:
        yield "None found: no slider within its limits and no single assumption turns the verdict."


def _side(plan: Plan, flip: Mapping[str, Any]) -> str:
    today = {
        "decode_to_prefill_token_ratio": plan.as_dict(flips=False)["headline"][
            "decode_to_prefill_token_ratio"
        ],
        "power_budget_mw": plan.scenario.power_budget_mw,
        "fleet_mix": plan.scenario.fleet_mix,
    }[flip["input"]]
    if today == "auto":
        return "is forced to"
    return "falls to" if flip["value"] < today else "rises to"


def _waiting(document: Mapping[str, Any]) -> str:
    head = document["headline"]
    usd, speed = head["proposed"]["waiting_usd_per_quarter"], head["speed_to_power_quarters"]
    if usd is None:
        cost = "Waiting costs nothing: nothing is proposed."
    elif usd < 0:
        cost = f"Waiting pays {text.usd(-usd)} a quarter."
    else:
        cost = f"Each quarter of waiting costs {text.usd(usd)}."
    first, new = (text.number(speed[key]) for key in ("recovered", "new"))
    return f"{cost} Recovered power serves its first token after {first} quarters, new power after {new}."


def _error(plan: Plan, document: Mapping[str, Any]) -> str:
    ledger = document["ledger"]
    guessed = sum(row["kind"] in {"estimate", "assumption"} for row in ledger)
    ranges = (
        "P10 to P90 draws all of them between the catalog's low and high, fleets held as sized."
        if plan.sampled
        else "No ranges were asked for."
    )
    return (
        f"Model {document['model_version']} is not yet calibrated chip by chip, and claims no error "
        f"against measurements. {text.number(guessed, place=0)} of its "
        f"{text.count(len(ledger), 'assumption')} are estimates without a published source. {ranges}"
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
