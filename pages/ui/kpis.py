"""The four headline figures, each with its range, its change against the start and its explanation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pages.ui import tables
from planner import Plan, text

LINE_FRAC = 0.2
"""The article's line: a fifth more throughput from the same site is a capital case."""
TOKENS_PER_MTOK = 1e6

Document = Mapping[str, Any]
Show = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Kpi:
    """A headline as words: `better` tells whether the change is good news, None without one."""

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
    low: float | None
    high: float | None


def strip(plan: Plan, document: Document, start: Plan, begun: Document) -> tuple[Kpi, ...]:
    """The four tiles of a plan, with their change against the starting scenario's."""
    return (
        _tax(document, begun),
        _recovered(plan, document, start),
        _cost(plan, document, start, begun),
        _worth(document, begun),
    )


def _tax(document: Document, begun: Document) -> Kpi:
    net = document["net"]
    return _kpi(
        "tax",
        "Bifurcation tax",
        "Share of cost that better-matched chips would save after all software is switched on.",
        text.percent,
        _spread(document["headline"]["tax_frac"]),
        _spread(begun["headline"]["tax_frac"]),
        note=f"Bridge net: {text.usd(net['usd_per_year'])} a year",
        good=None,
    )


def _recovered(plan: Plan, document: Document, start: Plan) -> Kpi:
    extra = document["headline"]["extra_throughput_frac"]
    side = "over" if extra >= LINE_FRAC else "under"
    return _kpi(
        "recovered",
        "Recovered power",
        "Megawatts of the site set free by the best option you can buy, at its caps.",
        text.mw,
        recovered(plan),
        recovered(start),
        note=f"Throughput {text.percent(extra, signed=True)}, {side} the {text.percent(LINE_FRAC)} line",
        good=True,
    )


def _cost(plan: Plan, document: Document, start: Plan, begun: Document) -> Kpi:
    mine = cost(plan, document["verdict"]["option_id"])
    built = cost(plan, "as-built")
    return _kpi(
        "cost",
        "$ per million useful tokens",
        "Yearly cost over output tokens that met both service levels; as built, then recommended.",
        text.usd,
        mine,
        cost(start, begun["verdict"]["option_id"]),
        note=f"{text.usd(built.value)} as built → {text.usd(mine.value)} recommended",
        good=False,
    )


def _worth(document: Document, begun: Document) -> Kpi:
    mine = document["headline"]["proposed"]
    return _kpi(
        "worth",
        "Worth today (NPV)",
        "Present value of the recommended plan's cash against carrying on as built.",
        text.usd,
        _spread(mine["npv_usd"]),
        _spread(begun["headline"]["proposed"]["npv_usd"]),
        note=f"Recommended: {tables.SHORT[mine['option_id']].lower()}",
        good=True,
    )


def recovered(plan: Plan) -> Figure:
    """Recovered facility power [MW]."""
    sampled = plan.sampled_stranded
    value = float(plan.stranded.recovered_w) / tables.W_PER_MW
    return _figure(value, sampled and sampled.recovered_w / tables.W_PER_MW)


def cost(plan: Plan, option: str) -> Figure:
    """Cost of an option per million useful tokens [USD]."""
    value = plan.money.cost_usd_per_year(option) / plan.money.volumes.useful_tokens
    held = plan.sampled
    draws = held and held.cost_usd_per_year(option) / held.volumes.useful_tokens * TOKENS_PER_MTOK
    return _figure(float(value) * TOKENS_PER_MTOK, draws)


def _figure(value: float, draws: Any) -> Figure:
    if draws is None:
        return Figure(value, None, None)
    held = tables.quantiles(draws)
    return Figure(value, held["p10"], held["p90"])


def _spread(held: Mapping[str, float | None]) -> Figure:
    return Figure(held["p50"] or 0.0, held["p10"], held["p90"])


def _kpi(
    name: str,
    label: str,
    about: str,
    show: Show,
    mine: Figure,
    theirs: Figure,
    *,
    note: str,
    good: bool | None,
) -> Kpi:
    """good: whether more is good news; None where it is neither."""
    ranged = mine.low is not None and mine.high is not None
    place = text.justified_place(mine.low, mine.high) if ranged else None
    moved = mine.value - theirs.value
    changed = show(moved, place=place) != show(0.0, place=place)
    return Kpi(
        id=name,
        label=label,
        about=about,
        value=show(mine.value, place=place),
        span=f"P10–P90 {show(mine.low, place=place)} to {show(mine.high, place=place)}"
        if ranged
        else "no range sampled",
        note=note,
        change=show(moved, place=place, signed=True) if changed else "",
        better=(moved > 0) == good if changed and good is not None else None,
    )
