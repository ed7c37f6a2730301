"""The appendix as PDF: the method, how it was validated, every option and every assumption."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from planner import text
from planner.decision.plan import Plan
from planner.decision.wording import name_of, range_of, value_of
from planner.evidence import kept, validation
from planner.export import notes
from planner.export.content import scenario_id
from planner.export.printable import printable
from planner.export.setting import FOLDER, typeset, utc
from planner.export.words import OPTIONS
from planner.facts.calibration import SCOPES
from planner.facts.catalog import Catalog
from planner.facts.ledger import Assumption
from planner.facts.units import W_PER_MW
from planner.version import MODEL_VERSION

TEMPLATE, METHOD = "appendix.typ", FOLDER / "method.toml"
PREFIXED = ("FLOP", "bytes", "J", "W")
NAME_CHARACTERS = 16
PARTS_OF_NAME = 2 + 1
KINDS = {"estimate": "estimate", "assumption": "assumed"}


def appendix_pdf(plan: Plan, *, paper: str = "a4", made_at: datetime | None = None) -> bytes:
    """As many pages as it takes, tagged, sealed; the same bytes for the same `made_at`.

    Raises ExportError where the paper is unknown.
    """
    moment = utc(made_at)
    document = plan.as_dict(flips=False)
    numbered = _numbered(plan)
    said = {
        "title": plan.scenario.name,
        "identity": [
            f"{moment:%Y-%m-%d %H:%M} UTC",
            f"id {scenario_id(plan)}",
            f"model {MODEL_VERSION}",
            f"catalog {plan.catalog.date}",
        ],
        "verdict": document["verdict"]["sentence"],
        "method": tomllib.loads(METHOD.read_text(encoding="utf-8"))["part"],
        "excluded": notes.EXCLUDED,
        "validation": _validation(plan.catalog),
        "options": [_option(plan, row) for row in (*document["options"], document["proposed"])],
        "register": list(_register(plan, document, numbered)),
        "caveats": document["caveats"],
        "sources": list(_sources(plan.catalog, numbered)),
    }
    return typeset(TEMPLATE, said, moment, status="DRAFT", paper=paper)


def _validation(catalog: Catalog) -> list[list[str]]:
    """Median error of each quantity by what the fit had not seen, with its target."""
    held = kept.compared(catalog)
    errors = catalog.calibration.errors if catalog.calibration else {}
    return [
        [
            each.label[0].upper() + each.label[1:],
            *(text.percent(errors.get(each.quantity, {}).get(scope)) for scope in SCOPES),
            text.percent(each.rows_frac),
            text.percent(each.pairs_frac),
            each.peer,
        ]
        for each in validation.targets(held, catalog)
    ]


def _option(plan: Plan, row: Mapping[str, Any]) -> dict[str, Any]:
    """An option in full: what it costs and draws, its pools, and its service levels."""
    return {
        "label": OPTIONS[row["id"]],
        "about": row["label"],
        "chosen": row["id"] == plan.verdict.option_id,
        "reason": "" if row["feasible"] else f"Infeasible: {row['reason']}",
        "figures": _figures(row),
        "pools": [_pool(plan.catalog, pool) for pool in row["pools"]],
        "service": [_service(plan, each) for each in row["by_class"]],
    }


def _figures(row: Mapping[str, Any]) -> list[list[str]]:
    if row["cost_usd_per_year"] is None:
        return []
    return [
        ["Chips", text.number(row["n_accelerators"], place=0)],
        ["Capital", text.usd(row["capex_usd"])],
        ["Cost a year", text.usd(row["cost_usd_per_year"])],
        ["Per M useful tokens", text.usd(row["cost_usd_per_mtok"])],
        ["Capital per M", text.usd(row["capex_usd_per_mtok"])],
        ["Revenue per kWh", text.usd(row["revenue_usd_per_kwh"])],
        ["NPV, P50", text.usd(row["npv_usd"])],
        ["Provisioned", text.mw(row["facility_provisioned_w"] / W_PER_MW)],
        ["Peak draw", text.mw(row["facility_peak_w"] / W_PER_MW)],
        ["Mean draw", text.mw(row["facility_mean_w"] / W_PER_MW)],
        ["Watts per token/s", f"{text.number(row['j_per_useful_token'])} W"],
        ["Bottleneck", row["bottleneck"] or text.MISSING],
    ]


def _pool(catalog: Catalog, pool: Mapping[str, Any]) -> list[str]:
    layout = f"TP {pool['tp']}"
    layout += f", PP {pool['pp']}" if pool["pp"] > 1 else ""
    layout += f", EP {pool['ep']}" if pool["ep"] > 1 else ""
    return [
        pool["role"],
        printable(", ".join(pool["classes"]), NAME_CHARACTERS),
        catalog.accelerators[pool["accelerator"]].name,
        text.number(pool["n_accelerators"], place=0),
        text.number(pool["n_replicas"], place=0),
        layout,
        pool["weight_precision"],
        text.number(pool["batch"]),
        text.percent(pool["utilization"]),
        text.percent(pool["power_cap_frac"]),
    ]


def _service(plan: Plan, found: Mapping[str, Any]) -> list[str]:
    asked = next(row for row in plan.scenario.classes if row.name == found["name"])
    return [
        found["name"],
        text.seconds(found["p99_ttft_s"]),
        text.seconds(asked.p99_ttft_s),
        text.seconds(found["p99_tpot_s"]),
        text.seconds(asked.p99_tpot_s),
    ]


def _numbered(plan: Plan) -> dict[str, int]:
    """Sources in the order of the register."""
    rows = sorted(plan.ledger.used)
    return {
        name: n
        for n, name in enumerate(dict.fromkeys(plan.ledger.used[row].source for row in rows), 1)
    }


def _register(
    plan: Plan, document: Mapping[str, Any], numbered: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """Every assumption, those that move the NPV most first."""
    effects = {row["parameter"]: row["npv_effect_usd"] for row in document["ledger"]}
    order = sorted(effects, key=lambda name: (-abs(effects[name] or 0), name))
    for name in order:
        row = plan.ledger.used[name]
        effect = effects[name]
        yield {
            "guess": row.kind in KINDS,
            "cells": [
                _label(row, plan.catalog),
                _value(row.value, row.unit),
                _range(row),
                KINDS.get(row.kind, row.kind),
                text.usd(effect, signed=True) if effect else "–",
                f"[{numbered[row.source]}]",
            ],
        }


def _label(row: Assumption, catalog: Catalog) -> str:
    """What an assumption is called, with the precision or kind of model that it is for."""
    special = row.parameter.startswith(("accelerators.", "calibration."))
    rest = row.parameter.split(".")[PARTS_OF_NAME:] if special else []
    return ", ".join([name_of(row, catalog), *rest])


def _value(value: float, unit: str) -> str:
    """A value with its unit, large ones with a prefix."""
    return text.quantity(value, unit) if unit.startswith(PREFIXED) else value_of(value, unit)


def _range(row: Assumption) -> str:
    if row.low == row.high:
        return "–"
    if row.unit.startswith(PREFIXED):
        return f"{_value(row.low, row.unit)} to {_value(row.high, row.unit)}"
    return range_of(row.low, row.high, row.unit)


def _sources(catalog: Catalog, numbered: Mapping[str, int]) -> Iterator[list[str]]:
    for name, n in numbered.items():
        held = catalog.sources.get(name)
        if held is None:
            yield [f"[{n}]", "Set in this scenario, no source", ""]
            continue
        about = ", ".join(filter(None, (held.title, held.publisher, held.date)))
        yield [f"[{n}]", about, held.url]
