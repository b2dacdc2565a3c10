"""Ends a browser: at once, since nothing on its profile is worth saving."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import psutil

_DEAD_SECONDS = 5.0
_POLL_SECONDS = 0.005


def kill_browser(user_data: Path) -> None:
    """Kill every process of the browser on this profile and wait until they run no more."""
    flag = f"--user-data-dir={user_data}"
    left = [
        process for process in psutil.process_iter(["cmdline"]) if flag in (process.info["cmdline"] or ())
    ]
    family = [*left, *(child for process in left for child in _children(process))]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + _DEAD_SECONDS
    while time.monotonic() < deadline and not all(map(_is_dead, family)):
        time.sleep(_POLL_SECONDS)


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []


def _is_dead(process: psutil.Process) -> bool:
    """A zombie is dead: whoever inherited it may take seconds to collect it, or never do."""
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True
