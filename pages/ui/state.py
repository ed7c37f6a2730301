"""What one browser holds: its scenario, the steps that led there, what was refused, and the link.

The only module that touches the session and the address. A link, else the reader's draft, starts a
session; from then on the scenario here is the truth, every widget shows it, the address repeats it
and every step is kept as the draft.
"""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages.ui import editing, keeping
from pages.ui.keeping import Opened
from planner import Scenario, ScenarioError, StoreError, SwitchyardError

SCENARIO, PROBLEMS, OPENED = "scenario", "problems", "opened"
PAST, FUTURE = "past", "future"
KEPT, AWAY, RESUMED = "kept draft", "store away", "resumed"
LINK, ID = "link", "s"
REPLACED, TURN = "widgets replaced", "~"
STEPS = 100
PLACES = ("tab", "embed", "embed_options")
"""Parts of an address that say nothing about a scenario."""


def scenario() -> Scenario:
    """The scenario of this session; the first call reads the link, or the reader's draft."""
    if SCENARIO not in st.session_state:
        given = {k: v for k, v in st.query_params.to_dict().items() if k not in PLACES}
        st.session_state[SCENARIO] = _first(given)
    held: Scenario = st.session_state[SCENARIO]
    return held


def baseline() -> Scenario:
    """What changes are measured against: the opened version, else the profile's start."""
    held = opened()
    mine = scenario()
    if held is None:
        return Scenario(profile=mine.profile)
    return once(f"read {held.saved.content_hash}", lambda: keeping.read(held.saved, held.link))


def opened() -> Opened | None:
    """The saved version that this session works from."""
    return st.session_state.get(OPENED)


def publish() -> None:
    """Let the address repeat the scenario, and keep it as the draft."""
    held, now = opened(), scenario()
    query = now.to_query()
    if held and held.link and now == baseline():
        query = {ID: held.link}
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
    _keep(now, held)


def away() -> str:
    """Why nothing can be kept at the moment; "" while all is well."""
    return str(st.session_state.get(AWAY, ""))


def resumed() -> bool:
    """Whether this session went on from a draft."""
    return bool(st.session_state.get(RESUMED))


def problems() -> tuple[str, ...]:
    """A sentence per value that was refused and has not been corrected since."""
    return tuple(line for lines in _refused().values() for line in lines)


def forget_problems() -> None:
    """The reader has seen what was refused; boxes show the scenario again."""
    st.session_state[PROBLEMS] = {}


def begin(start: Scenario, held: Opened | None = None) -> None:
    """Replace the whole scenario; a step that can be undone."""
    _step(start)
    st.session_state[OPENED] = held
    st.session_state[RESUMED] = False
    forget_problems()


def reset() -> None:
    """Back to what changes are measured against."""
    begin(baseline(), opened())


def open_profile(profile: str) -> None:
    """Start afresh from another profile."""
    begin(Scenario.read({"profile": profile}, scenario().catalog))


def open_saved(held: Opened) -> None:
    """Work from a saved version."""
    try:
        begin(keeping.read(held.saved, held.link), held)
    except SwitchyardError as error:
        refuse(LINK, str(error))


def saved(held: Opened) -> None:
    """The scenario was kept as this version."""
    st.session_state[OPENED] = held


def undo() -> None:
    """Back to the step before, exactly."""
    _travel(PAST, FUTURE)


def redo() -> None:
    """Forward again, exactly."""
    _travel(FUTURE, PAST)


def can_undo() -> bool:
    """Whether there is a step before."""
    return bool(st.session_state.get(PAST))


def can_redo() -> bool:
    """Whether a step was undone."""
    return bool(st.session_state.get(FUTURE))


def change(path: str, value: Any) -> None:
    """Set a field by its dotted path; if refused, the scenario stays and the reader is told why."""
    document = scenario().model_dump()
    editing.put(document, path, value)
    try:
        changed = Scenario.read(document, scenario().catalog)
    except ScenarioError as error:
        refuse(path, *error.problems)
        return
    _refused().pop(path, None)
    _step(changed)


def add_part(group: str, index: int) -> None:
    """One more class or owned chip."""
    rows = scenario().model_dump()[group]
    change(group, [*rows, editing.another(scenario(), group, index)])


def drop_part(group: str, index: int) -> None:
    """One class or owned chip less."""
    rows = list(scenario().model_dump()[group])
    change(group, rows[:index] + rows[index + 1 :])


