"""The figures a reader takes away: four headline tiles, and the article's three numbers."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from planner import text
from planner.decision.plan import Plan
from planner.decision.ranges import quantiles
from planner.demand import profiles
from planner.export.sources import LOG, Sources
from planner.export.words import OPTIONS
from planner.money.economics import usd_per_mtok
from planner.money.tax import bridge

NO_RANGE: Mapping[str, float | None] = {"p10": None, "p50": None, "p90": None}


@dataclass(frozen=True, slots=True)
class Tile:
    """A headline: its name, its value, P10, P50 and P90, and a line that places it."""

    name: str
    value: str
    spread: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Number:
    """One of the article's three numbers; tag: measured, assumed or modelled."""

    name: str
    value: str
    tag: str
    note: str


def spread(show: Callable[..., str], held: Mapping[str, float | None]) -> tuple[str, ...]:
    """P10, P50 and P90 to the digit that their width justifies; nothing without samples."""
    low, middle, high = held["p10"], held["p50"], held["p90"]
    if low is None or high is None:
        return ()
    place = text.justified_place(low, high)
    return tuple(show(value, place=place) for value in (low, middle, high))


def tiles(
    plan: Plan, document: Mapping[str, Any], rival: str, rival_npv: Mapping[str, float], place: int
) -> list[dict[str, str]]:
    """The four headlines. rival: the recommended option, or the best alternative to staying.

    place: the last digit of the bridge, so that both say the same.
    """
    made = (
        _net(plan, document, place),
        _recovered(plan, document),
        _unit_cost(plan, document, rival),
        _npv(plan, document, rival, rival_npv),
    )
    return [asdict(tile) for tile in made]


def _net(plan: Plan, document: Mapping[str, Any], place: int) -> Tile:
    left, many = document["headline"]["tax_frac"], plan.sampled
    sign = 1 if plan.bridge.net >= 0 else -1
    drawn = quantiles(sign * bridge(*plan.costs_along(many), many.extras).net) if many else NO_RANGE
    after = text.around(text.percent, left["p10"], left["p50"], left["p90"])
    name = "Best split" if plan.fleets[plan.bridged].split else OPTIONS[plan.bridged]
    return Tile(
        f"{name} {'saves a year' if sign > 0 else 'costs extra'}",
        text.usd(sign * document["net"]["usd_per_year"], place=place),
        spread(text.usd, drawn),
        f"{'net' if sign > 0 else 'net a year'} ({_own_saving(plan, document, place)}); "
        f"tax after software, before friction: {after}",
    )


def _own_saving(plan: Plan, document: Mapping[str, Any], place: int) -> str:
    """What the recommended option saves itself, where it is not the best split."""
    if plan.verdict.action == "stay":
        return "not taken"
    option = plan.verdict.option_id
    if option == plan.bridged:
        return "this plan"
    built, mine = (record(document, name)["cost_usd_per_year"] for name in ("as-built", option))
    return f"this plan: {text.usd(built - mine, place=place)}"


def _recovered(plan: Plan, document: Mapping[str, Any]) -> Tile:
    head = document["headline"]
    many = plan.sampled_stranded
    drawn = quantiles(many.recovered_w / W_PER_MW) if many else NO_RANGE
    extra = text.percent(head["extra_throughput_frac"], signed=True)
    other = "" if plan.best == plan.verdict.option_id else ", not this plan"
    return Tile(
        "Recovered power",
        text.mw(head["recovered_mw"]),
        spread(text.number, drawn),
        f"{OPTIONS[plan.best]}{other}: {extra} throughput; the line is 20%",
    )


def _unit_cost(plan: Plan, document: Mapping[str, Any], rival: str) -> Tile:
    head, many = document["headline"], plan.sampled
    drawn = (
        quantiles(usd_per_mtok(many.cost_usd_per_year(rival), many.volumes)) if many else NO_RANGE
    )
    then = float(usd_per_mtok(plan.money.cost_usd_per_year(rival), plan.money.volumes))
    taken = "; not taken" if document["verdict"]["action"] == "stay" else ""
    return Tile(
        "$ per M useful tokens",
        f"{text.usd(head['cost_usd_per_mtok'])} → {text.usd(then)}",
        spread(text.usd, drawn),
        f"as built → {in_words(rival)}, all in{taken}",
    )


