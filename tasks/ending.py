"""How running steps are made to end in time: that of a revoked task, and all of a worker that stops.

Python hears signals between two lines of its own: what is deep in a library's call has to be killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Sequence
from typing import Any

import psutil
from celery.signals import worker_shutting_down
from celery.worker import state
from celery.worker.request import Request

from ethereal.settings import read_settings

#: From a revoke to SIGKILL; the whole tree is gone within six seconds.
REVOKED_SECONDS = 4.5
_LAST_SECONDS = 2.0  # for Celery to see that its processes are gone
_stopping = threading.Event()


class EndingRequest(Request):  # type: ignore[misc]  # Celery has no types
    """Celery sends one signal and forgets the task; this one looks whether it was heard."""

    def terminate(self, pool: Any, signal: Any = None) -> None:
        pids = [self.worker_pid] if self.time_start else []  # else it has not begun, and never will
        heard = [process for pid in pids if (process := _process(pid))]
        super().terminate(pool, signal)
        if heard:
            killer = threading.Timer(REVOKED_SECONDS, kill_all, [heard])
            killer.daemon = True
            killer.start()


@worker_shutting_down.connect
def stop_in_time(how: str, **_: object) -> None:
    """Celery's warm shutdown takes no more work and waits for what runs; here it does not wait for ever."""
    if how == "Warm" and not _stopping.is_set():
        _stopping.set()
        threading.Thread(target=_end_what_runs, name="stop-in-time", daemon=True).start()


def _end_what_runs() -> None:
    """End what does nothing, let steps run for a while, then have them handed back, then kill."""
    settings = read_settings()
    busy = {request.worker_pid for request in list(state.active_requests)}
    _tell([process for process in psutil.Process().children() if process.pid not in busy])
    time.sleep(settings.stop_seconds)
    running = psutil.Process().children()
    _tell(running)
    time.sleep(settings.grace_seconds)
    kill_all(running)
    time.sleep(_LAST_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def _tell(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()


def kill_all(processes: Sequence[psutil.Process]) -> None:
    """Kill those of them that live, with their groups; who has their numbers now is left alone."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            if process.is_running() and os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
