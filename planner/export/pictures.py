"""The plan's three figures: the bridge, the stranded megawatts, and what moves the answer most."""

from collections.abc import Mapping, Sequence
from typing import Any

from planner import text
from planner.decision.risk import Swing
from planner.decision.wording import name_of, range_of
from planner.export.figures import GAIN, LOSS, TOTAL, Bar, Chart, last_place, waterfall
from planner.export.printable import printable
from planner.export.sources import Sources
from planner.facts.catalog import Catalog

NAME_CHARACTERS = 40


def bridge(document: Mapping[str, Any]) -> tuple[Chart, int]:
    """Savings and costs from as-built to the matched split, adding up to the net as shown.

    Returns also the power of ten of the last digit shown.
    """
    steps = document["bridge"]
    place = last_place([step["usd_per_year"] for step in steps])
    shown = text.adding_up([step["usd_per_year"] for step in steps], place)
    bars = [
        Bar(step["label"], text.usd(usd, place=place, signed=True), ((*ends, tone(usd)),))
        for step, usd, ends in zip(steps, shown, waterfall(shown), strict=True)
    ]
    net = sum(shown)
    total = Bar("Net a year", text.usd(net, place=place), ((0, net, TOTAL),), strong=True)
    return Chart([*bars, total]), place


def tone(saving: float) -> str:
    """The colour of what helps, or of what costs."""
    return GAIN if saving >= 0 else LOSS


def stranded(held: Mapping[str, Any]) -> Chart:
    """Provisioned power, cause by cause, down to the power that the work needs."""
    causes = held["causes"]
    parts = [held["needed_mw"], *(cause["mw"] for cause in causes)]
    place = min(last_place(parts), 0)
    needed, *shown = text.adding_up(parts, place)
    whole = needed + sum(shown)
    steps = waterfall([-mw for mw in shown], whole)
    bars = [
        Bar(cause["label"], text.mw(-mw, place=place, signed=True), ((*ends, tone(mw)),))
        for cause, mw, ends in zip(causes, shown, steps, strict=True)
    ]
    first = Bar("Provisioned", text.mw(whole, place=place), ((0, whole, TOTAL),), strong=True)
    last = Bar("Needed", text.mw(needed, place=place), ((0, needed, TOTAL),), strong=True)
    return Chart([first, *bars, last])


def tornado(swings: Sequence[Swing], base_usd: float, catalog: Catalog, sources: Sources) -> Chart:
    """NPV with one assumption at its low, then its high end, all others as stated."""
    bars = [_swing(swing, base_usd, catalog, sources) for swing in swings]
    bars = bars or [Bar("No assumption moves it: no other option is feasible.", "", ())]
    crossed = any(swing.npv_low_usd * swing.npv_high_usd < 0 for swing in swings)
    return Chart(bars, (base_usd, 0.0) if crossed else (base_usd,), n_columns=2)


def _swing(swing: Swing, base_usd: float, catalog: Catalog, sources: Sources) -> Bar:
    held = swing.assumption
    ends_in_words = range_of(held.low, held.high, held.unit)
    name = printable(name_of(held, catalog), NAME_CHARACTERS)
    ends = (swing.npv_low_usd, swing.npv_high_usd)
    spans = ((base_usd, ends[0], LOSS), (base_usd, ends[1], GAIN))
    return Bar(
        f"{name}: {ends_in_words} {sources.cite(held.source)}", text.span(text.usd, *ends), spans
    )
