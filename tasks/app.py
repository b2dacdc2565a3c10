"""The Celery app, and the services of each of its processes."""

from __future__ import annotations

import os
from functools import lru_cache

from celery import Celery, Task
from celery.exceptions import Ignore
from celery.signals import setup_logging

from ethereal import log
from ethereal.blas import keep_blas_to_one_thread
from ethereal.bootstrap import build_services
from ethereal.services import Services
from ethereal.settings import read_settings
from tasks import kind

keep_blas_to_one_thread()  # what a worker computes with is imported by its tasks


class StepTask(Task):  # type: ignore[misc]  # Celery has no types
    """A task whose process is gone soon after it was revoked, whatever it does."""

    Request = "tasks.ending:EndingRequest"


app = Celery(
    "ethereal",
    include=["tasks.chain", "tasks.audio", "tasks.render", "tasks.reaper", "tasks.process", "tasks.ending"],
    task_cls=StepTask,
)
app.config_from_object("tasks.config")


#: What a process waits for the broker that has people waiting for it.
_SHORT = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}


def sending_app() -> Celery:
    """The app for a process that only sends: a step that a silent broker does not take is announced again."""
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, **_SHORT}
    return app


@setup_logging.connect
def set_up_log(**_: object) -> None:
    """In place of Celery's own set-up, in workers, in their children and in beat."""
    settings = read_settings()
    log.set_up(settings.log_format, settings.log_level)


def services() -> Services:
    """The services of this process: clients with threads are never shared across a fork."""
    return _services_of(os.getpid())


@lru_cache(maxsize=1)
def _services_of(pid: int) -> Services:
    from tasks.queue import CeleryTaskQueue  # the queue needs the app of this module

    return build_services(
        read_settings(), queue=CeleryTaskQueue(app), fingerprint=kind.fingerprint(), worker=kind.name()
    )


def close_services() -> None:
    """Close what this process opened, if it did."""
    if _services_of.cache_info().currsize:
        services().jobs.close()
        _services_of.cache_clear()


def proceed(done: bool) -> None:
    """Let the chain go on only when its step was done here."""
    if not done:
        raise Ignore
