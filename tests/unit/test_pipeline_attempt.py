from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ethereal.errors import (
    BrowserCrashedError,
    EtherealError,
    InvalidInputError,
    SceneFailedError,
    StoreUnavailableError,
)
from ethereal.jobs.model import Announcement, Job, JobId, JobStatus, JobType, StepKey, StepName
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.cancel import cancel
from ethereal.pipeline.reap import reap, sweep_uploads
from ethereal.services import Limits, Services
from ethereal.storage.keys import StorageKey
from tests.builders import HandClock, MemoryQueue, add_job, make_request, make_services

PREPARE = StepKey(StepName.PREPARE_AUDIO)
UPLOAD = StepKey(StepName.UPLOAD_R2)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(tmp_path: Path, clock: HandClock) -> Services:
    return make_services(tmp_path, clock=clock)


def raising(error: BaseException):  # type: ignore[no-untyped-def]
    def work(attempt: Attempt) -> None:
        (attempt.folder / "half").write_text("x")
        raise error

    return work


def test_a_step_is_worked_on_in_a_folder_that_goes_with_it(services: Services) -> None:
    job = add_job(services)
    seen: list[Path] = []

    def work(attempt: Attempt) -> None:
        (attempt.folder / "file").write_text("x")
        seen.append(attempt.folder)
        attempt.commit([UPLOAD])

    assert run_step(services, job.id, PREPARE, work)
    assert not seen[0].exists()
    assert [step.key for step in services.jobs.steps(job.id)] == [PREPARE, UPLOAD]


def test_a_message_that_comes_twice_does_the_work_once(services: Services) -> None:
    job = add_job(services)
    done: list[int] = []

    def work(attempt: Attempt) -> None:
        done.append(attempt.lease.attempt)
        attempt.commit([UPLOAD])

    assert [run_step(services, job.id, PREPARE, work) for _ in range(10)] == [True] + [False] * 9
    assert done == [1]


def test_an_error_of_the_caller_fails_the_job_at_once_and_leaves_nothing(
    services: Services, tmp_path: Path
) -> None:
    job = add_job(services)
    source = tmp_path / "song.wav"
    source.write_bytes(b"x")
    services.objects.put(StorageKey(job.request.audio_key), source)
    services.objects.put(StorageKey(f"renders/{job.id}/audio.flac"), source)

    assert not run_step(services, job.id, PREPARE, raising(InvalidInputError("no sound in it")))

    ended = services.jobs.get(job.id)
    assert ended.status is JobStatus.FAILED
    assert ended.error is not None
    assert (ended.error.code, ended.error.message) == ("VALIDATION_ERROR", "no sound in it")
    assert list(services.objects.list(StorageKey(""))) == []
    assert list(services.scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (BrowserCrashedError("gone"), [5, 10, None]),
        (SceneFailedError("black"), [5, None]),
        (RuntimeError("a bug with a secret"), [5, 10, None]),
    ],
)
def test_an_error_is_tried_again_as_often_as_its_type_is_worth(
    services: Services, clock: HandClock, error: Exception, waits: list[int | None]
) -> None:
    job = add_job(services)
    for wait in waits:
        assert not run_step(services, job.id, PREPARE, raising(error))
        now = services.jobs.get(job.id)
        if wait is None:
            assert now.status is JobStatus.FAILED
            continue
        assert now.status is JobStatus.PENDING
        clock.turn(timedelta(seconds=wait) - timedelta(milliseconds=1))
        assert reap(services).announced == 0
        clock.turn(timedelta(milliseconds=1))
        assert reap(services).announced == 1
    told = services.jobs.get(job.id).error
    assert told is not None
    assert told.code == (error.code if isinstance(error, EtherealError) else "INTERNAL_ERROR")
    assert "secret" not in told.message


