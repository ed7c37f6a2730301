"""What the brief says: a plan in the words and figures of one page, as plain values."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from planner import text
from planner.decision.plan import Plan
from planner.decision.risk import Risk, Swing, swings
from planner.export import notes, pictures
from planner.export.figures import drawn, last_place
from planner.export.printable import printable
from planner.export.sources import Sources
from planner.export.tiles import numbers, tiles
from planner.export.words import OPTIONS
from planner.version import MODEL_VERSION

NAME_CHARACTERS = {"scenario": 44, "author": 20, "reason": 70, "chips": 44}
BOTTLENECKS = {"memory bandwidth": "bandwidth", "overheads and links": "overheads"}
NOT_APPLICABLE = "–"
SHOWN_NAMES = 5
W_PER_MW = 1e6


def content(plan: Plan, *, made_at: datetime, author: str, status: str) -> dict[str, Any]:
    """Everything that the page shows; `prose` holds its running text."""
    document = plan.as_dict(break_even=False)
    held, sources = plan.risk, Sources(plan.catalog)
    rival = contender(plan, held)
    widest = swings_of(plan, rival)
    cited = numbers(plan, document, rival, sources)
    bridge, place = pictures.bridge(document)
    figures = {
        "bridge": bridge,
        "stranded": pictures.stranded(document["stranded"]),
        "tornado": pictures.tornado(
            widest[:SHOWN_NAMES], float(plan.money.npv_usd[rival]), plan.catalog, sources
        ),
    }
    names = {"scenario": plan.scenario.name, "author": author}
    shown = {what: printable(name, NAME_CHARACTERS[what]) for what, name in names.items()}
    review = notes.quarter_later(made_at.date())
    said = {
        "title": shown["scenario"],
        "status": status,
        "identity": _identity(plan, made_at, shown["author"]),
        "check": _check(document),
        "tiles": tiles(plan, document, rival, held.npv_usd[rival], place),
        "numbers": cited,
        "declared": _declared(plan, document),
        "options": _options(document, held, place),
        "figures": {name: asdict(drawn(chart)) for name, chart in figures.items()},
        "heads": {
            "options": _options_head(plan, rival, sources),
            "tornado": _tornado_head(plan),
        },
        "prose": notes.prose(plan, document, review, notes.cut(names, shown)),
        "review": f"{review:%Y-%m-%d}",
    }
    return {**said, "sources": sources.notes()}


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


def _identity(plan: Plan, made_at: datetime, author: str) -> list[str]:
    return [
        f"By {author}" if author else "Brief",
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


def _tornado_head(plan: Plan) -> str:
    stays = plan.verdict.action == "stay"
    option = "the best alternative" if stays else "the recommendation"
    return f"NPV of {option} with one assumption at its low (light), then at its high end (dark)"


def _options_head(plan: Plan, rival: str, sources: Sources) -> str:
    pools = (*plan.fleets["as-built"].pools, *plan.fleets[rival].pools)
    rented = plan.scenario.finance.basis == "rent"
    price = "rental_usd_per_hour" if rented else "price_usd"
    found = (getattr(plan.catalog.accelerators[pool.accelerator], price) for pool in pools)
    marks = dict.fromkeys(sources.cite(held.source) for held in found if held)
    said = "Options at equal demand and service levels, whole fleets new at the prices of"
    return f"{said} {''.join(marks)}"


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
        BOTTLENECKS.get(row["bottleneck"], row["bottleneck"]) or text.MISSING,
        *_worth(row["id"], held),
    ]


def _worth(option: str, held: Risk) -> tuple[str, str]:
    """P50 of an option's NPV and the share of futures it gains in, both against as-built."""
    if option not in held.npv_usd:
        return text.MISSING, text.MISSING
    sampled = held.plan.sampled is not None and option != "as-built"
    odds = text.percent(held.gain_frac[option], place=-2) if sampled else NOT_APPLICABLE
    return text.usd(held.npv_usd[option]["p50"]), odds
