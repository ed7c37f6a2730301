"""A reader's step runs to its end, though the next one is already asked for.

Streamlit looks for the next request whenever a script looks at its session, in the middle of a
callback too. The run ends there, and what the callback had yet to keep would be lost: an audit
taken over, then Brief pressed half a second later, printed the workload of before.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from streamlit.runtime.state.safe_session_state import SafeSessionState


@cache
def run_whole() -> None:
    """From now on requests wait until the callbacks of the one before are done."""
    SafeSessionState.on_script_will_rerun = _whole(  # type: ignore[method-assign]
        SafeSessionState.on_script_will_rerun
    )


def _whole(run: Callable[..., None]) -> Callable[..., None]:
    @wraps(run)
    def whole(session: SafeSessionState, *args: Any, **kwargs: Any) -> None:
        ended = session._yield_callback  # noqa: SLF001 nothing public says "not now"
        object.__setattr__(session, "_yield_callback", _later)
        try:
            run(session, *args, **kwargs)
        finally:
            object.__setattr__(session, "_yield_callback", ended)

    return whole


def _later() -> None:
    """The request is looked at again right after the callbacks."""
