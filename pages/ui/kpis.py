"""The four headline figures, each with its range, its change against the start and a note.

The same four, and the same digits, stand on the brief.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pages.ui import tables
from planner import Plan, text

LINE_FRAC = 0.2
"""The article's line: a fifth more throughput from the same site is a capital case."""
TOKENS_PER_MTOK = 1e6

Document = Mapping[str, Any]
Show = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Kpi:
    """A headline as words; `better` tells whether its change is good news, None without one."""

    id: str
    label: str
    about: str
    value: str
    span: str
    note: str
    change: str
    better: bool | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its P10 and P90; None where it was not sampled."""

    value: float
    low: float | None = None
    high: float | None = None


def strip(plan: Plan, document: Document, start: Plan) -> tuple[Kpi, ...]:
    """The four tiles of a plan, with their change against the starting plan."""
    return (
        _tax(plan, document, start),
        _recovered(plan, document, start),
        _cost(plan, document, start),
        _worth(plan, document, start),
    )


def _tax(plan: Plan, document: Document, start: Plan) -> Kpi:
    after = text.percent(document["headline"]["tax_frac"]["p50"])
    return _kpi(
        "tax",
        "Net tax a year",
        "What the best split would save a year, after software, team, network and risk.",
        (text.usd, net(plan), net(start)),
        place=tables.last_place(tables.bridge(document)["usd_per_year"].iloc[:-1]),
        note=f"Tax after software {after}",
        good=None,
    )


def _recovered(plan: Plan, document: Document, start: Plan) -> Kpi:
    extra = text.percent(document["headline"]["extra_throughput_frac"], signed=True)
    return _kpi(
        "recovered",
        "Recovered power",
        "Megawatts of the site set free by the best option you can buy, at its power caps.",
        (text.mw, recovered(plan), recovered(start)),
        note=f"{extra} throughput, line +{text.percent(LINE_FRAC)}",
        good=True,
    )


def _cost(plan: Plan, document: Document, start: Plan) -> Kpi:
    built = text.usd(document["headline"]["cost_usd_per_mtok"])
    stays = document["verdict"]["action"] == "stay"
    return _kpi(
        "cost",
        "$ per M useful tokens",
        "Yearly cost over output tokens that met both service levels, all in.",
        (text.usd, cost(plan, rival(plan)), cost(start, rival(start))),
        note=f"{built} as built; not taken" if stays else f"From {built} as built",
        good=False,
    )


def _worth(plan: Plan, document: Document, start: Plan) -> Kpi:
    stays = document["verdict"]["action"] == "stay"
    sure = document["verdict"]["confidence_frac"]
    gain = "" if sure is None else f"Gain in {text.percent(sure)} of futures"
    return _kpi(
        "worth",
        "NPV of best alternative" if stays else "NPV against as built",
        "Present value of the plan's cash, less that of carrying on as built.",
        (text.usd, worth(plan), worth(start)),
        note="Why the verdict is to stay" if stays else gain,
        good=True,
    )


def rival(plan: Plan) -> str:
    """The recommended option; where that is to stay, the likeliest gain among the others."""
    if plan.verdict.action != "stay":
        return plan.verdict.option_id
    money = plan.sampled or plan.money
    odds = {
        name: (float(np.mean(np.greater(npv, 0))), float(np.median(npv)))
        for name, npv in money.npv_usd.items()
        if plan.fleets[name].feasible and name != "split-specialised" and np.any(npv)
    }
    return max(odds, key=lambda name: odds[name], default=plan.verdict.option_id)


def net(plan: Plan) -> Figure:
    """What is left of the bridge [USD/year]."""
    held = plan.sampled
    if held is None:
        return Figure(float(plan.bridge.net))
    gross, feasible = plan.costs_along(held)
    last = ["as-built", *(name for name in gross if feasible[name])][-1]
    return _figure(
        float(plan.bridge.net), gross["as-built"] - gross[last] - held.extras["split-mixed"].total
    )


def recovered(plan: Plan) -> Figure:
    """Recovered facility power [MW]."""
    held = plan.sampled_stranded
    value = float(plan.stranded.recovered_w) / tables.W_PER_MW
    return Figure(value) if held is None else _figure(value, held.recovered_w / tables.W_PER_MW)


def cost(plan: Plan, option: str) -> Figure:
    """Cost of an option per million useful tokens [USD]."""
    value, held = _usd_per_mtok(plan.money, option), plan.sampled
    return (
        Figure(float(value)) if held is None else _figure(float(value), _usd_per_mtok(held, option))
    )


def worth(plan: Plan) -> Figure:
    """Present value of the recommended plan, or of the best alternative to staying [USD]."""
    held = tables.quantiles((plan.sampled or plan.money).npv_usd[rival(plan)])
    return Figure(held["p50"], held["p10"], held["p90"])


def _usd_per_mtok(money: Any, option: str) -> Any:
    return money.cost_usd_per_year(option) / money.volumes.useful_tokens * TOKENS_PER_MTOK


def _figure(value: float, draws: Any) -> Figure:
    held = tables.quantiles(draws)
    return Figure(value, held["p10"], held["p90"])


def _kpi(
    name: str,
    label: str,
    about: str,
    shown: tuple[Show, Figure, Figure],
    *,
    note: str,
    good: bool | None,
    place: int | None = None,
) -> Kpi:
    """good: whether more is good news; None where it is neither."""
    show, mine, theirs = shown
    moved = mine.value - theirs.value
    changed = show(mine.value, place=place) != show(theirs.value, place=place)
    return Kpi(
        id=name,
        label=label,
        about=about,
        value=show(mine.value, place=place),
        span=_span(show, mine),
        note=note,
        change=show(moved, signed=True) if changed else "",
        better=(moved > 0) == good if changed and good is not None else None,
    )


def _span(show: Show, figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return "No range sampled"
    place = text.justified_place(figure.low, figure.high)
    return f"P10–P90 {show(figure.low, place=place)} to {show(figure.high, place=place)}"
