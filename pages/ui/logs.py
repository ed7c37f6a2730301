"""Request logs: one that ships, the reader's own, or a Prometheus; audited, and taken over."""

import os
from collections.abc import Callable
from typing import Any

import streamlit as st

import planner
from pages.ui import answers, mapping, state
from pages.ui.widgets import plain
from planner import Audit, Question, ScenarioError, SwitchyardError, UnmappedError, text

OWN, METRICS = "Upload my own", "Ask a Prometheus"
KINDS = ("csv", "tsv", "gz", "json", "jsonl", "ndjson", "parquet", "prom", "txt")
HELD, STOPPED, ASKED = "audit-held", "audit-stopped", "audit-asked"
PERMITTED = "SWITCHYARD_PROMETHEUS"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def pick() -> Audit | None:
    """The audit of the log that the reader chose; None until there is one."""
    shipped, here = answers.logs(), planner.server_logs()
    names = [*shipped, *here, OWN, METRICS]
    chosen = st.selectbox(
        "Request log",
        names,
        index=names.index("azure 2023 conversation"),
        key="log",
        help="Public logs that ship with the product, your own, or what your engines count.",
    )
    if chosen == OWN:
        return _upload()
    if chosen in here:
        question = Question(source=str(here[chosen]), scenario=_scenario())
        return _held((chosen,), lambda told: planner.audit_apart(question, report=told))
    return _metrics() if chosen == METRICS else answers.audit_of(shipped[chosen])


def _upload() -> Audit | None:
    """The audit of a file from the reader's machine."""
    file = st.file_uploader(
        "A log with input and output tokens of each request, and its time if it has one",
        list(KINDS),
        key="log-file",
        help="CSV, JSON lines or Parquet, packed by gzip or not; OpenTelemetry spans; metrics. "
        "Only counts and times are read; prompts are not, and the file is deleted after use.",
    )
    if file is None:
        return None
    columns, unit = mapping.chosen(file.file_id)
    question = Question(columns=columns, time_unit=unit, scenario=_scenario())
    key = (file.file_id, tuple(columns.items()), unit)
    return _held(
        key, lambda told: planner.audit_upload(file.getbuffer(), file.name, question, report=told)
    )


def _metrics() -> Audit | None:
    """The audit of what a Prometheus server, or one engine, has counted."""
    with st.form("metrics", border=False):
        left, right = st.columns((3, 1), vertical_alignment="bottom")
        address = left.text_input(
            "Address",
            placeholder="http://127.0.0.1:9090",
            key="metrics-address",
            help="A Prometheus server, or the /metrics of one vLLM, SGLang or TensorRT-LLM.",
        )
        days = right.number_input("Days back", 1, 365, 7, key="metrics-days")
        asked = st.form_submit_button("Audit", icon=":material/monitoring:")
    if asked:
        state.keep(ASKED, (address.strip(), days))
    address, days = state.once(ASKED, lambda: ("", 0))
    if not address:
        return None
    if not _may_ask(address):
        st.error(
            plain(f"This server asks only the addresses named in {PERMITTED} where it runs."),
            icon=":material/block:",
        )
        return None
    question = Question(source=address, days=float(days), scenario=_scenario())
    return _held((address, days), lambda told: planner.audit_apart(question, report=told))


def _may_ask(address: str) -> bool:
    """May this server ask an address: a named one, or any while it serves this machine alone."""
    named = os.environ.get(PERMITTED, "").split()
    return address in named or (not named and st.get_option("server.address") in LOOPBACK)


def _scenario() -> dict[str, Any]:
    return state.scenario().model_dump(mode="json")


Reading = Callable[[Callable[[str, float], None]], Audit]


def _held(key: object, read: Reading) -> Audit | None:
    """The audit under a key, made once, with its progress shown; what refuses it is said."""
    held_key, held = state.once(HELD, lambda: (None, None))
    if held_key != key:
        if state.typed(STOPPED) == key:
            st.info("Reading was stopped.", icon=":material/stop_circle:")
            return None
        held = _watched(key, read)
        state.keep(HELD, (key, held))
    if isinstance(held, UnmappedError):
        mapping.ask(held, key[0] if isinstance(key, tuple) else "")
        return None
    if isinstance(held, SwitchyardError):
        st.error(plain(held), icon=":material/error:")
        return None
    return held


def _watched(key: object, read: Reading) -> Audit | SwitchyardError:
    """Read under a progress bar; the button reruns the page, and that ends the reader."""
    place = st.empty()
    with place.container():
        bar = st.progress(0.0, "Starting")
        st.button("Stop reading", key="log-stop", on_click=state.keep, args=(STOPPED, key))
    try:
        return read(lambda step, done_frac: bar.progress(done_frac, plain(step)) and None)
    except SwitchyardError as error:
        return error
    finally:
        place.empty()


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
