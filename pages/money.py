"""Money: is it worth the capital?"""

import streamlit as st

from pages.ui import answers, charts, curves, fields, kpis, ledgers, state, tables, trends
from pages.ui.widgets import chart, figures, plain, table
from planner import text

scenario = state.scenario()
plan, document = answers.plan_of(scenario), answers.document_of(scenario)
chosen = kpis.rival(plan)


def costs() -> None:
    st.subheader("What a year costs", anchor=False)
    st.caption("Every chip at replacement price spread over its life, so that options compare.")
    held = tables.costs(plan)
    figure = charts.stacked(held, tables.PARTS, text.usd)
    chart(figure, held, "costs", alt="Yearly cost of each option by line")


def cash() -> None:
    st.subheader(f"What changes hands: {tables.SHORT[chosen].lower()}", anchor=False)
    st.caption(plain(ledgers.basis(plan, chosen)))
    held = tables.cash(plan, chosen)
    figure = charts.signed(*ledgers.lines(held), text.usd)
    chart(figure, held, "cash", alt="Cash of the plan against carrying on, by line")


def flows() -> None:
    st.subheader("When does the cash come back?", anchor=False)
    st.caption(
        "After tax, against carrying on. Bars and line: at stated values. Bands: 8 of 10 futures; "
        "above zero it is paid back, dashed in the middle future."
    )
    held = trends.cash(plan, chosen)
    figure = curves.cash_band(held, text.usd, paid_back=plan.payback(chosen).drawn_years)
    chart(figure, held, "flows", alt="Running sum of cash with the band of 8 of 10 futures")


if document["verdict"]["action"] == "stay":
    st.info(
        plain(f"The verdict is to stay. Figures are those of {tables.SHORT[chosen].lower()}, ")
        + "the best alternative, which is not recommended.",
        icon=":material/info:",
    )
figures(ledgers.headlines(plan, document))
left, right = st.columns((1, 1), gap="large")
with left:
    costs()
with right:
    cash()
flows()
st.subheader("Units that finance compares", anchor=False)
table(ledgers.units(document), alt="Unit costs and revenue of each option")
for note in ledgers.notes(document):
    st.caption(plain(note))
fields.more("finance", "operator", "horizon")
