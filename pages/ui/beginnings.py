"""Where a scenario may start from: an operator, a saved version, a file, a link or a log."""

from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from pages.ui import keeping, state
from pages.ui.keeping import Opened
from pages.ui.widgets import empty, plain
from planner import Saved, Scenario, StoreError, SwitchyardError, profiles, read_file

OPERATOR, SAVED, FILE, LINK, LOG = WAYS = (
    "An operator like yours",
    "Saved",
    "A file",
    "A link",
    "A request log",
)
CARD_PX = 171
MOST_MB = 1


def choose() -> None:
    """The ways to start, one shown at a time."""
    st.subheader("Start from", anchor=False)
    way = st.segmented_control(
        "Start from",
        WAYS,
        default=OPERATOR,
        required=True,
        label_visibility="collapsed",
        key="start-from",
    )
    {OPERATOR: _operators, SAVED: _saved, FILE: _file, LINK: _link, LOG: _log}[way]()


def _operators() -> None:
    current = state.scenario().profile
    row = st.container(horizontal=True)
    for name in profiles.names():
        title, about = profiles.caption(name)
        with row.container(border=True, width=CARD_PX, height="stretch"):
            st.markdown(f"**{plain(title)}**")
            st.caption(plain(about))
            st.button(
                "Open",
                key=f"open-{name}",
                on_click=state.open_profile,
                args=(name,),
                disabled=name == current,
                width="stretch",
            )


def _saved() -> None:
    held = state.opened()
    try:
        rows = keeping.newest()
        versions = keeping.versions(held) if held else []
    except StoreError as error:
        st.warning(plain(error), icon=":material/cloud_off:")
        return
    if not rows:
        empty("Nothing saved yet", "Save this scenario with Save on the left.", "save")
    for row in rows:
        _version(row)
    if held and len(versions) > 1:
        st.markdown(f"**Versions of {plain(held.saved.name)}**")
        for row in versions:
            _version(row, "of-", held.link)


def _version(row: Saved, prefix: str = "", link: str | None = None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"**{plain(row.name)}**, version {row.version}", width="stretch")
        st.caption(
            plain(f"{row.author}, {row.saved_at:%Y-%m-%d %H:%M} UTC, {row.state}"),
            width="content",
        )
        st.button(
            "Open",
            key=f"{prefix}{row.document_id}-{row.version}",
            on_click=state.open_saved,
            args=(Opened(row, link),),
        )


def _file() -> None:
    sent = st.file_uploader(
        "Scenario file",
        ["toml", "json"],
        key="scenario-file",
        help="TOML or JSON with any of the inputs; the rest starts from its profile.",
        max_upload_size=MOST_MB,
    )
    if sent is None:
        st.caption(
            "The Brief page exports this scenario as such a file; a whole plan is read as well."
        )
        return
    try:
        found = read_file(sent.name, sent.getvalue())
    except SwitchyardError as error:
        st.warning(plain(error), icon=":material/front_hand:")
        return
    st.button(plain(f"Open {found.name}"), on_click=state.begin, args=(found,))


def _link() -> None:
    st.text_input(
        "Link",
        key="pasted-link",
        placeholder="Paste a link that was shared with you",
        on_change=_take_link,
        help="A link made with Share, or the address of a page.",
    )


def _take_link() -> None:
    pasted = str(state.typed("pasted-link") or "").strip()
    query = dict(parse_qsl(urlsplit(pasted).query))
    try:
        if state.ID in query:
            held, found = keeping.through(query[state.ID])
            state.begin(found, held)
        elif query:
            state.begin(Scenario.from_query(query))
        elif pasted:
            state.refuse(state.LINK, "This link holds no scenario: copy it whole, with its end.")
    except SwitchyardError as error:
        state.refuse(state.LINK, str(error))


def _log() -> None:
    st.markdown("Read a log of requests, check what was found in it, and make it your workload.")
    st.page_link("pages/workload.py", label="Audit a log", icon=":material/arrow_forward:")
