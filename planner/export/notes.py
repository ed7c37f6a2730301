"""The running text of the brief: what is asked, what would turn it, and how far to trust it."""

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import numpy as np

from planner import text
from planner.decision.one_pool import one_pool_sentence
from planner.decision.plan import Plan
from planner.decision.wording import in_sentence, value_of
from planner.export.printable import ELLIPSIS, literal, printable
from planner.facts.catalog import Catalog

NAME_CHARACTERS = {"assumption": 40, "caveat": 84}
SHOWN_NAMES = 2
MONTHS_PER_YEAR = 12
QUARTERS_PER_YEAR = 4
SLIDERS: Mapping[str, tuple[str, Callable[..., str]]] = {
    "decode_to_prefill_token_ratio": ("output : input", text.ratio),
    "power_budget_mw": ("the power budget", text.mw),
    "fleet_mix": ("the split share", text.percent),
}
EXCLUDED = (
    "Training beyond its share of chips; storage and egress; quality lost to lower precision; "
    "financing fees. Owned and new chips do not yet mix in one pool."
)


def prose(plan: Plan, document: Mapping[str, Any], review: date, cut: str) -> dict[str, Any]:
    """Every sentence of the page by its place."""
    return {
        "verdict": document["verdict"]["sentence"],
        "ask": ask(plan, review),
        "conditions": list(_conditions(plan, document)),
        "waiting": _waiting(plan, document),
        "later": _later(document),
        "caveats": _caveats(plan),
        "excluded": EXCLUDED,
        "error": _error(plan, document),
        "cut": cut,
    }


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
    operator, chips = plan.scenario.operator, _chips(plan, option)
    if not plan.fleets[option].split:
        return f"Approve the software roll-out and {chips}."
    engineers = text.count(round(operator.engineers), "engineer")
    quarters = text.number(operator.build_quarters, place=0)
    return f"Approve {chips}, {engineers} and a {quarters}-quarter build."


def _chips(plan: Plan, option: str) -> str:
    """What an option's chips cost to get, in the way this operator gets them."""
    if plan.scenario.finance.basis == "rent":
        usd = float(plan.money.costs[option].capital_usd_per_year)
        return f"{text.usd(usd)} a year of rented chips"
    usd = float(plan.money.cash[option].purchase_usd)
    served = text.percent(plan.served_frac(option), place=-2)
    return f"{text.usd(usd)} of new chips for {served} of demand" if usd else "no new chips"


def _conditions(plan: Plan, document: Mapping[str, Any]) -> Iterator[str]:
    """Where the verdict turns: along the sliders, and in the widest assumptions."""
    here = document["verdict"]["action"]
    turns = [flip for flip in document["verdict"]["flips"] if flip["action"] != here]
    for flip in turns:
        name, show = SLIDERS[flip["input"]]
        verb = _verb(plan, document, flip)
        yield f"{flip['action'].capitalize()} if {name} {verb} {show(flip['value'])}."
    if not turns:
        yield "No value of the three sliders turns it."
    found = (document["risk"] or {}).get("kill_conditions") or ()
    for each in found[:SHOWN_NAMES]:
        name = printable(in_sentence(each["name"]), NAME_CHARACTERS["assumption"])
        value = value_of(each["threshold"], each["unit"])
        yield f"{each['action'].capitalize()} if {name} is {each['direction']} {value}."
    if not found:
        yield "No single assumption turns it within its range."
    if document.get("one_pool"):
        names = {name: chip.name for name, chip in plan.catalog.accelerators.items()}
        yield one_pool_sentence(document["one_pool"], names)


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
    elif usd < 0:
        cost = f"Waiting pays {text.usd(-usd)} a quarter."
    else:
        cost = f"{text.usd(usd)} a quarter."
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
    more = f" (and {text.number(len(held) - 1, place=0)} more)" if held[1:] else ""
    return printable(held[0], NAME_CHARACTERS["caveat"]) + more


def _error(plan: Plan, document: Mapping[str, Any]) -> str:
    ledger = document["ledger"]
    guessed = sum(row["kind"] in {"estimate", "assumption"} for row in ledger)
    return (
        f"{_model_error(plan.catalog)} "
        f"{text.number(guessed, place=0)} of {text.count(len(ledger), 'assumption')} are estimates "
        f"without a published source. {_ranges(plan)}"
    )


def _model_error(catalog: Catalog) -> str:
    """How far step times lie from measurements that their fit had not seen."""
    held = catalog.calibration
    if held is None:
        return "Step times are not calibrated: no error is claimed."
    tpot = held.errors["tpot"]
    return (
        f"Time per token: median error {text.percent(tpot['rows'])} on measurements that the fit "
        f"had not seen, {text.percent(tpot['pairs'])} on models new to a chip."
    )


def _ranges(plan: Plan) -> str:
    if plan.sampled is None:
        return "The plan was made without samples, so it has no P10 to P90."
    n = text.count(np.size(plan.sampled.npv_usd["split-mixed"]), "draw")
    return (
        "Large figures use the stated values (NPV: P50); "
        f"ranges come from {n}, fleets held as sized."
    )


def cut(names: Mapping[str, str], shown: Mapping[str, str]) -> str:
    """Says so where a name was too long for the page."""
    long = [
        f"{what} of {text.count(len(name), 'character')}"
        for what, name in names.items()
        if shown[what] != literal(name)
    ]
    return f"Cut at {ELLIPSIS} for want of room: {', '.join(long)}." if long else ""
