"""How often somebody did something lately. A hint: when nobody can tell, nobody is held up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

MINUTE = 60


class Pace(Protocol):
    """Counts by the minute. Never raises when its server is away: then everything is the first time."""

    def count(self, name: str) -> int:
        """How often this was done since the minute began, this time included."""
        ...


class MemoryPace:
    """Counts for one process."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minute, self._counts = 0, dict[str, int]()

    def count(self, name: str) -> int:
        with self._lock:
            minute = int(self._clock()) // MINUTE
            if minute != self._minute:
                self._minute, self._counts = minute, {}
            self._counts[name] = self._counts.get(name, 0) + 1
            return self._counts[name]
