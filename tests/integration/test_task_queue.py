"""The task queue on a real broker."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from celery import Celery

from ethereal.embedded.broker import open_broker
from ethereal.errors import BrokerUnavailableError
from tasks.queue import CeleryTaskQueue


def test_it_knows_when_the_broker_lost_what_it_was_told(tmp_path: Path) -> None:
    with open_broker(tmp_path) as url, Celery(broker=url, set_as_current=False) as app:
        queue = CeleryTaskQueue(app)
        assert queue.has_forgotten(), "a broker that is new knows nothing"
        queue.remember()
        assert not queue.has_forgotten()
        with redis.Redis.from_url(url) as client:
            client.flushall()
        assert queue.has_forgotten()


def test_nobody_knows_what_a_broker_knows_that_is_away(tmp_path: Path) -> None:
    with open_broker(tmp_path) as url:
        pass
    with (
        Celery(broker=url, set_as_current=False) as app,
        pytest.raises(BrokerUnavailableError),
    ):
        CeleryTaskQueue(app).has_forgotten()
