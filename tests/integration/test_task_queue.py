"""The task queue on a real broker."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from celery import Celery

from ethereal.embedded.broker import open_broker
from ethereal.embedded.ports import hold_free_port
from ethereal.errors import BrokerUnavailableError
from ethereal.jobs.model import Announcement, JobId, StepKey, StepName
from tasks.queue import CeleryTaskQueue
from tests.standins.wire import open_wire


def test_it_knows_when_the_broker_lost_what_it_was_told(tmp_path: Path) -> None:
    with open_broker(tmp_path) as url, Celery(broker=url, set_as_current=False) as app:
        queue = CeleryTaskQueue(app)
        assert queue.has_forgotten(), "a broker that is new knows nothing"
        queue.remember()
        assert not queue.has_forgotten()
        with redis.Redis.from_url(url) as client:
            client.flushall()
        assert queue.has_forgotten()


def told(queue: CeleryTaskQueue) -> None:
    queue.announce([Announcement(JobId("a"), StepKey(StepName.PREVIEW_EDIT))])


def test_a_connection_that_was_reset_is_opened_anew_at_once(tmp_path: Path) -> None:
    with open_broker(tmp_path) as url, redis.Redis.from_url(url) as client:
        with open_wire(urlsplit(url).port or 0) as wire, app_of(wire.port) as app:
            queue = CeleryTaskQueue(app)
            told(queue)
            wire.reset()
            told(queue)

        lists = [key for key in client.keys("cpu*") if client.type(key) == b"list"]
        assert sum(client.llen(key) for key in lists) == 2


def test_it_knows_whether_any_message_waits(tmp_path: Path) -> None:
    with open_broker(tmp_path) as url, app_of(urlsplit(url).port or 0) as app:
        queue = CeleryTaskQueue(app)
        assert not queue.has_messages()
        told(queue)
        assert queue.has_messages()


def test_a_broker_that_is_away_is_given_up_at_once() -> None:
    with hold_free_port("127.0.0.1", 0) as nobody, open_wire(nobody) as wire, app_of(wire.port) as app:
        for _ in range(3):
            tries = wire.accepted
            with pytest.raises(BrokerUnavailableError):
                told(CeleryTaskQueue(app))
            assert wire.accepted <= tries + 2, "and once more, for it may have been a reset"


def app_of(port: int) -> Celery:
    app = Celery(broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)
    app.config_from_object("tasks.config")
    app.conf.broker_url = f"redis://127.0.0.1:{port}/0"
    return app


def test_nobody_knows_what_a_broker_knows_that_is_away(tmp_path: Path) -> None:
    with open_broker(tmp_path) as url:
        pass
    with (
        Celery(broker=url, set_as_current=False) as app,
        pytest.raises(BrokerUnavailableError),
    ):
        CeleryTaskQueue(app).has_forgotten()
