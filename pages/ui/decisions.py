"""The article's three decisions, what this scenario says to each, and whether it is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import answers, tables
from pages.ui.kpis import LINE_FRAC
from pages.ui.widgets import plain
from planner import Plan, Scenario, load_catalog, name_of, text

Document = Mapping[str, Any]
LINE_RATIO = 5.0
"""The article's line: five to one, decode to prefill."""
MOST = 5
UNSEARCHED = ("verdict.flips", "risk:", "ledger:", "economics")
"""Caveats of a document that was asked for without its slow parts; pages search those apart."""
DONE, OPEN = ":material/check_circle:", ":material/radio_button_unchecked:"
SLIDERS = {
    "decode_to_prefill_token_ratio": ("Output : input tokens", text.ratio),
    "power_budget_mw": ("Power budget", text.mw),
    "fleet_mix": ("Power in split pools", text.percent),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision: what is found, and whether it rests on the reader's own inputs."""

    mark: str
    title: str
    finding: str
    state: str
    page: str
    where: str


def three(plan: Plan, document: Document) -> tuple[Decision, Decision, Decision]:
    """The decisions in the article's order."""
    scenario = plan.scenario
    start = Scenario(profile=scenario.profile)
    measured = scenario.classes != start.classes
    sited = (scenario.site, scenario.power_budget_mw) != (start.site, start.power_budget_mw)
    declared = scenario.fleet_mix != "auto"
    return (
        _decision(
            measured,
            "Audit the ratio you actually serve",
            _ratio(document),
            "Rests on your own log",
            "Rests on the profile's public log",
            "pages/workload.py",
            "Audit a log",
        ),
        _decision(
            sited,
            "Audit your power against that ratio",
            _power(plan, document),
            "Rests on your own site",
            "Rests on the profile's site",
            "pages/power.py",
            "Set your site",
        ),
        _decision(
            declared,
            "Declare what the next cluster is built for",
            _declared(document),
            "You set the share of split pools",
            "Left to the model: set power in split pools",
            "pages/options.py",
            "Compare options",
        ),
    )


def _decision(
    made: bool, title: str, finding: str, yes: str, no: str, page: str, where: str
) -> Decision:
    return Decision(DONE if made else OPEN, title, finding, yes if made else no, page, where)


def context(document: Document) -> str:
    """What the recommended option changes, in one line under the verdict."""
    built, chosen = tables.record(document, "as-built"), tables.recommended(document)
    if built["id"] == chosen["id"]:
        return f"As built, a year costs {text.usd(built['cost_usd_per_year'])}."
    return (
        f"Cost a year goes from {text.usd(built['cost_usd_per_year'])} to "
        f"{text.usd(chosen['cost_usd_per_year'])}, chips from "
        f"{text.number(built['n_accelerators'], place=0)} to "
        f"{text.number(chosen['n_accelerators'], place=0)}, "
        f"watts per useful token a second from {text.number(built['j_per_useful_token'])} to "
        f"{text.number(chosen['j_per_useful_token'])}."
    )


def problems(document: Document) -> list[str]:
    """What the reader must know before any figure: the base of all comparisons does not serve."""
    built = tables.record(document, "as-built")
    if built["feasible"]:
        return []
    return [f"As built cannot keep its service levels, so its cost is a floor. {built['reason']}"]


def _ratio(document: Document) -> str:
    head = document["headline"]
    later = head["at_18_months"]["decode_to_prefill_token_ratio"]
    prefill, month = head["prefill_time_frac"], document["scenario"]["planning_month"]
    spent = (1 - prefill) / prefill if prefill else 0.0
    side = "over" if spent > LINE_RATIO else "under"
    return (
        f"Output to input tokens {text.ratio(head['decode_to_prefill_token_ratio'])} now, "
        f"{text.ratio(later)} in 18 months. Chip time as built, sized for month "
        f"{text.number(month, place=0)}: {text.ratio(spent)}, {side} the 5 : 1 line."
    )


def _power(plan: Plan, document: Document) -> str:
    head, option = document["headline"], tables.SHORT[plan.best].lower()
    extra = head["extra_throughput_frac"]
    return (
        f"{text.mw(head['recovered_mw'])} recovered by {option}: "
        f"{text.percent(extra, signed=True)} throughput against the {text.percent(LINE_FRAC)} "
        f"line, {_case(plan, document) if extra >= LINE_FRAC else 'no capital case by itself'}."
    )


def _case(plan: Plan, document: Document) -> str:
    """Whether what recovers enough power is a capital case: by the rule of the verdict."""
    worth = text.usd(tables.record(document, plan.best)["npv_usd"])
    if plan.pays(plan.best):
        return f"and worth {worth}: a capital case without new power"
    built, best = (plan.watts[name].provisioned_w for name in ("as-built", plan.best))
    less = "; as built needs still less power" if built < best else ""
    if plan.best in plan.barred:
        return f"but beyond your limits: no capital case{less}"
    sure = text.percent(plan.gains_frac(plan.best))
    odds = f" and a gain in {sure} of futures" if plan.sampled else ""
    return f"but worth {worth}{odds}: no capital case{less}"


def _declared(document: Document) -> str:
    held = document["declared"]
    known = load_catalog().accelerators
    chips = ", ".join(known[chip].name if chip in known else chip for chip in held["accelerators"])
    price = held.get("flexibility_usd_per_year") or 0.0
    stays = (
        f" Keeping mixed use pays {text.usd(price)} a year for flexibility." if price > 0 else ""
    )
    return (
        f"Built for {held['primary_workload']}: {text.mw(held['prefill_mw'])} for reading prompts, "
        f"{text.mw(held['decode_mw'])} for writing answers, on {chips}.{stays}"
    )


def notes(document: Document) -> list[str]:
    """The caveats that a reader of the page should know."""
    return [note for note in document["caveats"] if not note.startswith(UNSEARCHED)]


def turning_points(scenario: Scenario) -> None:
    """Where each slider changes the verdict; computed when opened."""
    found = answers.flips_of(scenario)
    if not found:
        st.markdown("None of the three sliders changes the verdict within its range.")
    for flip in found:
        name, show = SLIDERS[flip["input"]]
        st.markdown(
            plain(f"{name} at {show(flip['value'])}: the verdict becomes ")
            + f"**{plain(tables.ACTIONS[flip['action']].lower())}**."
        )
    held = answers.risk_of(scenario)
    odds = ", ".join(
        f"{tables.ACTIONS[action].lower()} in {text.percent(share)}"
        for action, share in held.action_frac.items()
        if share
    )
    st.markdown(plain(f"Best in hindsight, by share of futures: {odds}."))
    st.markdown("Inputs that move the worth most, one at a time:")
    for swing in held.swings[:MOST]:
        low, high = sorted((swing.npv_low_usd, swing.npv_high_usd))
        name = name_of(swing.assumption, held.plan.catalog)
        st.markdown("- " + plain(f"{name}: {text.span(text.usd, low, high)}"))
    st.page_link("pages/risk.py", label="All risks", icon=":material/arrow_forward:")
