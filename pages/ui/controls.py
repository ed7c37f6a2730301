"""The side panel: who is asked about, the three headline sliders, and the scenario's life."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.ui import answers, fields, life, state, tables
from pages.ui.widgets import plain, share
from planner import Scenario, SwitchyardError, profiles, text

RATIO, POWER, MIX = "decode_to_prefill_token_ratio", "power_budget_mw", "fleet_mix"
RATIO_STEPS = 120
POWER_STEPS = 200
AUTO = "auto"

Document = Mapping[str, Any]


def panel() -> None:
    """Profile, name and the three sliders, in the side panel."""
    scenario = state.scenario()
    profile = state.show("profile", "profile", scenario.profile)
    name = state.show("name", "name", scenario.name)
    with st.sidebar:
        st.selectbox(
            "Profile",
            profiles.names(),
            key=profile,
            format_func=lambda name: profiles.caption(name)[0],
            on_change=_take_profile,
            args=(profile,),
            help="Whose starting values are used; choosing one starts afresh.",
        )
        st.text_input(
            "Scenario",
            key=name,
            on_change=_take,
            args=(name, "name"),
            help="How the scenario is called on the page that gets signed.",
        )
        document = _document(scenario)
        _ratio(scenario, document)
        _power(scenario)
        _mix(scenario, document)
        life.buttons(scenario)


def _document(scenario: Scenario) -> Document | None:
    """The answer, or None while the engine refuses; the page says why."""
    try:
        return answers.document_of(scenario)
    except SwitchyardError:
        return None


def _take_profile(key: str) -> None:
    if not state.echoed(key):
        state.open_profile(str(state.typed(key)))


def _ratio(scenario: Scenario, document: Document | None) -> None:
    about = Scenario.model_fields[RATIO]
    head = document["headline"] if document else {}
    today = scenario.decode_to_prefill_token_ratio or head.get(RATIO)
    low, high = fields.limits(about)
    steps = [low * (high / low) ** (step / RATIO_STEPS) for step in range(RATIO_STEPS + 1)]
    stops = {text.ratio(value): value for value in (*steps, *([today] if today else []))}
    key = state.show("ratio-slider", RATIO, stops[text.ratio(today)] if today else low)
    st.select_slider(
        "Output : input tokens",
        sorted(stops.values()),
        format_func=text.ratio,
        key=key,
        on_change=_take,
        args=(key, RATIO),
        help="Answer tokens for each prompt token. Total tokens and requests stay the same.",
    )
    fields.number(
        about,
        RATIO,
        today,
        key="ratio-box",
        label="Output tokens per input token",
        format="%.4g",
        label_visibility="collapsed",
        placeholder="as audited",
    )
    if document:
        prefill = head["prefill_time_frac"]
        st.caption(
            plain(
                f"Chip time: {share(prefill)} reading prompts, {share(1 - prefill)} writing answers"
            )
        )


def _power(scenario: Scenario) -> None:
    about = Scenario.model_fields[POWER]
    budget = scenario.power_budget_mw
    most = 2 * state.baseline().power_budget_mw
    while budget > most:
        most *= 2
    # A slider whose ends move under its key jumps to its low end in the browser.
    key = state.show(f"power-slider to {most}", POWER, budget)
    st.slider(
        "Power budget, MW",
        0.0,
        most,
        step=most / POWER_STEPS,
        format="%.3g",
        key=key,
        on_change=_take,
        args=(key, POWER),
        help="Ceiling of the serving fleet at the meter, cooling included.",
    )
    fields.number(
        about,
        POWER,
        budget,
        key="power-box",
        label="Power budget in megawatts",
        format="%.4g",
        label_visibility="collapsed",
    )


def _mix(scenario: Scenario, document: Document | None) -> None:
    forced = scenario.fleet_mix
    percent = None if forced == AUTO else 100 * float(forced)
    stops = sorted({*range(0, 101, 5), *([percent] if percent is not None else [])})
    slider = state.show("mix-slider", MIX, AUTO if percent is None else percent)
    box = state.show("mix-box", MIX, percent)
    st.select_slider(
        "Power in split pools",
        [AUTO, *stops],
        format_func=lambda stop: AUTO if stop == AUTO else f"{text.number(stop, place=0)}%",
        key=slider,
        on_change=_take_mix,
        args=(slider,),
        help="Share of serving power in phase-matched pools; auto lets cost decide.",
    )
    st.number_input(
        "Percent of power in split pools",
        value=None,
        step=5.0,
        format="%.4g",
        placeholder=AUTO,
        key=box,
        on_change=_take_mix,
        args=(box,),
        label_visibility="collapsed",
    )
    if document:
        st.caption(plain(_mix_says(scenario, document)))


def _mix_says(scenario: Scenario, document: Document) -> str:
    mine = document["proposed"]
    price = f"{text.usd(mine['cost_usd_per_mtok'])} per million tokens"
    if scenario.fleet_mix != AUTO:
        return f"Your mix: {price}, worth {text.usd(mine['npv_usd'])} at stated values"
    picked = tables.split_power_frac(answers.plan_of(scenario), "proposed")
    return f"Cost alone would pick {share(picked)}: {price}"


def _take(key: str, path: str) -> None:
    if not state.echoed(key):
        state.change(path, state.typed(key))


def _take_mix(key: str) -> None:
    typed = state.typed(key)
    if state.echoed(key):
        return
    if typed in {None, AUTO}:
        state.change(MIX, AUTO)
    elif 0 <= typed <= 100:
        state.change(MIX, typed / 100)
    else:
        state.refuse(
            MIX,
            f"Fleet mix: {text.given(typed)} is refused; allowed is 0 to 100 %, or empty for auto.",
        )
