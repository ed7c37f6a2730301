"""Options: what should the next cluster be?"""

import streamlit as st

from pages.ui import answers, charts, fields, ladder, outlooks, state, tables, trends
from pages.ui.maps import flow
from pages.ui.widgets import chart, figures, numbers, plain, table
from planner import text

scenario = state.scenario()
plan, document = answers.plan_of(scenario), answers.document_of(scenario)
chosen = document["verdict"]["option_id"]


def bridge() -> None:
    st.subheader("From as built to the best split", anchor=False)
    steps = tables.bridge(document)
    net = document["net"]
    st.caption(
        plain(
            f"Savings to the right, costs to the left. Net {text.usd(net['usd_per_year'])} a year, "
        )
        + plain(f"{text.percent(net['frac'])} of today's cost.")
    )
    figure = charts.waterfall(*ladder.steps(steps))
    chart(figure, steps, "bridge", alt="Bridge from as-built cost to the net of all steps")


def the_ladder() -> None:
    st.subheader("Every option serves the same demand at the same service levels", anchor=False)
    st.caption(
        "Procurement cost: the whole fleet bought new for that demand. What is bought beside the "
        "chips you own, for what power and backlog allow: Money."
    )
    table(ladder.article(document), alt="The ladder of options")
    if paper := ladder.on_paper(answers.paper_of(scenario)):
        st.caption(plain(paper))
    if reasons := ladder.refused(document):
        st.info(reasons, icon=":material/block:")
    numbers(tables.ladder(document), "options", "All figures of every option")


def the_pools() -> None:
    st.subheader("The pools of an option", anchor=False)
    names = [row["id"] for row in (*tables.records(document), document["proposed"])]
    option = st.segmented_control(
        "Option",
        names,
        default=chosen,
        format_func=tables.SHORT.get,
        required=True,
        label_visibility="collapsed",
        key="pools-of",
    )
    figures(ladder.handoff(tables.record(document, option)))
    held = trends.pool_flow(plan, option)
    if len(held):
        figure = flow(held, lambda n: text.count(round(n), "chip"))
        chart(figure, held, "flow", alt=f"Requests through the pools of {tables.SHORT[option]}")
    table(ladder.pools(plan, document, option), alt=f"Pools of {tables.SHORT[option]}")
    numbers(tables.pools(document, option), f"pools-{option}")


left, right = st.columns((1, 1), gap="large")
with left:
    bridge()
the_ladder()
the_pools()
with right:
    outlooks.one_of(scenario, plan, document)
fields.more("software", "available_software", "fabric", "owned", "chips")
