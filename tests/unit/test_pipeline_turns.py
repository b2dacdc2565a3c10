"""Fair order between clients: what is called when a step ends, and how urgent its message is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest

from ethereal.errors import SceneFailedError, StoreUnavailableError
from ethereal.jobs.model import Announcement, Job, JobId, JobType, StepKey, StepName
from ethereal.jobs.store import JobStore
from ethereal.jobs.turns import FIRST_LEVEL, LEVELS
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.turns import call_next, forget_turns
from ethereal.services import Services
from tasks.app import app
from tasks.queue import CeleryTaskQueue
from tasks.queues import PRIORITIES
from tests.builders import MemoryQueue, make_request, make_services
from tests.failing import Failing

PREPARE, UPLOAD = StepKey(StepName.PREPARE_AUDIO), StepKey(StepName.UPLOAD_R2)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


def add(services: Services, client: str) -> Job:
    now = services.clock()
    job = Job(
        id=JobId(str(uuid4())),
        type=JobType.RENDER,
        request=make_request(),
        created_at=now,
        updated_at=now,
        client=client,
    )
    return services.jobs.add(job, PREPARE)


def told(services: Services) -> list[Announcement]:
    return cast(MemoryQueue, services.queue).announced


def commit(attempt: Attempt) -> None:
    attempt.commit([UPLOAD])


def fail(attempt: Attempt) -> None:
    raise SceneFailedError("it did not draw")


@pytest.mark.parametrize("work", [commit, fail])
def test_who_ends_a_step_calls_the_next_one_in_turn(services: Services, work: object) -> None:
    first, _, short = add(services, "ann"), add(services, "ann"), add(services, "bob")

    run_step(services, first.id, PREPARE, work)  # type: ignore[arg-type]

    assert told(services) == [Announcement(short.id, PREPARE, turn=True)]


def test_nobody_is_called_while_one_client_is_alone(services: Services) -> None:
    first = add(services, "ann")
    add(services, "ann")

    run_step(services, first.id, PREPARE, commit)

    assert told(services) == []
    forget_turns(services)


def test_a_store_that_is_away_costs_the_turn_and_nothing_else(services: Services) -> None:
    away = Failing(services.jobs, [1], lambda: StoreUnavailableError("away"), after=False)
    gone = replace(services, jobs=cast(JobStore, away))

    call_next(gone, PREPARE)

    assert told(services) == []


def test_a_message_is_as_urgent_as_its_step_and_first_on_its_turn() -> None:
    queue, job = CeleryTaskQueue(app), JobId("j")
    for name in StepName:
        [usual] = _first(queue, Announcement(job, StepKey(name)))
        [called] = _first(queue, Announcement(job, StepKey(name), turn=True))
        assert (usual, called) == (LEVELS[name], FIRST_LEVEL)

    chained = queue._message(Announcement(job, PREPARE, turn=True)).tasks
    assert [task.options["priority"] for task in chained] == [
        FIRST_LEVEL,
        LEVELS[StepName.UPLOAD_R2],
        LEVELS[StepName.DISPATCH_MODAL],
    ]
    assert PRIORITIES[0] == FIRST_LEVEL
    assert set(LEVELS.values()) <= set(PRIORITIES[1:])


def _first(queue: CeleryTaskQueue, announcement: Announcement) -> list[int]:
    message = queue._message(announcement)
    return [task.options["priority"] for task in getattr(message, "tasks", [message])[:1]]
