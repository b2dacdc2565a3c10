"""Waiting for what other processes do; who waits in vain hears what they said last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

_TAIL = 1500


def until(
    condition: Callable[[], object],
    seconds: float = 150.0,
    *,
    logs: Iterable[Path] = (),
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Return once it holds. Raise TimeoutError, with the ends of the logs, when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s\n{ends_of(logs)}")
        pause(0.05)


def ends_of(logs: Iterable[Path]) -> str:
    """The last lines of each log that there is."""
    ends = {log.name: log.read_text(errors="replace")[-_TAIL:] for log in logs if log.exists()}
    return "\n".join(f"--- {name}\n{end}" for name, end in sorted(ends.items()))
