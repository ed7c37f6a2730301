"""Risk: what would make this wrong?"""

import streamlit as st

from pages.ui import answers, fields, maps, risks, spreads, state, tables
from pages.ui.widgets import chart, empty, figures, gathered, plain, table
from planner import text

scenario = state.scenario()
plan, document = answers.plan_of(scenario), answers.document_of(scenario)
MAP, DRIFT = "Ratio and software", "If the mix drifts"


def strips() -> None:
    st.subheader("How sure is each figure?", anchor=False)
    st.caption("Line: 8 of 10 futures; dot: the middle one, drawn at 100% of itself.")
    held = risks.strips(plan, document)
    chart(spreads.strips(held), held, "strips", alt="P10 to P90 of every headline")


def tornado(turns: dict[str, object], name: str) -> None:
    held = risks.tornado(plan, turns)
    base = float(plan.money.npv_usd[document["risk"]["contender"]])
    figure = spreads.tornado(held, text.usd, base=base)
    chart(figure, held, name, alt="What each input alone moves, widest first")


def the_map() -> None:
    st.caption("Colour and sign: the verdict. Percent: bifurcation tax left after that software.")
    held = risks.heat(
        gathered("Planning every cell", risks.RATIOS, lambda x: answers.heat_at(free, x))
    )
    figure = maps.heat(held, list(tables.ACTIONS.values()))
    chart(figure, held.drop(columns="left"), "heat", alt="Verdict by ratio and software")


def drift() -> None:
    st.caption("A split's chips are fixed; what is short is bought, what is idle stays paid for.")
    rows = gathered("Planning every ratio", risks.RATIOS, lambda x: answers.regret_at(scenario, x))
    held = risks.regrets(rows)
    if held.empty:
        empty("No split serves here", "Nothing is committed, so nothing is regretted.", "block")
    else:
        table(held, alt="Regret of the split at each ratio")


free = scenario.model_copy(update={"decode_to_prefill_token_ratio": None})
figures(risks.odds(plan))
left, right = st.columns((1, 1), gap="large")
with left:
    st.subheader("What moves the worth most", anchor=False)
    st.caption(
        plain(f"NPV of {tables.SHORT[document['risk']['contender']].lower()}, one at a time.")
    )
    place = st.container()
with right:
    strips()
st.subheader("What would make this wrong", anchor=False)
watched = st.container()
view = st.segmented_control("View", [MAP, DRIFT], default=MAP, required=True, key="risk-view")
(the_map if view == MAP else drift)()
swings = plan.risk.swings[: risks.SHOWN_BARS]
with place:
    found = gathered(
        "Searching where each input turns the verdict",
        range(len(swings)),
        lambda n: answers.turn_of(scenario, n),
    )
    turns = {turn.assumption.parameter: turn for turn in found}
    tornado(turns, "tornado")
with watched:
    said = risks.killing(plan, turns) or ["No input alone turns the verdict in its range."]
    for sentence in (*said, *risks.beside(plan, answers.one_pool_of(scenario))):
        st.markdown(f"- {plain(sentence)}")
    table(risks.turning(plan, turns), alt="Where each input turns the verdict")
fields.more("operator", "demand")
