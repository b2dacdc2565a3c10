"""What gunicorn is told beside the Procfile's line: `gunicorn web.wsgi:app --config python:web.server`."""

from __future__ import annotations

import signal
from threading import Thread
from types import FrameType
from typing import Any

from ethereal.leftovers import sweep_leftovers
from ethereal.settings import read_settings
from web.stopping import Stopping

_settings = read_settings()
_stop_seconds = _settings.stop_seconds

worker_class = "gthread"
logger_class = "web.server_log.ServerLines"
graceful_timeout = _stop_seconds + 2  # after which gunicorn kills: uploads were told before


def post_worker_init(worker: Any) -> None:
    """Remove what killed processes left, and let what never ends by itself hear that this one is to stop."""
    sweep_leftovers(_settings.scratch)
    stopping, heard = worker.wsgi.wsgi_app, signal.getsignal(signal.SIGTERM)
    if not isinstance(stopping, Stopping) or not callable(heard):
        raise TypeError("gunicorn runs something else than the web app")

    def stop(number: int, frame: FrameType | None) -> None:
        heard(number, frame)
        worker.method_queue.defer(worker.murder_keepalived, True)  # connections nobody asks anything on
        Thread(target=stopping.begin, args=(_stop_seconds,), daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
