"""The dashboard: pages, the frame around them, and nothing else.

`streamlit run app.py` reads it twice: imported it is the server, run it is one reader's screen.
"""

from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.starlette import App

from pages.ui import account, answers, controls, frame, keeping, state
from server.entry import guarded

PAGES = (
    ("start", "Start", None),
    ("workload", "Workload", "requests"),
    ("power", "Power", "megawatts"),
    ("options", "Options", "ladder"),
    ("fleet", "Fleet", "chips"),
    ("money", "Money", "cash"),
    ("risk", "Risk", "odds"),
    ("compare", "Compare", "side-by-side"),
    ("brief", "Brief", "sign"),
    ("evidence", "Evidence", "proof"),
    ("hardware", "Hardware", "shop"),
)
SIDE_PX = 320


def screen() -> None:
    """One reader's screen."""
    st.set_page_config(
        page_title="Switchyard",
        page_icon=Path(__file__).parent / "pages/ui/icon.svg",
        layout="wide",
        initial_sidebar_state=SIDE_PX,
    )
    pages = [
        st.Page(f"pages/{name}.py", title=title, url_path=path, default=path is None)
        for name, title, path in PAGES
    ]
    page = account.gated(pages)
    with frame.in_words():
        answers.ready()
        controls.panel()
        frame.title(page.title)
        frame.strip()
        state.publish()  # the next step may end what follows
        page.run()
        frame.foot()
    state.publish()  # also where the engine refused


if __name__ == "__main__":
    screen()
else:
    PagesManager.uses_pages_directory = False  # else the first link of a day finds no page
    server = App(__file__, **guarded(answers.warming, keeping.store))
