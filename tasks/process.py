"""What each worker process sets up: typed time limits, quick slots, a consumer that always hears."""

from __future__ import annotations

import os
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

from billiard import pool as billiard_pool
from celery.concurrency.asynpool import AsynPool
from celery.signals import celeryd_after_setup, worker_process_init, worker_process_shutdown
from kombu.connection import Connection
from kombu.transport import redis as kombu_redis
from redis.exceptions import ConnectionError as RedisConnectionError

from ethereal.errors import TimeLimitError
from ethereal.leftovers import sweep_leftovers
from ethereal.settings import read_settings
from tasks import kind
from tasks.app import close_services
from tasks.queues import queue_of

# A child that died is replaced after this many seconds; Celery's own five leave a slot idle.
AsynPool.timers = property(lambda self: {self.maintain_pool: 0.25})

_connection_parameters = kombu_redis.Channel._connparams


def _parameters(self: Any, asynchronous: bool = False) -> Any:
    """A closed transport is a lost connection; kombu 5.7 raises AttributeError there and hangs."""
    if self.connection is None or getattr(self.connection, "client", None) is None:
        raise RedisConnectionError("the transport is closed")
    return _connection_parameters(self, asynchronous=asynchronous)


kombu_redis.Channel._connparams = _parameters  # type: ignore[method-assign]


class _Credit(kombu_redis.QoS):
    """What was answered takes no room; kombu lets it, for ever, where the broker could not be told.

    A worker that takes one message at a time was deaf from then on. What the broker was not told it delivers
    again after the visibility timeout, and the claim refuses it.
    """

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        finally:
            self._quick_ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue)
        finally:
            self._quick_ack(delivery_tag)


kombu_redis.Channel.QoS = _Credit

_ensure_connection = Connection._ensure_connection


def _ensure_soon(
    self: Any,
    errback: Any = None,
    max_retries: int | None = None,
    interval_start: float = 0.2,
    interval_step: float = 0.2,
    interval_max: float = 1.0,
    **more: Any,
) -> Any:
    """Look for a broker that is away once a second; kombu's own waits grow to half a minute."""
    intervals = (interval_start, interval_step, interval_max)
    return _ensure_connection(self, errback, max_retries, *intervals, **more)


Connection._ensure_connection = _ensure_soon  # type: ignore[method-assign, assignment]


@celeryd_after_setup.connect
def learn_the_name(sender: str, **_: object) -> None:
    """Failures are remembered by worker, not by process: what is sick is most often the machine."""
    kind.call_it(sender)


@celeryd_after_setup.connect
def import_steps(sender: str, instance: Any, **_: object) -> None:
    """A worker of steps imports them once, before it forks, so that no first task waits for that."""
    if {"cpu", "render"} & set(instance.app.amqp.queues.consume_from):
        import_module("ethereal.pipeline.prepare")
        import_module("ethereal.pipeline.ingest")
        import_module("ethereal.pipeline.second_run")


@celeryd_after_setup.connect
def listen_to_own_kind(sender: str, instance: Any, **_: object) -> None:
    """A worker that renders learns what it draws, and takes the chunks of plans that were drawn so."""
    queues = instance.app.amqp.queues
    if "render" in queues.consume_from:
        kind.learn()
        queues.select_add(queue_of(str(kind.route())))


@celeryd_after_setup.connect
@worker_process_init.connect
def remove_leftovers(**_: object) -> None:
    """A process is most often in the place of one that was killed: what that left goes at once."""
    sweep_leftovers(read_settings().scratch)


@worker_process_init.connect
def set_up(**_: object) -> None:
    os.setpgid(0, 0)  # a hard time limit then ends the whole group


@worker_process_shutdown.connect
def tear_down(**_: object) -> None:
    close_services()


def _time_is_up(signum: int, frame: FrameType | None) -> NoReturn:
    """What a soft limit raises: an error that steps know how to end with."""
    raise TimeLimitError("this step ran longer than it may")


billiard_pool.soft_timeout_sighandler = _time_is_up  # set by each child after all signals of Celery's