def in_words(option: str) -> str:
    """What an option is called within a sentence."""
    return OPTIONS[option][0].lower() + OPTIONS[option][1:]


def _npv(plan: Plan, document: Mapping[str, Any], rival: str, held: Mapping[str, float]) -> Tile:
    verdict = document["verdict"]
    stays = verdict["action"] == "stay"
    paid = "" if stays else plan.payback(rival).sentence
    why = "no other is feasible" if rival == "as-built" else "why the verdict is to stay"
    sure = verdict["confidence_frac"]
    gain = "" if sure is None else f"gains in {text.percent(sure)}; "
    return Tile(
        "NPV of best alternative" if stays else "NPV against as built",
        text.usd(held["p50"]),
        _same_middle(text.usd(held["p50"]), spread(text.usd, held)),
        f"{OPTIONS[rival]}: {why if stays else gain + paid}",
    )


def _same_middle(value: str, held: tuple[str, ...]) -> tuple[str, ...]:
    """P10, P50 and P90 of a figure that is its own P50: the same digits in both places."""
    return (held[0], value, held[2]) if held else held


def record(document: Mapping[str, Any], option: str) -> Mapping[str, Any]:
    """The plan's record of an option."""
    rows = (*document["options"], document["proposed"])
    return next(row for row in rows if row["id"] == option)


def numbers(
    plan: Plan, document: Mapping[str, Any], rival: str, sources: Sources
) -> list[dict[str, str]]:
    """The ratio, watts per useful token, and what the model says would change."""
    held = (_ratio(plan, document, sources), _watts(document), _delta(document, rival))
    return [asdict(number) for number in held]


def _ratio(plan: Plan, document: Mapping[str, Any], sources: Sources) -> Number:
    head = document["headline"]
    tag, cited = _ratio_kind(plan, sources)
    prefill = head["prefill_time_frac"]
    in_time = text.ratio((1 - prefill) / prefill if prefill else None)
    return Number(
        "Output : input tokens",
        text.ratio(head["decode_to_prefill_token_ratio"]),
        tag,
        f"chip time {in_time}, line 5 : 1 {cited}",
    )


def _watts(document: Mapping[str, Any]) -> Number:
    joules = document["headline"]["j_per_useful_token"]
    return Number(
        "Watts per useful token/s",
        f"{text.number(joules)} W",
        "modelled",
        "as built, mean at the meter",
    )


def _delta(document: Mapping[str, Any], rival: str) -> Number:
    now, then = document["headline"], record(document, rival)
    keys = ("j_per_useful_token", "cost_usd_per_mtok")
    power, cost = (text.percent(then[key] / now[key] - 1, signed=True) for key in keys)
    stays = document["verdict"]["action"] == "stay"
    return Number(
        "Change, not taken" if stays else "Change if approved",
        f"{power} power, {cost} cost",
        "modelled",
        f"per token: {text.number(then['j_per_useful_token'])} W, "
        f"{text.usd(then['cost_usd_per_mtok'])} per M",
    )


def _ratio_kind(plan: Plan, sources: Sources) -> tuple[str, str]:
    """Whether the ratio is measured, and where."""
    if plan.scenario.decode_to_prefill_token_ratio is not None:
        return "assumed", sources.cite("scenario")
    measured, cited = [], []
    for index, row in enumerate(plan.scenario.classes):
        if row.counted_in:
            measured.append(True)
            cited.append(sources.cite(f"{LOG}{row.counted_in}"))
            continue
        for field in ("input_tokens", "output_tokens"):
            start = profiles.quantity(plan.scenario.profile, f"classes.{index}.{field}")
            held = start is not None and start.value == getattr(row, field)
            measured.append(held and start is not None and start.kind == "measured")
            cited.append(sources.cite(start.source if held and start else "scenario"))
    tag = "measured" if all(measured) else "part measured" if any(measured) else "assumed"
    return tag, "".join(dict.fromkeys(cited))


W_PER_MW = 1e6
