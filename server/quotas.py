"""How fast one user may go, so that nobody else has to wait for them."""

import threading
import time
from dataclasses import dataclass, field

MINUTE_S = 60.0
FORGET_S = 10 * MINUTE_S


@dataclass(slots=True)
class Pace:
    """A bucket for each user that refills at a steady rate; safe to use from threads.

    per_minute: how many steps a full bucket holds, and how many flow in each minute.
    """

    per_minute: int
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_s(self, user: str, now_s: float | None = None) -> float:
        """Take a step. Returns 0, or how long to wait for the next one [s]; none is taken then."""
        now_s = time.monotonic() if now_s is None else now_s
        with self._lock:
            self._forget(now_s)
            left, since = self._left.get(user, (float(self.per_minute), now_s))
            rate = self.per_minute / MINUTE_S
            left = min(self.per_minute, left + (now_s - since) * rate)
            if left < 1:
                return (1 - left) / rate
            self._left[user] = left - 1, now_s
            return 0.0

    def _forget(self, now_s: float) -> None:
        for user in [u for u, (_, since) in self._left.items() if now_s - since > FORGET_S]:
            del self._left[user]
