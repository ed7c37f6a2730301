"""Request logs: one that ships, or the reader's own, audited and taken into the scenario."""

import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

import planner
from pages.ui import answers, reading, state
from pages.ui.widgets import plain
from planner import Audit, ScenarioError, SwitchyardError, text

OWN = "Upload my own"
KINDS = ("csv", "gz", "jsonl", "parquet")
UPLOADED = "uploaded-audit"


def pick() -> Audit | None:
    """The audit of the log that the reader chose; None until there is one."""
    shipped = answers.logs()
    names = [*shipped, OWN]
    chosen = st.selectbox(
        "Request log",
        names,
        index=names.index("azure 2023 conversation"),
        key="log",
        help="Public logs that ship with the product, or your own.",
    )
    if chosen != OWN:
        return answers.audit_of(shipped[chosen])
    st.file_uploader(
        "CSV, CSV.gz, JSON lines or Parquet: time, input tokens, output tokens",
        list(KINDS),
        key="log-file",
        on_change=_take,
        help="Only counts and times are read; prompts are not.",
    )
    held: Audit | SwitchyardError | None = state.once(UPLOADED, lambda: None)
    if isinstance(held, SwitchyardError):
        st.error(plain(held), icon=":material/error:")
        return None
    return held


def _take() -> None:
    file = state.typed("log-file")
    state.keep(UPLOADED, _audited(file) if file else None)


def _audited(file: Any) -> Audit | SwitchyardError:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("log" + "".join(Path(file.name).suffixes[-2:]))
        path.write_bytes(file.getbuffer())
        return reading.audited(path, file.name)


def adopt(audit: Audit) -> None:
    """The button that makes the audited log the workload of the scenario."""
    scale = text.number(state.scenario().demand_scale, place=0)
    st.button(
        "Use this audit as my workload",
        key="adopt",
        on_click=_adopt,
        args=(audit,),
        icon=":material/input:",
        help="Its classes replace the scenario's; service levels and prices stay.",
    )
    st.caption(plain(f"Demand becomes the log's rate times {scale}, the demand scale below."))
    with st.expander(f"Notes on this log ({len(audit.caveats)})", type="compact"):
        for note in audit.caveats:
            st.markdown(f"- {plain(note)}")


def _adopt(audit: Audit) -> None:
    try:
        state.begin(planner.adopted(state.scenario(), audit))
    except ScenarioError as error:
        state.refuse("classes", *error.problems)
