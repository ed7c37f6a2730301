"""Fleet: what do I do with what I own?"""

import streamlit as st

from pages.ui import answers, charts, curves, fields, fleets, ladder, state
from pages.ui.widgets import chart, empty, facts, figures, gathered, numbers, plain, table
from planner import text

scenario = state.scenario()
plan, document = answers.plan_of(scenario), answers.document_of(scenario)


def who_does_what() -> None:
    st.subheader("Which chips do which work", anchor=False)
    st.caption(plain(fleets.about(document)))
    held = fleets.assigned(plan, "proposed")
    figure = charts.stacked(held, (fleets.OWNED, fleets.NEW), lambda n: text.number(n, place=0))
    chart(figure, held, "assigned", alt="Chips of each pool, owned and new")


def the_optimum() -> None:
    st.subheader("Is this the best plan?", anchor=False)
    st.caption("An exact search over pools, classes and chips, under your limits.")
    facts(fleets.optimum(scenario, document), alt="What the optimiser says of its plan")


def what_is_owned() -> None:
    st.subheader("What becomes of the chips you own", anchor=False)
    if scenario.owned:
        held = fleets.owned(plan, "proposed")
        table(held, alt="Owned chips under the proposed plan")
        numbers(held, "owned")
    else:
        empty(
            "Nothing is owned yet",
            "Add your chips under More assumptions, or open an operator with a fleet.",
            "dns",
        )


def the_pools() -> None:
    st.subheader("The pools of the proposed plan", anchor=False)
    table(ladder.pools(plan, document, "proposed"), alt="Pools of the proposed plan")
    if reasons := ladder.refused(document):
        st.info(reasons, icon=":material/block:")


def forced_shares() -> None:
    st.subheader("What a forced share is worth", anchor=False)
    st.caption(
        "Each point is the best plan for a share asked, at the share of power in split pools that "
        "whole servers form. NPV at stated values; the tile above is the median of the futures."
    )
    held = fleets.along_mix(
        gathered(
            "Planning every share",
            fleets.SHARES,
            lambda share: answers.at_mix(answers.with_any_mix(scenario), share),
        )
    )
    best = fleets.picked(scenario)
    if held.empty or best is None:
        empty("No mix of pools serves everything", "Allow more chips or more power.", "block")
        return
    figure = curves.along_mix(held, text.usd, picked=best)
    chart(figure, held, "shares", alt="Worth of the best plan at each forced share")


figures(fleets.headlines(plan, document))
left, right = st.columns((1, 1), gap="large")
with left:
    who_does_what()
    the_optimum()
what_is_owned()
the_pools()
with right:
    forced_shares()
fields.more("owned", "chips", "site")
