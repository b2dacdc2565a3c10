"""The reaper and a broker that forgets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from ethereal.pipeline.reap import reap
from ethereal.services import Services
from tests.builders import HandClock, MemoryQueue, add_job, make_services


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(tmp_path: Path, clock: HandClock) -> Services:
    return make_services(tmp_path, clock=clock)


def queue_of(services: Services) -> MemoryQueue:
    return cast(MemoryQueue, services.queue)


def test_a_broker_that_forgot_is_told_of_what_waits_at_once(services: Services, clock: HandClock) -> None:
    job = add_job(services)
    for _ in range(5):  # told so often that the next time would be far off
        clock.turn(timedelta(minutes=5))
        reap(services)
    queue = queue_of(services)
    queue.announced.clear()

    reap(services)
    assert queue.announced == []
    queue.forgot = True
    reap(services)

    assert [told.job_id for told in queue.announced] == [job.id]
    assert not queue.forgot


def test_what_was_announced_and_is_in_no_queue_is_announced_again(
    services: Services, clock: HandClock
) -> None:
    job = add_job(services)
    for _ in range(5):
        clock.turn(timedelta(minutes=5))
        reap(services)
    queue = queue_of(services)
    queue.announced.clear()
    clock.turn(timedelta(seconds=5))
    reap(services)
    assert queue.announced == [], "its message is on its way"
    queue.waits = False

    reap(services)

    assert [told.job_id for told in queue.announced] == [job.id]


def test_a_broker_that_is_away_is_asked_another_time(services: Services) -> None:
    add_job(services)
    queue = queue_of(services)
    queue.forgot = queue.away = True

    reap(services)

    assert queue.forgot
