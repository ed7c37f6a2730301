"""Export: every file that leaves with a plan, from one menu, and the approval of a version."""

from collections.abc import Callable

import streamlit as st

from pages.ui import answers, keeping, page, state
from pages.ui.keeping import Opened
from pages.ui.widgets import download, empty, plain
from planner import Bundle, Scenario, SwitchyardError

SAID = "approval said"
PDF, ZIP = "application/pdf", "application/zip"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SINGLE = (
    ("xlsx", "Workbook with live formulas, XLSX", XLSX),
    ("appendix", "Appendix: method, options, assumptions, PDF", PDF),
    ("json", "The whole plan, JSON", "application/json"),
    ("toml", "Scenario, TOML", "application/toml"),
)
PACKED = (
    (("csv",), "All tables, CSV", "tables"),
    (("svg", "png"), "All charts, SVG and PNG", "charts"),
    ((), "Everything in one archive", "everything"),
)


@st.cache_resource(max_entries=answers.KEPT, show_spinner=False, hash_funcs=answers.BASIS)
def bundle_of(scenario: Scenario) -> Bundle:
    """The files of a scenario's plan, each made when asked for."""
    return Bundle(answers.plan_of(scenario))


def menu(scenario: Scenario) -> str:
    """The page to sign, and beside it whatever else may leave. Returns: the paper picked"""
    paper = st.segmented_control(
        "Paper", ["A4", "Letter"], default="A4", required=True, key="paper"
    )
    if answers.can_print():
        download(
            lambda: answers.brief_of(scenario, paper.lower()),
            page.file(scenario, "pdf"),
            PDF,
            "One-page brief, PDF",
            width="stretch",
        )
    else:
        empty(
            "No brief on this installation",
            "Install the printing parts, then reload.",
            "print_disabled",
        )
    with st.popover("Export", icon=":material/output:", width="stretch"):
        for kind, label, mime in SINGLE:
            name = page.file(scenario, "pdf" if kind == "appendix" else kind)
            file = name.replace("switchyard-", "switchyard-appendix-") if mime == PDF else name
            download(_only(scenario, kind), file, mime, label, width="stretch")
        for kinds, label, words in PACKED:
            file = page.file(scenario, "zip").replace("switchyard-", f"switchyard-{words}-")
            download(_packed(scenario, kinds), file, ZIP, label, width="stretch")
    st.caption("Documents also search where the verdict turns; that takes a few seconds.")
    return str(paper).lower()


def _only(scenario: Scenario, kind: str) -> Callable[[], bytes]:
    """The one file of a kind."""
    return lambda: next(iter(bundle_of(scenario).files(kind).values()))


def _packed(scenario: Scenario, kinds: tuple[str, ...]) -> Callable[[], bytes]:
    return lambda: bundle_of(scenario).zipped(*kinds)


def approval(scenario: Scenario) -> None:
    """Who reviewed and approved the saved version, the next step, and the stamped page."""
    st.subheader("Approval", anchor=False)
    if said := state.once(SAID, str):
        st.info(plain(said))
        state.keep(SAID, "")
    held = state.opened()
    if held is None or keeping.read(held.saved, held.link) != scenario:
        st.caption("Save this scenario first: a saved version is what gets reviewed and approved.")
        return
    steps = keeping.store().approvals.of(
        keeping.reader(), held.saved.document_id, held.saved.version, link=held.link
    )
    st.caption(plain(f"{held.saved.name}, version {held.saved.version}"))
    for step in steps:
        at = f"{step.at:%Y-%m-%d %H:%M} UTC"
        st.markdown(f"- **{step.state.capitalize()}** by {plain(step.name)}, {step.role}, {at}")
    labels = ("Mark as reviewed", "Approve")
    if len(steps) < len(labels):
        label = labels[len(steps)]
        st.button(label, on_click=_step, args=(held, len(steps)), width="stretch")
    if steps:
        download(
            lambda: _stamped(held, scenario),
            page.file(scenario, "pdf").replace("switchyard-", f"switchyard-{steps[-1].state}-"),
            PDF,
            f"Brief stamped {steps[-1].state}, PDF",
            width="stretch",
        )


def _step(held: Opened, done: int) -> None:
    """Review, or approve what is reviewed; a refusal is said in words."""
    act = (keeping.store().approvals.review, keeping.store().approvals.approve)[done]
    try:
        act(keeping.reader(), held.saved, link=held.link)
    except SwitchyardError as error:
        state.keep(SAID, str(error))


def _stamped(held: Opened, scenario: Scenario) -> bytes:
    return keeping.store().briefs.issue(
        keeping.reader(), held.saved, answers.plan_of(scenario), link=held.link
    )
