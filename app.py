"""The dashboard: pages, the frame around them, and nothing else.

`streamlit run app.py` reads it twice: imported it is the server, run it is one reader's screen.
"""

from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.starlette import App

from pages.ui import answers, controls, frame, state

PAGES = (
    ("start", "Start", ":material/flag:", None),
    ("workload", "Workload", ":material/query_stats:", "requests"),
    ("power", "Power", ":material/bolt:", "megawatts"),
    ("options", "Options", ":material/stairs:", "ladder"),
    ("fleet", "Fleet", ":material/dns:", "chips"),
    ("money", "Money", ":material/payments:", "cash"),
    ("risk", "Risk", ":material/warning:", "odds"),
    ("compare", "Compare", ":material/compare_arrows:", "side-by-side"),
    ("brief", "Brief", ":material/draw:", "sign"),
    ("evidence", "Evidence", ":material/fact_check:", "proof"),
    ("hardware", "Hardware", ":material/memory:", "shop"),
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
        st.Page(f"pages/{name}.py", title=title, icon=icon, url_path=path, default=path is None)
        for name, title, icon, path in PAGES
    ]
    page = st.navigation(pages, position="top")
    with frame.in_words():
        answers.ready()
        controls.panel()
        frame.title(page.title)
        frame.strip()
        page.run()
        frame.foot()
    state.publish()


if __name__ == "__main__":
    screen()
else:
    # Streamlit takes a folder named pages for its older kind of pages until the first run ends,
    # and would answer the first link of a day with "page not found".
    PagesManager.uses_pages_directory = False
    server = App(__file__, lifespan=answers.warming)
