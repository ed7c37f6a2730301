"""The figures a reader takes away: four headline tiles, and the article's three numbers."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from planner import text
from planner.decision.headline import quantiles
from planner.decision.plan import Plan
from planner.demand import profiles
from planner.export.sources import Sources
from planner.money.economics import usd_per_mtok
from planner.money.tax import bridge

NO_RANGE: Mapping[str, float | None] = {"p10": None, "p50": None, "p90": None}


@dataclass(frozen=True, slots=True)
class Tile:
    """A headline: its name, its value, P10 P50 P90 in words, and a line that places it."""

    name: str
    value: str
    spread: str
    note: str


@dataclass(frozen=True, slots=True)
class Number:
    """One of the article's three numbers; tag: measured, assumed or modelled."""

    name: str
    value: str
    tag: str
    note: str


def spread(show: Callable[..., str], held: Mapping[str, float | None]) -> str:
    """P10, P50 and P90 to the digit that their width justifies."""
    low, middle, high = held["p10"], held["p50"], held["p90"]
    if low is None or high is None:
        return "no range"
    place = text.justified_place(low, high)
    return " · ".join(show(value, place=place) for value in (low, middle, high))


def tiles(
    plan: Plan, document: Mapping[str, Any], rival: str, rival_npv: Mapping[str, float], place: int
) -> list[dict[str, str]]:
    """The four headlines. rival: the recommended option, or the best alternative to staying.

    place: the last digit of the bridge, so that both say the same.
    """
    both = (
        _net(plan, document, place),
        _recovered(plan, document),
        _unit_cost(plan, document, rival),
        _npv(document, rival, rival_npv),
    )
    return [asdict(tile) for tile in both]


def _net(plan: Plan, document: Mapping[str, Any], place: int) -> Tile:
    net, left = document["net"], document["headline"]["tax_frac"]
    many = plan.sampled
    drawn = (
        quantiles(bridge(*plan.costs_along(many), many.extras["split-mixed"]).net)
        if many
        else NO_RANGE
    )
    after = text.interval(text.percent, left["p10"], left["p50"], left["p90"])
    return Tile(
        "Net tax a year",
        text.usd(net["usd_per_year"], place=place),
        spread(text.usd, drawn),
        f"before friction, {after} is left after software",
    )


def _recovered(plan: Plan, document: Mapping[str, Any]) -> Tile:
    head = document["headline"]
    many = plan.sampled_stranded
    drawn = quantiles(many.recovered_w / W_PER_MW) if many else NO_RANGE
    extra = text.percent(head["extra_throughput_frac"], signed=True)
    return Tile(
        "Recovered power",
        text.mw(head["recovered_mw"]),
        spread(text.mw, drawn),
        f"{extra} throughput from this site, against the 20% line",
    )


def _unit_cost(plan: Plan, document: Mapping[str, Any], rival: str) -> Tile:
    head, many = document["headline"], plan.sampled
    drawn = (
        quantiles(usd_per_mtok(many.cost_usd_per_year(rival), many.volumes)) if many else NO_RANGE
    )
    then = float(usd_per_mtok(plan.money.cost_usd_per_year(rival), plan.money.volumes))
    stays = document["verdict"]["action"] == "stay"
    return Tile(
        "$ per M useful tokens",
        f"{text.usd(head['cost_usd_per_mtok'])} → {text.usd(then)}",
        spread(text.usd, drawn),
        "as built → best alternative, not taken" if stays else "as built → proposed, all in",
    )


def _npv(document: Mapping[str, Any], rival: str, held: Mapping[str, float]) -> Tile:
    verdict = document["verdict"]
    stays = verdict["action"] == "stay"
    years = document["headline"]["proposed"]["payback_years"]
    paid = f"payback {text.number(years)} years" if years is not None else "no payback date"
    sure = verdict["confidence_frac"]
    gain = "" if sure is None else f"gain in {text.percent(sure)} of futures; "
    return Tile(
        "NPV of best alternative" if stays else "NPV against as built",
        text.usd(held["p50"]),
        spread(text.usd, held),
        "why the verdict is to stay" if stays else gain + paid,
    )


def numbers(plan: Plan, document: Mapping[str, Any], sources: Sources) -> list[dict[str, str]]:
    """The ratio, watts per useful token, and what the model says would change."""
    head = document["headline"]
    then = head["proposed"]
    tag, cited = _ratio_kind(plan, sources)
    later = text.ratio(head["at_18_months"]["decode_to_prefill_token_ratio"])
    prefill = text.percent(head["prefill_time_frac"])
    power, cost = (then[key] / head[key] - 1 for key in ("j_per_useful_token", "cost_usd_per_mtok"))
    return [
        asdict(number)
        for number in (
            Number(
                "Output : input tokens",
                text.ratio(head["decode_to_prefill_token_ratio"]),
                tag,
                f"{later} in 18 months; prefill takes {prefill} of chip time {cited}",
            ),
            Number(
                "Watts per useful token/s",
                f"{text.number(head['j_per_useful_token'])} W",
                "modelled",
                "as built, at the meter, mean over the day",
            ),
            Number(
                "Change if approved",
                f"{text.percent(power, signed=True)} power",
                "modelled",
                f"per useful token; {text.percent(cost, signed=True)} cost",
            ),
        )
    ]


def _ratio_kind(plan: Plan, sources: Sources) -> tuple[str, str]:
    """Whether the ratio is measured, and where."""
    if plan.scenario.decode_to_prefill_token_ratio is not None:
        return "assumed", sources.cite("scenario")
    measured, cited = [], []
    for index, row in enumerate(plan.scenario.classes):
        for field in ("input_tokens", "output_tokens"):
            start = profiles.quantity(plan.scenario.profile, f"classes.{index}.{field}")
            held = start is not None and start.value == getattr(row, field)
            measured.append(held and start is not None and start.kind == "measured")
            cited.append(sources.cite(start.source if held and start else "scenario"))
    tag = "measured" if all(measured) else "part measured" if any(measured) else "assumed"
    return tag, "".join(dict.fromkeys(cited))


W_PER_MW = 1e6
