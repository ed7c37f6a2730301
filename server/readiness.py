"""Whether this process can serve: its store answers."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from planner import Store, StoreError
from server import counts

KEPT_S = 1.0


@dataclass(slots=True)
class Readiness:
    """Asks the store at most once a second, however often it is asked itself."""

    open_store: Callable[[], Store]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asked_s: float = float("-inf")
    _answers: bool = False

    async def respond(self, _request: Request) -> JSONResponse:
        """200 while the store answers, else 503."""
        answers = await run_in_threadpool(self.answers)
        return JSONResponse({"store": "ready" if answers else "away"}, 200 if answers else 503)

    def answers(self) -> bool:
        """Whether the store answered when it was last asked."""
        with self._lock:
            if time.monotonic() - self._asked_s >= KEPT_S:
                self._answers = self._ask()
                self._asked_s = time.monotonic()
                counts.STORE.set(self._answers)
            return self._answers

    def _ask(self) -> bool:
        try:
            self.open_store().require_answer()
        except StoreError:
            return False
        return True
