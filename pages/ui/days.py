"""Two views of the site, one at a time: what more it can serve, and what it draws over a day."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages.ui import charts, curves, kpis, tables
from pages.ui.widgets import chart, plain
from planner import Plan, text

Document = Mapping[str, Any]
SITE, DAY = "From the same site", "Over a day"
W_PER_MW = 1e6


def one_of(plan: Plan, document: Document) -> None:
    """The view of the site that the reader picks."""
    st.subheader("What can the site carry?", anchor=False)
    view = st.segmented_control(
        "View of the site",
        [SITE, DAY],
        default=SITE,
        required=True,
        label_visibility="collapsed",
        key="site-view",
    )
    {SITE: _served, DAY: _drawn}[view](plan, document)


def _served(plan: Plan, document: Document) -> None:
    st.caption(plain(bases(document)))
    held = tables.from_the_site(document)
    figure = charts.bars(
        held["option"],
        held["served"],
        text.percent,
        marked=held["id"] == kpis.rival(plan),
        hatched=held["id"] == tables.PAPER,
        line=1 + kpis.LINE_FRAC,
    )
    chart(figure, held, "throughput", alt="Share of demand served from the power budget by option")


def bases(document: Document) -> str:
    """What the shares are of, and what the throughput tile above them is of."""
    budget = text.mw(document["scenario"]["power_budget_mw"])
    held = text.mw(document["stranded"]["provisioned_mw"])
    return (
        f"Share of the demand planned for that each option serves from the whole power budget of "
        f"{budget}, at its caps; the line is 20% more. The tile More throughput counts the "
        f"{held} provisioned today only."
    )


def _drawn(plan: Plan, document: Document) -> None:
    st.caption(
        "Megawatts at the meter around the busiest hour of an average day. Dashed: the power that "
        "is held for each, at its caps."
    )
    held = over_a_day(document, tuple(dict.fromkeys(("as-built", kpis.rival(plan)))))
    figure = curves.over_hours(held, text.mw, limits=provisioned_mw(document, held))
    chart(figure, held, "day", alt="Power drawn in each hour of an average day")


def over_a_day(document: Document, options: tuple[str, ...]) -> pd.DataFrame:
    """Facility draw by hours from the busiest, from half a day before to half a day after."""
    rows = []
    for option in options:
        by_hour = tables.record(document, option)["facility_by_hour_w"]
        half = len(by_hour) // 2
        for hour in range(-half, half + 1):
            mw = by_hour[hour % len(by_hour)] / W_PER_MW
            rows.append(
                {"id": option, "option": tables.SHORT[option], "hours": hour, "draw_mw": mw}
            )
    return pd.DataFrame(rows)


def provisioned_mw(document: Document, held: pd.DataFrame) -> list[float]:
    """Power held for the options shown, in megawatts."""
    records = (tables.record(document, option) for option in dict.fromkeys(held["id"]))
    return [record["facility_provisioned_w"] / W_PER_MW for record in records]
