"""Steps that are made to end: what they put too late is removed, and their jobs say why they ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ethereal.errors import BrowserCrashedError, TimeLimitError
from ethereal.jobs.model import Job, JobStatus, StepKey, StepName
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.cancel import cancel, delete
from ethereal.pipeline.reap import reap
from ethereal.pipeline.retention import sweep_ended
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey
from tests.builders import HandClock, add_job, make_services

PREPARE = StepKey(StepName.PREPARE_AUDIO)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(tmp_path: Path, clock: HandClock) -> Services:
    return make_services(tmp_path, clock=clock)


def put_late(services: Services, job: Job, folder: Path) -> None:
    (folder / "late").write_text("late")
    services.objects.put(keys.render_audio(job.id), folder / "late")


def objects_of(services: Services) -> list[str]:
    return [facts.key for facts in services.objects.list(StorageKey(""))]


def called_off(services: Services, job: Job) -> None:
    cancel(services, job.id)


def forgotten(services: Services, job: Job) -> None:
    cancel(services, job.id)
    delete(services, job.id)


def by_beat(attempt: Attempt) -> None:
    attempt.beat("preparing", 0, 100)(0.5)


def by_signal(attempt: Attempt) -> None:
    raise SystemExit


def by_failing(attempt: Attempt) -> None:
    raise RuntimeError


@pytest.mark.parametrize("ended", [called_off, forgotten])
@pytest.mark.parametrize("stopped", [by_beat, by_signal, by_failing])
def test_what_a_step_puts_after_its_job_has_ended_is_removed_by_the_step(
    services: Services, ended: Callable[[Services, Job], None], stopped: Callable[[Attempt], None]
) -> None:
    job = add_job(services)

    def work(attempt: Attempt) -> None:
        ended(services, job)
        put_late(services, job, attempt.folder)
        stopped(attempt)

    with suppress(SystemExit):
        assert not run_step(services, job.id, PREPARE, work)

    assert objects_of(services) == []
    assert list(services.scratch.iterdir()) == []


def test_what_a_killed_step_had_put_too_late_is_swept(services: Services, tmp_path: Path) -> None:
    gone, lives = add_job(services), add_job(services)
    cancel(services, gone.id)
    for job in (gone, lives):
        put_late(services, job, tmp_path)

    assert sweep_ended(services) == 1
    assert objects_of(services) == [keys.render_audio(lives.id)]


def test_a_step_whose_time_is_up_fails_its_job_for_good(services: Services) -> None:
    job = add_job(services)

    def work(attempt: Attempt) -> None:
        raise TimeLimitError("this step ran longer than it may")

    assert not run_step(services, job.id, PREPARE, work)
    assert code_of(services, job) == "TIME_LIMIT"


def test_one_that_hears_of_it_only_when_it_is_killed_is_not_handed_back(
    services: Services, clock: HandClock
) -> None:
    job = add_job(services)

    def work(attempt: Attempt) -> None:
        limit = services.limits.time_for(PREPARE.name)
        while clock() < job.created_at + limit:
            clock.turn(timedelta(seconds=30))
            attempt.beat("preparing", 0, 100)(0.5)
        raise SystemExit

    with pytest.raises(SystemExit):
        run_step(services, job.id, PREPARE, work)
    assert code_of(services, job) == "TIME_LIMIT"


def test_one_that_was_killed_without_a_word_is_failed_by_the_reaper(
    services: Services, clock: HandClock
) -> None:
    job = add_job(services)
    limits = services.limits
    claim = services.jobs.claim(
        job.id, PREPARE, owner="a", now=clock(), lease=limits.lease, time_limit=limits.step + limits.grace
    )
    while clock() < job.created_at + limits.step:
        clock.turn(limits.lease / 2)
        services.jobs.renew(claim.lease, now=clock(), lease=limits.lease)
    clock.turn(limits.grace)

    assert reap(services).failed == 1
    assert code_of(services, job) == "TIME_LIMIT"


def test_a_step_that_was_handed_back_often_is_tried_as_often_as_any_other(
    services: Services, clock: HandClock
) -> None:
    job = add_job(services)

    def stopped(attempt: Attempt) -> None:
        raise SystemExit

    def crashed(attempt: Attempt) -> None:
        raise BrowserCrashedError("gone")

    for _ in range(5):
        with pytest.raises(SystemExit):
            run_step(services, job.id, PREPARE, stopped)
    for status in (JobStatus.PENDING, JobStatus.PENDING, JobStatus.FAILED):
        run_step(services, job.id, PREPARE, crashed)
        assert services.jobs.get(job.id).status is status
        clock.turn(timedelta(hours=2))


def code_of(services: Services, job: Job) -> str:
    ended = services.jobs.get(job.id)
    assert (ended.status, ended.error is None) == (JobStatus.FAILED, False)
    return ended.error.code if ended.error else ""