def test_a_signal_that_ends_the_process_hands_the_step_back(services: Services) -> None:
    job = add_job(services)
    with pytest.raises(SystemExit):
        run_step(services, job.id, PREPARE, raising(SystemExit(1)))

    assert services.jobs.get(job.id).status is JobStatus.PENDING
    assert reap(services).announced == 1


def test_a_cancelled_job_stops_its_worker_at_the_next_beat(services: Services, clock: HandClock) -> None:
    job = add_job(services)
    reached: list[int] = []

    def work(attempt: Attempt) -> None:
        beat = attempt.beat("preparing", 0, 100)
        for second in range(100):
            clock.turn(timedelta(seconds=1))
            beat(second / 100)
            reached.append(second)
            if second == 10:
                cancel(services, job.id)

    assert not run_step(services, job.id, PREPARE, work)
    assert max(reached) <= 12
    assert services.jobs.get(job.id).status is JobStatus.CANCELLED
    queue = services.queue
    assert isinstance(queue, MemoryQueue)
    assert (job.id, PREPARE) in queue.revoked


def test_a_worker_outlives_a_store_that_is_away_for_less_than_its_lease(
    services: Services, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job(services)
    report = services.jobs.report

    def work(attempt: Attempt) -> None:
        beat = attempt.beat("preparing", 0, 100)
        beat(0.1)
        monkeypatch.setattr(services.jobs, "report", away)
        for _ in range(10):
            clock.turn(timedelta(seconds=5))
            beat(0.2)
        monkeypatch.setattr(services.jobs, "report", report)
        clock.turn(timedelta(seconds=5))
        beat(0.3)
        attempt.commit([UPLOAD])

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailableError("away")

    assert run_step(services, job.id, PREPARE, work)


def test_progress_maps_a_stage_to_its_part_of_the_job(services: Services, clock: HandClock) -> None:
    job = add_job(services)

    def work(attempt: Attempt) -> None:
        beat = attempt.beat("uploading-audio", 12, 20)
        beat(0.0)
        clock.turn(timedelta(seconds=3))
        beat(0.5)
        told = services.jobs.get(job.id)
        assert (told.stage, told.progress) == ("uploading-audio", 16)
        attempt.commit([UPLOAD])

    assert run_step(services, job.id, PREPARE, work)


def test_what_the_broker_did_not_take_is_announced_again(services: Services, clock: HandClock) -> None:
    job = add_job(services)
    queue = services.queue
    assert isinstance(queue, MemoryQueue)
    queue.away = True
    clock.turn(timedelta(seconds=6))
    assert reap(services).announced == 1
    assert queue.announced == []
    queue.away = False
    clock.turn(timedelta(seconds=11))
    reap(services)
    assert queue.announced == [Announcement(job.id, PREPARE)]


@pytest.mark.parametrize("step", list(StepName))
def test_each_step_has_its_own_time_limit(step: StepName, tmp_path: Path, clock: HandClock) -> None:
    hours = {StepName.INGEST_AUDIO: 3, StepName.PREVIEW_EDIT: 4, StepName.SAVE_EDIT: 5}
    ingest, preview, save = (timedelta(hours=hours) for hours in hours.values())
    limits = Limits(step=timedelta(hours=2), ingest=ingest, preview=preview, save=save)
    services = make_services(tmp_path, clock=clock, limits=limits)
    now = clock()
    job = Job(id=JobId("a"), type=JobType.RENDER, request=make_request(), created_at=now, updated_at=now)
    services.jobs.add(job, StepKey(step))
    deadlines: list[datetime | None] = []

    def work(attempt: Attempt) -> None:
        deadlines.append(services.jobs.steps(job.id)[0].deadline_at)
        attempt.finish({})

    assert run_step(services, job.id, StepKey(step), work)
    assert deadlines == [now + timedelta(hours=hours.get(step, 2)) + limits.grace]


def test_a_render_that_takes_longer_in_all_than_it_may_is_stopped(
    services: Services, clock: HandClock
) -> None:
    job = add_job(services)
    seen: list[JobStatus] = []

    def work(attempt: Attempt) -> None:
        clock.turn(services.limits.render - timedelta(seconds=1))
        attempt.beat("preparing", 2, 9)(0.5)
        reap(services)
        seen.append(services.jobs.get(job.id).status)
        clock.turn(timedelta(seconds=2))
        reap(services)
        attempt.beat("preparing", 2, 9)(0.6)

    slow = replace(services, limits=replace(services.limits, step=timedelta(days=2), lease=timedelta(days=2)))
    assert not run_step(slow, job.id, PREPARE, work)
    ended = services.jobs.get(job.id)
    assert ended.error is not None
    assert (seen, ended.status, ended.error.code) == ([JobStatus.PROCESSING], JobStatus.FAILED, "TIME_LIMIT")
    assert (job.id, PREPARE) in services.queue.revoked  # type: ignore[attr-defined]


def test_a_job_whose_workers_die_each_time_fails_and_leaves_nothing(
    services: Services, clock: HandClock, tmp_path: Path
) -> None:
    job = add_job(services)
    for _ in range(3):
        services.jobs.claim(
            job.id,
            PREPARE,
            owner=str(services.new_id()),
            now=clock.now,
            lease=services.limits.lease,
            time_limit=services.limits.step,
        )
        clock.turn(services.limits.lease)
        reap(services)

    ended = services.jobs.get(job.id)
    assert ended.error is not None
    assert (ended.status, ended.error.code) == (JobStatus.FAILED, "WORKER_LOST")


def test_uploads_nobody_used_go_after_a_day_and_those_of_waiting_jobs_stay(
    services: Services, clock: HandClock, tmp_path: Path
) -> None:
    clock.now = datetime.now(UTC)
    job = add_job(services)
    source = tmp_path / "song.wav"
    source.write_bytes(b"x")
    unused = StorageKey("uploads/12345678-1234-1234-1234-123456789abc/original.wav")
    for key in (unused, StorageKey(job.request.audio_key)):
        services.objects.put(key, source)

    assert sweep_uploads(services) == 0
    clock.turn(timedelta(hours=25))
    assert sweep_uploads(services) == 1
    assert [facts.key for facts in services.objects.list(StorageKey("uploads/"))] == [job.request.audio_key]


def stranded_job(services: Services) -> Job:
    """A job whose chunks wait for renderers of kind `aa`."""
    job, plan = add_job(services), StepKey(StepName.PLAN_RENDER)
    run_step(services, job.id, PREPARE, lambda attempt: ignore(attempt.commit([plan])))
    chunk = StepKey(StepName.RENDER_CHUNK)
    run_step(services, job.id, plan, lambda attempt: ignore(attempt.commit([chunk], route="aa")))
    return job


def ignore(told: object) -> None:
    pass


def test_a_job_whose_kind_of_renderer_is_gone_waits_says_so_and_is_planned_again_in_time(
    services: Services, clock: HandClock
) -> None:
    job, queue = stranded_job(services), services.queue
    assert isinstance(queue, MemoryQueue)
    queue.listening = frozenset({"bb"})

    clock.turn(timedelta(seconds=20))
    assert reap(services).planned_again == 0
    assert services.jobs.get(job.id).stage == "waiting-for-renderer"
    clock.turn(services.limits.plan_again)
    assert reap(services).planned_again == 1
    assert Announcement(job.id, StepKey(StepName.PLAN_RENDER)) in queue.announced


@pytest.mark.parametrize("listening", [frozenset({"aa", "bb"}), frozenset[str]()])
def test_a_job_keeps_its_plan_while_its_kind_listens_or_nobody_does(
    services: Services, clock: HandClock, listening: frozenset[str]
) -> None:
    stranded_job(services)
    queue = services.queue
    assert isinstance(queue, MemoryQueue)
    queue.listening = listening
    clock.turn(timedelta(hours=1))

    assert reap(services).planned_again == 0
