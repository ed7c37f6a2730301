"""Every answer of the planner, computed once per scenario and shared by all sessions."""

import asyncio
import gc
import importlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

import planner
from pages.ui import drawing
from planner import Audit, Plan, Risk, Scenario, load_catalog

N_SAMPLES = 1024
"""Draws behind the ranges on screen."""

TRACES = Path(__file__).parents[2] / "hardware_catalog" / "traces"
KEPT = 64
SERIES = 1024
SLIDERS = ("decode_to_prefill_token_ratio", "power_budget_mw", "fleet_mix")
LATER_MONTH = 18.0
BASIS = {Scenario: lambda scenario: (scenario.model_dump_json(), scenario.catalog.version)}
"""What an answer depends on: the scenario, and the facts it was read against."""


LATER = ("matplotlib.figure", "ibis.backends.duckdb")
"""What the brief and a log load when they are first asked for, in seconds; nothing of our own."""
_loading = threading.Lock()
"""Held while modules load: two threads that load them at once may each see half of one."""


@asynccontextmanager
async def warming(_server: object) -> AsyncIterator[None]:
    """While the server waits for its first reader, a thread loads what every answer needs."""
    loading = asyncio.create_task(asyncio.to_thread(_load))
    yield
    loading.cancel()


def _load() -> None:
    with _loading:
        planner.plan(Scenario(), n_samples=2)
    drawing.rehearse()
    for name in LATER:
        importlib.import_module(name)


@st.cache_resource(show_spinner=False)
def ready() -> str:
    """Load the catalog and the engine once a process; what is loaded stays out of the collector."""
    with _loading:
        date = load_catalog().date
        plan_of(Scenario())
    gc.collect()
    gc.freeze()
    return date


@st.cache_resource(max_entries=KEPT, show_spinner=False, hash_funcs=BASIS)
def plan_of(scenario: Scenario) -> Plan:
    """The plan with its ranges."""
    return planner.plan(scenario, n_samples=N_SAMPLES)


@st.cache_resource(max_entries=KEPT, show_spinner=False, hash_funcs=BASIS)
def document_of(scenario: Scenario) -> dict[str, Any]:
    """The plan as plain values, without the slow search for where the verdict turns."""
    return plan_of(scenario).as_dict(flips=False)


@st.cache_resource(max_entries=KEPT, show_spinner=False, hash_funcs=BASIS)
def paper_of(scenario: Scenario) -> dict[str, Any] | None:
    """Chips on paper at two prices, and against bought ones at equal precision."""
    return planner.paper(plan_of(scenario), searched=True)


@st.cache_resource(
    max_entries=KEPT, show_spinner="Searching where the verdict turns …", hash_funcs=BASIS
)
def flips_of(scenario: Scenario) -> list[dict[str, Any]]:
    """Values of the three sliders at which another verdict wins."""
    return [dict(flip) for flip in plan_of(scenario).flips]


@st.cache_resource(max_entries=KEPT, show_spinner=False, hash_funcs=BASIS)
def risk_of(scenario: Scenario) -> Risk:
    """What moves the value most, widest first."""
    return plan_of(scenario).risk


@st.cache_resource(max_entries=KEPT, show_spinner=False, hash_funcs=BASIS)
def sized_for(scenario: Scenario, month: float) -> dict[str, Any]:
    """The same scenario with the fleet sized for another month, without ranges."""
    other = scenario.model_copy(update={"planning_month": month})
    return planner.plan(other).as_dict(flips=False)


@st.cache_resource(max_entries=SERIES, show_spinner=False, hash_funcs=BASIS)
def turn_of(scenario: Scenario, place: int) -> Any:
    """Where one of the widest inputs turns the answer."""
    held = risk_of(scenario)
    return held.turn_of(held.swings[place])


@st.cache_resource(max_entries=SERIES, show_spinner=False, hash_funcs=BASIS)
def cost_at_ratio(scenario: Scenario, ratio: float) -> list[dict[str, Any]]:
    """Yearly cost of every option at another ratio. Pass `at_any_slider(scenario)`."""
    return planner.at_ratio(plan_of(scenario), ratio)


