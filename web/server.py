"""What gunicorn is told beside the Procfile's line: `gunicorn web.wsgi:app --config python:web.server`."""

from __future__ import annotations

import signal
from threading import Thread
from types import FrameType
from typing import Any

from ethereal.settings import read_settings
from web.stopping import Stopping

_stop_seconds = read_settings().stop_seconds

worker_class = "gthread"
logger_class = "web.server_log.ServerLines"
graceful_timeout = _stop_seconds + 2  # after which gunicorn kills: uploads were told before


def post_worker_init(worker: Any) -> None:
    """Let what never ends by itself hear that this process is to stop."""
    stopping, heard = worker.wsgi.wsgi_app, signal.getsignal(signal.SIGTERM)
    if not isinstance(stopping, Stopping) or not callable(heard):
        raise TypeError("gunicorn runs something else than the web app")

    def stop(number: int, frame: FrameType | None) -> None:
        heard(number, frame)
        worker.method_queue.defer(worker.murder_keepalived, True)  # connections nobody asks anything on
        Thread(target=stopping.begin, args=(_stop_seconds,), daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
