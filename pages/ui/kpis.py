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


def saving(plan: Plan, document: Document) -> Kpi:
    """The first tile as a saving, below zero where the best split costs extra: for comparisons."""
    return _tax(plan, document, plan, saves=True)


def _tax(plan: Plan, document: Document, start: Plan, *, saves: bool | None = None) -> Kpi:
    saves = net(plan).value >= 0 if saves is None else saves
    mine, theirs = (net(each) if saves else _less(net(each)) for each in (plan, start))
    return _kpi(
        "tax",
        f"{_bridged(plan)} {'saves a year' if saves else 'costs extra'}",
        "A year's cost as built less the best split's: software and chips saved, network, team "
        "and risk paid.",
        (text.usd, mine, theirs),
        place=tables.last_place(tables.bridge(document)["usd_per_year"].iloc[:-1]),
        note=f"{'Net' if saves else 'Net a year'} ({_own_saving(plan, document)}); "
        f"tax after software, before friction: {after_software(document)}",
        good=None,
    )


def after_software(document: Document) -> str:
    """The middle of the tax after software."""
    return text.percent(document["headline"]["tax_frac"]["p50"])


def _bridged(plan: Plan) -> str:
    split = plan.fleets[plan.bridged].split
    return "Best split" if split else tables.SHORT[plan.bridged]


def _own_saving(plan: Plan, document: Document) -> str:
    """What the recommended option saves itself, where it is not the best split."""
    chosen, built = tables.recommended(document), tables.record(document, "as-built")
    if plan.verdict.action == "stay":
        return "not taken"
    if chosen["id"] == plan.bridged:
        return "this plan"
    saved = built["cost_usd_per_year"] - chosen["cost_usd_per_year"]
    place = tables.last_place(tables.bridge(document)["usd_per_year"].iloc[:-1])
    return f"this plan: {text.usd(saved, place=place)}"


def short(option: str) -> str:
    """What an option is called within a sentence."""
    return tables.SHORT[option].lower()


def _recovered(plan: Plan, document: Document, start: Plan) -> Kpi:
    extra = text.percent(document["headline"]["extra_throughput_frac"], signed=True)
    return _kpi(
        "recovered",
        "Recovered power",
        "Megawatts of the site set free by the best option you can buy, at its power caps.",
        (text.mw, recovered(plan), recovered(start)),
        note=f"{whose(plan, plan.best)}: {extra} throughput, line +{text.percent(LINE_FRAC)}",
        good=True,
    )


def whose(plan: Plan, option: str) -> str:
    """An option by name, and whether it is another than the plan that is recommended."""
    other = "" if option == plan.verdict.option_id else ", not this plan"
    return f"{tables.SHORT[option]}{other}"


def _cost(plan: Plan, document: Document, start: Plan) -> Kpi:
    built = text.usd(document["headline"]["cost_usd_per_mtok"])
    option = rival(plan)
    taken = ", not taken" if plan.verdict.action == "stay" else ""
    return _kpi(
        "cost",
        "$ per M useful tokens",
        "Yearly cost over output tokens that met both service levels, all in.",
        (text.usd, cost(plan, option), cost(start, rival(start))),
        note=f"{tables.SHORT[option]}{taken}; {built} as built",
        good=False,
    )


def _worth(plan: Plan, document: Document, start: Plan) -> Kpi:
    stays = document["verdict"]["action"] == "stay"
    sure = document["verdict"]["confidence_frac"]
    gain = "" if sure is None else f": gain in {text.percent(sure)} of futures"
    return _kpi(
        "worth",
        "NPV of best alternative" if stays else "NPV against as built",
        "Present value of the plan's cash, less that of carrying on as built.",
        (text.usd, worth(plan), worth(start)),
        note=f"{tables.SHORT[rival(plan)]}{': why the verdict is to stay' if stays else gain}",
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
    gross, _ = plan.costs_along(held)
    last = plan.bridged
    return _figure(
        float(plan.bridge.net), gross["as-built"] - gross[last] - held.extras[last].total
    )


def _less(figure: Figure) -> Figure:
    """A saving as a cost: its low end is the high one."""
    low, high = figure.low, figure.high
    return Figure(-figure.value, None if high is None else -high, None if low is None else -low)


def recovered(plan: Plan) -> Figure:
    """Recovered facility power [MW]."""
    held = plan.sampled_stranded
    value = float(plan.stranded.recovered_w) / tables.W_PER_MW
    return Figure(value) if held is None else _figure(value, held.recovered_w / tables.W_PER_MW)


def cost(plan: Plan, option: str) -> Figure:
    """Cost of an option per million useful tokens [USD]."""
    value, held = usd_per_mtok(plan.money, option), plan.sampled
    return (
        Figure(float(value)) if held is None else _figure(float(value), usd_per_mtok(held, option))
    )


def worth(plan: Plan) -> Figure:
    """Present value of the recommended plan, or of the best alternative to staying [USD]."""
    held = tables.quantiles((plan.sampled or plan.money).npv_usd[rival(plan)])
    return Figure(held["p50"], held["p10"], held["p90"])


def usd_per_mtok(money: Any, option: str) -> Any:
    """Cost of an option per million useful tokens, a number or draws. [USD]"""
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
    return f"P10–P90 {text.span(show, figure.low, figure.high)}"