@st.cache_resource(max_entries=SERIES, show_spinner=False, hash_funcs=BASIS)
def cost_at_strictness(scenario: Scenario, factor: float) -> list[dict[str, Any]]:
    """Cost of every option where service levels are times a factor."""
    return planner.at_strictness(plan_of(scenario), factor)


@st.cache_resource(max_entries=SERIES, show_spinner=False, hash_funcs=BASIS)
def at_mix(scenario: Scenario, split_frac: float | str) -> dict[str, Any]:
    """The proposed plan with a forced share. Pass a scenario whose own mix is auto."""
    return planner.at_mix(plan_of(scenario), split_frac)


@st.cache_resource(max_entries=SERIES, show_spinner=False, hash_funcs=BASIS)
def heat_at(scenario: Scenario, ratio: float) -> list[dict[str, Any]]:
    """A column of the heat map."""
    return planner.heat_map(plan_of(scenario), [ratio])


@st.cache_resource(max_entries=SERIES, show_spinner=False, hash_funcs=BASIS)
def regret_at(scenario: Scenario, ratio: float) -> list[dict[str, Any]]:
    """The regret of a split where one ratio comes true."""
    return planner.regret(plan_of(scenario), [ratio])


@st.cache_resource(max_entries=KEPT, show_spinner=False, hash_funcs=BASIS)
def latencies_of(scenario: Scenario, options: tuple[str, ...]) -> list[dict[str, Any]]:
    """Percentiles of some options as their chips are run fuller."""
    return planner.latencies(plan_of(scenario), options)


@st.cache_resource(max_entries=KEPT, show_spinner=False, hash_funcs=BASIS)
def one_pool_of(scenario: Scenario) -> dict[str, Any] | None:
    """One pool on the cheapest chip that can be had, beside the options."""
    return planner.one_pool(plan_of(scenario))


def at_any_slider(scenario: Scenario) -> Scenario:
    """The scenario apart from what the three sliders say: what does not depend on them is kept."""
    start = Scenario(profile=scenario.profile)
    return scenario.model_copy(update={name: getattr(start, name) for name in SLIDERS})


def with_any_mix(scenario: Scenario) -> Scenario:
    """The scenario with its mix left to the optimiser."""
    return scenario.model_copy(update={"fleet_mix": "auto"})


def today_of(scenario: Scenario) -> dict[str, Any]:
    """The fleet sized for today."""
    return sized_for(scenario, 0.0)


def later_of(scenario: Scenario) -> dict[str, Any]:
    """The fleet sized for the month that the article asks about."""
    if scenario.planning_month == LATER_MONTH:
        return document_of(scenario)
    return sized_for(scenario, LATER_MONTH)


def logs() -> dict[str, Path]:
    """The request logs that ship with the product, by a readable name."""
    files = (path for path in TRACES.iterdir() if path.suffix in {".csv", ".jsonl"})
    return {path.stem.replace("_", " "): path for path in sorted(files)}


@st.cache_resource(max_entries=KEPT, show_spinner="Reading the log …")
def audit_of(path: Path) -> Audit:
    """The audit of a log that ships with the product."""
    return planner.audit(path)


def can_print() -> bool:
    """Whether this installation can make the PDF."""
    try:
        return callable(planner.brief_pdf)
    except ImportError:
        return False


@st.cache_resource(max_entries=KEPT, show_spinner=False, hash_funcs=BASIS)
def brief_of(scenario: Scenario, paper: str) -> bytes:
    """The one-page brief as PDF."""
    return planner.brief_pdf(plan_of(scenario), paper=paper)


@st.cache_resource(max_entries=KEPT, show_spinner="Setting the page …", hash_funcs=BASIS)
def picture_of(scenario: Scenario, paper: str) -> bytes:
    """The page of the brief as it prints, as a PNG."""
    return planner.brief_png(plan_of(scenario), paper=paper)


@st.cache_resource(show_spinner="Reading the measurements …")
def measured() -> dict[str, pd.DataFrame]:
    """Every published measurement with its predictions, and how well they agree."""
    return planner.against_measured()


@st.cache_resource(show_spinner=False)
def board() -> pd.DataFrame:
    """The steps metered on one board, beside ours."""
    return planner.board_steps()


@st.cache_resource(show_spinner=False)
def study(place: int) -> list[Any]:
    """The rows of one study of published results."""
    return planner.study(place)
