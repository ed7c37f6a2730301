"""Who is here: the way in and out, and what each may do in a while."""

import math

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.ui.who import claims, reader
from pages.ui.widgets import plain
from planner import ForbiddenError, Identity
from server import counts
from server.quotas import Pace
from server.settings import settings

NO_LINK = "@\N{WORD JOINER}"
"""Keeps Markdown from making a link of a name that is an address."""


def gated(pages: list[StreamlitPage]) -> StreamlitPage:
    """The page that is asked for; nobody passes who may not enter, or goes too fast."""
    counts.RUNS.inc()
    try:
        who = reader()
    except ForbiddenError as error:
        counts.TURNED_AWAY.inc()
        st.navigation(pages, position="hidden")
        _door(str(error))
        st.stop()
    page = st.navigation(pages, position="top")
    if settings().auth != "none":
        _badge(who)
        _not_too_fast(who)
    return page


def _not_too_fast(who: Identity) -> None:
    wait_s = _pace().wait_s(who.user)
    if wait_s:
        counts.LIMITED.labels("steps").inc()
        st.warning(f"One user may do no more at a time here. Try again in {math.ceil(wait_s)} s.")
        st.stop()


@st.cache_resource(show_spinner=False)
def _pace() -> Pace:
    return Pace(settings().steps_per_minute)


def _door(why: str) -> None:
    """The page for somebody outside."""
    st.title("Switchyard", anchor=False)
    st.markdown("What should this inference fleet become, and what does waiting cost?")
    if settings().auth == "proxy" or claims() is not None:
        st.error(plain(why), icon=":material/lock:")
        _way_out()
        return
    st.button("Sign in", on_click=st.login, type="primary", icon=":material/login:")
    st.caption("Your organisation's own sign-in opens. If you came by a link, open it again after.")


def _badge(who: Identity) -> None:
    with st.sidebar, st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(f"{who.user} · {who.role}").replace("@", NO_LINK), width="stretch")
        _way_out()


def _way_out() -> None:
    if settings().auth == "oidc":
        st.button("Sign out", on_click=st.logout, type="tertiary", icon=":material/logout:")
    elif settings().sign_out_url:
        st.link_button("Sign out", settings().sign_out_url, type="tertiary")
