"""How stored steps become Celery messages. A step has one task id, so that anybody can revoke it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from celery import Celery, chain, signature
from celery.canvas import Signature
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from ethereal.errors import BrokerUnavailableError
from ethereal.jobs.model import Announcement, JobId, StepKey, StepName
from ethereal.jobs.turns import FIRST_LEVEL, LEVELS
from ethereal.services import ANSWERED_WITHIN
from tasks.queues import EXCHANGE, PLANS, queue_of, routes_among

logger = logging.getLogger(__name__)

#: What a broker that is away is known by.
_AWAY = (OperationalError, RedisError, OSError)
_AT_ONCE_SECONDS = 0.3
#: A key that goes when the broker loses what it holds.
_TOLD = "ethereal:told"

#: The steps that travel as one chain, in order.
CHAIN = (StepName.PREPARE_AUDIO, StepName.UPLOAD_R2, StepName.DISPATCH_MODAL)


class CeleryTaskQueue:
    """Announces steps on the broker of the Celery app. Never waits long: what fails is announced again."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def announce(self, steps: Sequence[Announcement]) -> None:
        try:
            for told in steps:
                self._announce(told)
        except _AWAY as error:
            raise BrokerUnavailableError(f"the broker does not answer: {error}") from error

    def _announce(self, told: Announcement) -> None:
        """A connection that was reset meanwhile is opened anew; what takes long is not tried again."""
        begun = time.monotonic()
        try:
            self._send(told)
        except _AWAY:
            if time.monotonic() - begun > _AT_ONCE_SECONDS:
                raise
            self._send(told)

    def _send(self, told: Announcement) -> None:
        where = {"queue": queue_of(told.route)} if told.route else {}
        with self._app.producer_or_acquire() as producer:
            producer.connection.ensure_connection(max_retries=0)  # by itself kombu tries for six seconds
            self._message(told).apply_async(producer=producer, retry=False, **where)

    def revoke(self, job_id: JobId, steps: Sequence[StepKey]) -> None:
        waiting = [StepKey(name) for name in CHAIN]
        ids = sorted({task_id(job_id, step) for step in [*steps, *waiting]})
        try:
            self._app.control.revoke(ids, terminate=True, signal="SIGTERM")
        except (OperationalError, RedisError, OSError) as error:
            logger.warning("job %s stops at its next beat, the broker is away: %s", job_id, error)

    def has_forgotten(self) -> bool:
        with self._channel() as channel:
            return not channel.client.exists(_TOLD)

    def has_messages(self) -> bool:
        with self._channel() as channel:
            queues = {queue for _, _, queue in channel.get_table(EXCHANGE.name)} - {"control"}
            return any(channel._size(queue) for queue in queues)

    def remember(self) -> None:
        with self._channel() as channel:
            channel.client.set(_TOLD, 1)

    def routes(self) -> frozenset[str]:
        return routes_among(set().union(*self._queues().values()))

    def listeners(self, route: str | None, *, patience: timedelta = ANSWERED_WITHIN) -> frozenset[str]:
        queue = PLANS if route is None else queue_of(route).name
        return frozenset(worker for worker, queues in self._queues(patience).items() if queue in queues)

    def ping(self) -> None:
        """Raise BrokerUnavailableError unless the broker answers."""
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=2)
        except (OperationalError, RedisError, OSError) as error:
            raise BrokerUnavailableError(f"the broker does not answer: {error}") from error

    def workers(self) -> Sequence[str]:
        """Names of the workers that answer within a second."""
        try:
            return [name for reply in self._app.control.ping(timeout=1) for name in reply]
        except (OperationalError, RedisError, OSError) as error:
            raise BrokerUnavailableError(f"the broker does not answer: {error}") from error

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        """The broker as the Redis it is, behind the names that kombu gives its lists."""
        try:
            with self._app.connection_or_acquire() as connection:
                connection.ensure_connection(max_retries=0)
                yield connection.default_channel
        except (OperationalError, RedisError, OSError) as error:
            raise BrokerUnavailableError(f"the broker does not answer: {error}") from error

    def _queues(self, patience: timedelta = ANSWERED_WITHIN) -> dict[str, set[str]]:
        """The queues each worker listens to, of those that answer in time."""
        try:
            listening = self._app.control.inspect(timeout=patience.total_seconds()).active_queues() or {}
        except (OperationalError, RedisError, OSError) as error:
            raise BrokerUnavailableError(f"the broker does not answer: {error}") from error
        return {worker: {queue["name"] for queue in queues} for worker, queues in listening.items()}

    def _message(self, told: Announcement) -> Signature:
        first = self._task(told.job_id, told.step, FIRST_LEVEL if told.turn else LEVELS[told.step.name])
        if told.step.name not in CHAIN:
            return first
        rest = CHAIN[CHAIN.index(told.step.name) + 1 :]
        return chain(first, *(self._task(told.job_id, StepKey(name), LEVELS[name]) for name in rest))

    def _task(self, job_id: JobId, step: StepKey, level: int) -> Signature:
        arguments = (job_id, step.index) if step in (step.first, step.second) else (job_id,)
        return signature(
            step.name.value,
            args=arguments,
            app=self._app,
            immutable=True,
            task_id=task_id(job_id, step),
            priority=level,
        )


def task_id(job_id: JobId, step: StepKey) -> str:
    return f"{job_id}.{step}"
