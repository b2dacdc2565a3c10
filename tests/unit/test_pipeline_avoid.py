"""A worker that fails a job's steps leaves them to others, and never starves a farm of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ethereal.errors import (
    BrowserCrashedError,
    EtherealError,
    RendererMismatchError,
    StorageUnavailableError,
)
from ethereal.jobs.model import Announcement, Job, Step, StepKey, StepName, StepStatus
from ethereal.pipeline import render
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.avoid import avoided_workers, leave_to_others
from ethereal.services import ANSWERED_WITHIN, Services
from tests.builders import HandClock, MemoryQueue
from tests.farms import CHUNKS, PLAN, make_farm, plan_job, prepare_job

KEYS = [StepKey(StepName.RENDER_CHUNK, index) for index in range(CHUNKS)]
A_WHILE = timedelta(seconds=31)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def sick(tmp_path: Path, clock: HandClock) -> Services:
    services = make_farm(tmp_path, clock, worker="sick")
    queue_of(services).workers = frozenset({"sick", "well"})
    return services


@pytest.fixture
def well(sick: Services) -> Services:
    return replace(sick, worker="well")


@pytest.fixture
def job(sick: Services, tmp_path: Path) -> Job:
    return plan_job(sick, tmp_path)


def queue_of(services: Services) -> MemoryQueue:
    assert isinstance(services.queue, MemoryQueue)
    return services.queue


def failing(error: BaseException) -> Callable[[Attempt], None]:
    def work(attempt: Attempt) -> None:
        raise error

    return work


def fail(services: Services, job: Job, key: StepKey, error: Exception | None = None) -> None:
    """The worker fails a chunk, whose time comes again at once."""
    assert not run_step(services, job.id, key, failing(error or BrowserCrashedError("gone")))
    clock = services.clock
    assert isinstance(clock, HandClock)
    clock.turn(timedelta(seconds=11))


def step_of(services: Services, job: Job, key: StepKey) -> Step:
    return next(step for step in services.jobs.steps(job.id) if step.key == key)


def test_a_step_that_a_worker_failed_is_left_to_another_at_no_cost(
    sick: Services, well: Services, job: Job
) -> None:
    fail(sick, job, KEYS[0], RendererMismatchError("other pixels"))
    before = step_of(sick, job, KEYS[0])

    assert not render.draw_chunk(sick, job.id, 0)
    assert step_of(sick, job, KEYS[0]) == before
    assert queue_of(sick).announced[-1] == Announcement(job.id, KEYS[0], "aa")
    assert render.draw_chunk(well, job.id, 0)


def test_a_plan_is_left_to_another_too_of_any_kind(sick: Services, well: Services, tmp_path: Path) -> None:
    job = prepare_job(sick, tmp_path)
    fail(sick, job, PLAN)
    before = step_of(sick, job, PLAN)

    assert not render.plan(sick, job.id)
    assert step_of(sick, job, PLAN) == before
    assert queue_of(sick).announced[-1] == Announcement(job.id, PLAN, None)
    assert queue_of(sick).asked == [(None, ANSWERED_WITHIN)]
    assert render.plan(well, job.id)


def test_the_last_try_is_kept_for_another_however_long_it_is_busy(
    sick: Services, well: Services, job: Job, clock: HandClock
) -> None:
    for _ in range(sick.limits.max_attempts - 1):
        clock.turn(A_WHILE)
        assert not leave_to_others(sick, job.id, KEYS[0]), "so long nobody else was at the job"
        fail(sick, job, KEYS[0])

    clock.turn(10 * A_WHILE)
    assert leave_to_others(sick, job.id, KEYS[0])
    assert queue_of(sick).asked[-1][1] > ANSWERED_WITHIN, "who is that busy may answer late"
    assert render.draw_chunk(well, job.id, 0)


def test_a_worker_that_failed_twice_leaves_the_rest_of_the_job_to_others(
    sick: Services, well: Services, job: Job
) -> None:
    fail(sick, job, KEYS[0])
    assert render.draw_chunk(sick, job.id, 1), "one failure may be the chunk's"
    fail(sick, job, KEYS[0])

    assert not render.draw_chunk(sick, job.id, 2)
    assert avoided_workers(sick.jobs.steps(job.id)) == ["sick"]
    assert render.draw_chunk(well, job.id, 2)


@pytest.mark.parametrize("listening", [frozenset[str](), frozenset({"sick"})])
def test_a_farm_of_one_goes_on(sick: Services, job: Job, listening: frozenset[str]) -> None:
    queue_of(sick).workers = listening
    fail(sick, job, KEYS[0])
    fail(sick, job, KEYS[0])

    assert all(render.draw_chunk(sick, job.id, index) for index in range(CHUNKS))


def test_nobody_is_avoided_where_everybody_failed(sick: Services, well: Services, job: Job) -> None:
    for services in (sick, well):
        fail(services, job, KEYS[0])

    assert render.draw_chunk(sick, job.id, 0)


def test_a_step_that_nobody_else_takes_for_long_is_taken_after_all(
    sick: Services, job: Job, clock: HandClock
) -> None:
    fail(sick, job, KEYS[0])
    assert leave_to_others(sick, job.id, KEYS[0])
    clock.turn(A_WHILE)
    assert render.draw_chunk(sick, job.id, 0)


def test_it_is_left_for_as_long_as_others_are_at_work_on_the_job(
    sick: Services, well: Services, job: Job, clock: HandClock
) -> None:
    fail(sick, job, KEYS[0])

    def work(attempt: Attempt) -> None:
        clock.turn(A_WHILE)
        assert leave_to_others(sick, job.id, KEYS[0])
        attempt.commit()

    assert run_step(well, job.id, KEYS[1], work)
    assert leave_to_others(sick, job.id, KEYS[0]), "they were a moment ago"
    clock.turn(A_WHILE)
    assert not leave_to_others(sick, job.id, KEYS[0])


@pytest.mark.parametrize(
    ("error", "blamed"),
    [
        (StorageUnavailableError("away"), 0),
        (SystemExit(1), 0),
        (BrowserCrashedError("gone"), 1),
        (RuntimeError("a bug"), 1),
    ],
)
def test_a_failure_counts_against_the_worker_when_it_may_be_its_own(
    sick: Services, job: Job, error: EtherealError, blamed: int
) -> None:
    if isinstance(error, SystemExit):
        with pytest.raises(SystemExit):
            run_step(sick, job.id, KEYS[0], failing(error))
    else:
        assert not run_step(sick, job.id, KEYS[0], failing(error))

    assert step_of(sick, job, KEYS[0]).status is StepStatus.WAITING
    assert sick.jobs.failures(job.id, "sick") == blamed