def refuse(path: str, *sentences: str) -> None:
    """Remember why a value was refused; its widget keeps what was typed."""
    _refused()[path] = sentences


def typed(key: str) -> Any:
    """What a widget holds now."""
    return st.session_state.get(key)


def show(key: str, path: str, value: Any) -> str:
    """The key of the widget that shows a field, unless what was typed there was refused.

    A widget that showed something else is replaced, not overwritten: what it showed may still be
    on its way from the browser, with a press of another button, and would count as typed.
    """
    turns: list[Any] = once(REPLACED, dict).setdefault(key, [])
    now = _turn(key, len(turns))
    if now in st.session_state:
        if path in _refused():
            return now
        held = st.session_state[now]
        if not editing.same(held, value):
            now = _turn(key, len(turns) + 1)
            st.session_state[now] = value
            turns.append(held)
    # Told in every run: a browser that forgot the widget would start it at its low end.
    st.session_state[now] = value
    return now


def echoed(key: str) -> bool:
    """Whether a widget that was replaced says no more than what it showed then."""
    name, _, turn = key.partition(TURN)
    turns = once(REPLACED, dict).get(name, [])
    shown = turns[int(turn or 0) :][:1]
    return bool(shown) and (typed(key) is None or editing.same(typed(key), shown[0]))


def _turn(key: str, turn: int) -> str:
    return f"{key}{TURN}{turn}" if turn else key


def once(key: str, make: Callable[[], Any]) -> Any:
    """A value that this session keeps, such as the log it looks at."""
    if key not in st.session_state:
        st.session_state[key] = make()
    return st.session_state[key]


def keep(key: str, value: Any) -> None:
    """Replace a value that this session keeps."""
    st.session_state[key] = value


def _step(changed: Scenario) -> None:
    """A new scenario, with the one before to go back to."""
    before = scenario()
    if changed != before:
        st.session_state[PAST] = [*st.session_state.get(PAST, []), (before, opened())][-STEPS:]
        st.session_state[FUTURE] = []
        st.session_state[SCENARIO] = changed


def _travel(source: str, other: str) -> None:
    held = list(st.session_state.get(source, []))
    if held:
        st.session_state[other] = [*st.session_state.get(other, []), (scenario(), opened())]
        st.session_state[SCENARIO], st.session_state[OPENED] = held.pop()
        st.session_state[source] = held
        forget_problems()


def _keep(now: Scenario, held: Opened | None) -> None:
    """Keep the draft whenever it moved; where that fails, say so and go on."""
    mark = (now, held and held.saved.content_hash)
    if st.session_state.get(KEPT) == mark and not away():
        return
    try:
        keeping.keep_draft(now, held)
    except StoreError as error:
        st.session_state[AWAY] = str(error)
    else:
        st.session_state[AWAY] = ""
        st.session_state[KEPT] = mark


def _refused() -> dict[str, tuple[str, ...]]:
    refused: dict[str, tuple[str, ...]] = st.session_state.setdefault(PROBLEMS, {})
    return refused


def _first(query: Mapping[str, str]) -> Scenario:
    """What a session starts with: a shared version, the fields of a link, or the draft."""
    if ID in query:
        return _shared(query[ID])
    try:
        held = keeping.draft()
    except SwitchyardError as error:
        if not query:
            refuse(LINK, str(error))
        held = None
    # An address cannot say which own facts it rests on; the draft that it repeats can.
    if query and not (held and keeping.pinned(held[1]) and held[1].to_query() == query):
        return _of_link(query)
    if held is None:
        return Scenario()
    st.session_state[OPENED], found = held
    st.session_state[RESUMED] = found != Scenario() and not query
    return found


def _shared(link: str) -> Scenario:
    try:
        st.session_state[OPENED], found = keeping.through(link)
    except SwitchyardError as error:
        start = Scenario()
        refuse(LINK, f"{error} This is {start.name} instead.")
        return start
    return found


def _of_link(query: Mapping[str, str]) -> Scenario:
    """The scenario of a link: what is refused is told, the rest is kept."""
    try:
        return Scenario.from_query(query)
    except ScenarioError as error:
        refuse(LINK, *error.problems)
        accepted = error.accepted
    try:
        return Scenario.read(accepted)
    except ScenarioError:
        start = Scenario()
        refuse(LINK, *problems(), f"No other value of the link is used; this is {start.name}.")
        return start
