"""The dashboard: pages, the frame around them, and nothing else."""

from pathlib import Path

import streamlit as st

from pages.ui import answers, frame, state

st.set_page_config(
    page_title="Switchyard",
    page_icon=Path(__file__).parent / "pages/ui/icon.svg",
    layout="wide",
    initial_sidebar_state="auto",
)

page = st.navigation(
    [
        st.Page("pages/start.py", title="Start", icon=":material/flag:", default=True),
        st.Page(
            "pages/workload.py",
            title="Workload",
            icon=":material/query_stats:",
            url_path="requests",
        ),
        st.Page("pages/power.py", title="Power", icon=":material/bolt:", url_path="megawatts"),
        st.Page("pages/options.py", title="Options", icon=":material/stairs:", url_path="ladder"),
        st.Page("pages/money.py", title="Money", icon=":material/payments:", url_path="cash"),
        st.Page("pages/brief.py", title="Brief", icon=":material/draw:", url_path="sign"),
    ],
    position="top",
)

with frame.in_words():
    answers.ready()
    frame.controls()
    state.publish()
    frame.strip()
    page.run()
    frame.foot()
