"""What one browser holds: its scenario, what was refused, and the link.

The only module that touches the session and the address. A link starts a session; from then on the
scenario here is the truth, every widget shows it, and the address repeats it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from planner import Scenario, ScenarioError

SCENARIO, PROBLEMS = "scenario", "problems"
LINK = "link"


def scenario() -> Scenario:
    """The scenario of this session; the first call reads it from the link."""
    if SCENARIO not in st.session_state:
        st.session_state[SCENARIO] = _of_link(st.query_params.to_dict())
    held: Scenario = st.session_state[SCENARIO]
    return held


def baseline() -> Scenario:
    """The starting scenario of the same profile: what changes are measured against."""
    return Scenario(profile=scenario().profile)


def publish() -> None:
    """Let the address repeat the scenario, so that it can be copied, reloaded and shared."""
    query = scenario().to_query()
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def problems() -> tuple[str, ...]:
    """A sentence per value that was refused and has not been corrected since."""
    return tuple(line for lines in _refused().values() for line in lines)


def forget_problems() -> None:
    """The reader has seen what was refused; boxes show the scenario again."""
    st.session_state[PROBLEMS] = {}


def begin(start: Scenario) -> None:
    """Replace the whole scenario."""
    st.session_state[SCENARIO] = start
    forget_problems()


def reset() -> None:
    """Back to the starting scenario of the profile."""
    begin(baseline())


def open_profile(profile: str) -> None:
    """Start afresh from another profile."""
    begin(Scenario(profile=profile))


def change(path: str, value: Any) -> None:
    """Set a field by its dotted path; if refused, the scenario stays and the reader is told why."""
    document = scenario().model_dump()
    _put(document, path, value)
    try:
        changed = Scenario.read(document)
    except ScenarioError as error:
        refuse(path, *error.problems)
        return
    _refused().pop(path, None)
    st.session_state[SCENARIO] = changed


def refuse(path: str, *sentences: str) -> None:
    """Remember why a value was refused; its widget keeps what was typed."""
    _refused()[path] = sentences


def typed(key: str) -> Any:
    """What a widget holds now."""
    return st.session_state.get(key)


def show(key: str, path: str, value: Any) -> str:
    """Let a widget show a field of the scenario, unless what was typed there was refused."""
    if path not in _refused() or key not in st.session_state:
        st.session_state[key] = value
    return key


def once(key: str, make: Callable[[], Any]) -> Any:
    """A value that this session keeps, such as the log it looks at."""
    if key not in st.session_state:
        st.session_state[key] = make()
    return st.session_state[key]


def keep(key: str, value: Any) -> None:
    """Replace a value that this session keeps."""
    st.session_state[key] = value


def _refused() -> dict[str, tuple[str, ...]]:
    refused: dict[str, tuple[str, ...]] = st.session_state.setdefault(PROBLEMS, {})
    return refused


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


def _put(document: Any, path: str, value: Any) -> None:
    *branches, leaf = (int(part) if part.isdigit() else part for part in path.split("."))
    for branch in branches:
        document = document[branch] = _open(document[branch])
    document[leaf] = value


def _open(branch: Any) -> Any:
    """A branch that can be written to; the classes of a scenario come as a tuple."""
    return list(branch) if isinstance(branch, tuple) else branch
