"""Request logs: one that ships, the reader's own, or a Prometheus; audited, and taken over."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import streamlit as st

import planner
from pages.ui import answers, mapping, state
from pages.ui.widgets import plain
from planner import Audit, Question, ScenarioError, SwitchyardError, UnmappedError, text

OWN, METRICS = "Upload my own", "Ask a Prometheus"
KINDS = ("csv", "tsv", "gz", "json", "jsonl", "ndjson", "parquet", "prom", "txt")
HELD, STOPPED, ASKED = "audit-held", "audit-stopped", "audit-asked"
PERMITTED = "SWITCHYARD_PROMETHEUS"
Told: TypeAlias = Callable[[str, float], None]
"""Told each step of a reading and the share of the work done before it."""


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
        return _file(f"{chosen} of the server", partial(_there, here[chosen]))
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
    return None if file is None else _file(file.file_id, partial(_sent, file))


def _sent(file: Any, question: Question, told: Told) -> Audit:
    return planner.audit_upload(file.getbuffer(), file.name, question, report=told)


def _there(path: Path, question: Question, told: Told) -> Audit:
    return planner.audit_apart(replace(question, source=str(path)), report=told)


def _file(log: str, read: Callable[[Question, Told], Audit]) -> Audit | None:
    """The audit of a log whose columns and times the reader may correct."""
    choice = mapping.chosen(log)
    question = Question(
        columns=choice.columns,
        time_unit=choice.unit,
        time_zone=choice.zone,
        scenario=state.scenario(),
    )
    found = _held((log, choice), lambda told: read(question, told))
    if isinstance(found, UnmappedError):
        mapping.ask(found, log)
        return None
    if found is not None and found.columns:
        mapping.correct(found, log)
    return found


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
    if not planner.may_ask(address, st.get_option("server.address")):
        st.error(
            plain(f"This server asks only the addresses named in {PERMITTED} where it runs."),
            icon=":material/block:",
        )
        return None
    question = Question(source=address, days=float(days), scenario=state.scenario())
    found = _held((address, days), lambda told: planner.audit_apart(question, report=told))
    return None if isinstance(found, UnmappedError) else found


def _held(key: object, read: Callable[[Told], Audit]) -> Audit | UnmappedError | None:
    """The audit under a key, made once, with its progress shown; what refuses it is said."""
    held_key, held = state.once(HELD, lambda: (None, None))
    if held_key != key:
        if state.typed(STOPPED) == key:
            st.info("Reading was stopped.", icon=":material/stop_circle:")
            st.button("Read it again", key="log-again", on_click=state.keep, args=(STOPPED, None))
            return None
        held = _watched(key, read)
        state.keep(HELD, (key, held))
    if isinstance(held, SwitchyardError) and not isinstance(held, UnmappedError):
        st.error(plain(held), icon=":material/error:")
        return None
    return held


def _watched(key: object, read: Callable[[Told], Audit]) -> Audit | SwitchyardError:
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
        taken = planner.adopted(state.scenario(), audit)
        answers.plan_of(taken)  # a model that fits on no chip here is refused before it is begun
        state.begin(taken)
    except ScenarioError as error:
        state.refuse("classes", *error.problems)
