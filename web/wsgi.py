"""Where a WSGI server finds the app: `web.wsgi:app`. Nothing is opened before it is asked for."""

from __future__ import annotations

from functools import cache

from flask import Flask

from ethereal import log
from ethereal.bootstrap import build_services, open_pace, readiness_checks, signing_secret
from ethereal.errors import UnavailableError
from ethereal.settings import read_settings
from tasks.app import sending_app
from tasks.queue import CeleryTaskQueue
from web import create_app


@cache
def make_app() -> Flask:
    """The app on the services that the environment names, one for each process."""
    settings = read_settings()
    log.set_up(settings.log_format, settings.log_level)
    queue = CeleryTaskQueue(sending_app())
    services = build_services(settings, queue=queue)
    checks = readiness_checks(services, queue.ping) | {"worker": lambda: _check_workers(queue)}
    secret, pace = signing_secret(settings), open_pace(settings)
    return create_app(services, settings, secret=secret, checks=checks, pace=pace)


def _check_workers(queue: CeleryTaskQueue) -> None:
    if not queue.workers():
        raise UnavailableError("no worker answers")


def __getattr__(name: str) -> Flask:
    if name == "app":
        return make_app()
    raise AttributeError(name)
