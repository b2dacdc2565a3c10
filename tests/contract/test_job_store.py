"""What every job store promises, held against each adapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ethereal.errors import ConflictError, LeaseLostError, NotFoundError
from ethereal.jobs.database import Database
from ethereal.jobs.file_database import open_file_database
from ethereal.jobs.memory import MemoryJobStore
from ethereal.jobs.migrate import migrate
from ethereal.jobs.model import (
    Announcement,
    Claim,
    Job,
    JobError,
    JobId,
    JobStatus,
    JobType,
    Lease,
    StepKey,
    StepName,
    StepStatus,
)
from ethereal.jobs.remote_database import open_remote_database
from ethereal.jobs.request import (
    Clip,
    EditRecipe,
    EditRequest,
    IngestRequest,
    RenderRequest,
    SourceType,
)
from ethereal.jobs.sql import SqlJobStore
from ethereal.jobs.store import Backlog, Idempotency, JobStore, Stranded
from tests.standins.hrana import open_hrana

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)
HOUR = timedelta(hours=1)
PREPARE = StepKey(StepName.PREPARE_AUDIO)
UPLOAD = StepKey(StepName.UPLOAD_R2)
ASSEMBLE = StepKey(StepName.ASSEMBLE_VIDEO)
CHUNKS = [StepKey(StepName.RENDER_CHUNK, index) for index in range(3)]
BROKEN = JobError(code="SCENE_FAILED", message="the scene did not draw", retryable=False)


@pytest.fixture(params=["memory", "file", "remote"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JobStore]:
    if request.param == "memory":
        yield MemoryJobStore()
    elif request.param == "file":
        with closing(migrated(open_file_database(tmp_path / "jobs.db"))) as store:
            yield store
    else:
        with (
            open_hrana(tmp_path / "jobs.db", token="token") as server,
            closing(migrated(open_remote_database(server.url, "token"))) as store,
        ):
            yield store


def migrated(database: Database) -> SqlJobStore:
    migrate(database)
    return SqlJobStore(database)


def new_job(created_at: datetime = NOON) -> Job:
    return Job(
        id=JobId(str(uuid4())),
        type=JobType.RENDER,
        request=RenderRequest(audio_key="uploads/a/original.flac", filename="song.flac", title="Sóng"),
        created_at=created_at,
        updated_at=created_at,
        request_id="from-a-proxy-17",
    )


def add(store: JobStore, created_at: datetime = NOON) -> Job:
    return store.add(new_job(created_at), PREPARE)


def claim(store: JobStore, job: Job, step: StepKey = PREPARE, now: datetime = NOON) -> Claim:
    return store.claim(job.id, step, owner=str(uuid4()), now=now, lease=LEASE, time_limit=HOUR)


def to_chunks(store: JobStore, job: Job) -> list[Claim]:
    store.commit(claim(store, job).lease, now=NOON, following=CHUNKS)
    return [claim(store, job, chunk) for chunk in CHUNKS]


def test_a_stored_job_is_returned_as_it_was_given(store: JobStore) -> None:
    job = new_job()
    stored = store.add(job, PREPARE)

    assert stored.request == job.request
    assert stored.request_id == job.request_id
    assert (stored.status, stored.progress, stored.created_at) == (JobStatus.PENDING, 0, NOON)
    assert store.get(job.id) == stored


def test_an_unknown_job_is_not_found_by_any_move(store: JobStore) -> None:
    nobody = JobId(str(uuid4()))
    for move in (
        lambda: store.get(nobody),
        lambda: store.queue_position(nobody),
        lambda: store.cancel(nobody, now=NOON),
        lambda: store.delete(nobody),
        lambda: claim(store, Job(**(new_job().__dict__ | {"id": nobody}))),
    ):
        with pytest.raises(NotFoundError):
            move()


def test_a_job_id_is_stored_once(store: JobStore) -> None:
    job = add(store)
    with pytest.raises(ConflictError):
        store.add(job, PREPARE)


def test_the_same_idempotency_key_and_body_give_the_same_job(store: JobStore) -> None:
    key = Idempotency("abc", "digest")
    first = store.add(new_job(), PREPARE, idempotency=key)
    second = store.add(new_job(), PREPARE, idempotency=key)

    assert second.id == first.id
    assert len(store.list().jobs) == 1
    with pytest.raises(ConflictError):
        store.add(new_job(), PREPARE, idempotency=Idempotency("abc", "another"))


def test_a_claim_starts_an_attempt_and_takes_the_lease(store: JobStore) -> None:
    claimed = claim(store, add(store))

    assert (claimed.job.status, claimed.job.attempt, claimed.job.started_at) == (
        JobStatus.PROCESSING,
        1,
        NOON,
    )
    step = store.steps(claimed.job.id)[0]
    assert (step.status, step.attempt, step.lease_expires_at) == (StepStatus.RUNNING, 1, NOON + LEASE)


def test_a_step_that_runs_or_is_done_cannot_be_claimed(store: JobStore) -> None:
    job = add(store)
    first = claim(store, job)
    with pytest.raises(ConflictError):
        claim(store, job)
    store.commit(first.lease, now=NOON, following=[UPLOAD])
    with pytest.raises(ConflictError):
        claim(store, job)
    with pytest.raises(ConflictError):
        claim(store, job, ASSEMBLE)


def test_a_worker_that_lost_its_lease_can_write_nothing(store: JobStore) -> None:
    job = add(store)
    late = claim(store, job).lease
    store.release_expired(now=NOON + LEASE, max_attempts=3)
    current = claim(store, job, now=NOON + LEASE)
    before = (store.get(job.id), store.steps(job.id))

    for move in (
        lambda: store.renew(late, now=NOON + LEASE, lease=LEASE),
        lambda: store.report(late, stage="late", progress=99, now=NOON + LEASE, lease=LEASE),
        lambda: store.commit(late, now=NOON + LEASE, following=[UPLOAD]),
        lambda: store.finish(late, result={}, now=NOON + LEASE),
        lambda: store.fail(late, BROKEN, now=NOON + LEASE, retry_at=None),
        lambda: store.fail(late, BROKEN, now=NOON + LEASE, retry_at=NOON + LEASE),
    ):
        with pytest.raises(LeaseLostError):
            move()

    assert (store.get(job.id), store.steps(job.id)) == before
    assert current.lease.attempt == 2


def test_a_worker_whose_job_was_called_off_can_write_nothing(store: JobStore) -> None:
    job = add(store)
    held = claim(store, job).lease
    store.cancel(job.id, now=NOON)
    before = (store.get(job.id), store.steps(job.id))
    later = NOON + LEASE / 2

    for move in (
        lambda: store.renew(held, now=later, lease=LEASE),
        lambda: store.report(held, stage="late", progress=99, now=later, lease=LEASE),
        lambda: store.commit(held, now=later, following=[UPLOAD]),
        lambda: store.finish(held, result={}, now=later),
        lambda: store.fail(held, BROKEN, now=later, retry_at=None),
        lambda: store.fail(held, BROKEN, now=later, retry_at=later),
        lambda: store.redo(held, [PREPARE], now=later),
    ):
        with pytest.raises(LeaseLostError):
            move()
        assert (store.get(job.id), store.steps(job.id)) == before


def test_a_live_lease_is_left_alone(store: JobStore) -> None:
    job = add(store)
    held = claim(store, job).lease
    store.renew(held, now=NOON + LEASE / 2, lease=LEASE)

    assert store.release_expired(now=NOON + LEASE, max_attempts=3).again == []
    assert store.get(job.id).status is JobStatus.PROCESSING


def test_no_lease_outlasts_the_time_limit(store: JobStore) -> None:
    job = add(store)
    held = claim(store, job).lease
    store.renew(held, now=NOON + HOUR - LEASE / 2, lease=LEASE)

    assert store.steps(job.id)[0].lease_expires_at == NOON + HOUR


def test_a_step_that_was_still_at_work_at_the_end_of_its_time_fails_its_job_at_once(store: JobStore) -> None:
    job, slept = add(store), add(store)
    held = claim(store, job).lease
    claim(store, slept)  # its worker was silent long before: only the lease is over
    store.renew(held, now=NOON + HOUR - LEASE / 2, lease=LEASE)

    released = store.release_expired(now=NOON + HOUR, max_attempts=3)

    assert (list(released.again), list(released.failed)) == ([(slept.id, PREPARE)], [job.id])
    error = store.get(job.id).error
    assert error is not None
    assert (error.code, error.retryable) == ("TIME_LIMIT", False)
    with pytest.raises(LeaseLostError):
        store.fail(held, BROKEN, now=NOON + HOUR, retry_at=NOON)


def test_a_step_that_tidies_up_in_silence_after_its_time_was_not_lost(store: JobStore) -> None:
    grace = 2 * LEASE
    tidying, slept = add(store), add(store)
    limit = NOON + HOUR - grace
    for job, last in ((tidying, limit - LEASE), (slept, limit - LEASE - timedelta(milliseconds=1))):
        store.renew(claim(store, job).lease, now=last, lease=LEASE)

    released = store.release_expired(now=limit, max_attempts=1, grace=grace)

    assert {*released.failed} == {tidying.id, slept.id}
    errors = [store.get(job.id).error for job in (tidying, slept)]
    assert [error.code for error in errors if error] == ["TIME_LIMIT", "WORKER_LOST"]


def test_an_expired_step_waits_again_until_its_attempts_are_spent(store: JobStore) -> None:
    job, now = add(store), NOON
    for attempt in (1, 2):
        assert claim(store, job, now=now).lease.attempt == attempt
        now += LEASE
        assert store.release_expired(now=now, max_attempts=3).again == [(job.id, PREPARE)]
        assert store.get(job.id).status is JobStatus.PENDING
    claim(store, job, now=now)

    assert store.release_expired(now=now + LEASE, max_attempts=3).failed == [job.id]
    ended = store.get(job.id)
    assert ended.status is JobStatus.FAILED
    assert ended.error is not None
    assert ended.error.code == "WORKER_LOST"


def test_what_was_handed_back_does_not_count_when_a_worker_is_lost(store: JobStore) -> None:
    job, now = add(store), NOON
    for _ in range(5):  # as many deployments
        store.fail(claim(store, job, now=now).lease, BROKEN, now=now, retry_at=now, blame=False)
    claim(store, job, now=now)

    assert store.release_expired(now=now + LEASE, max_attempts=2).again == [(job.id, PREPARE)]
    claim(store, job, now=now + LEASE)
    assert store.release_expired(now=now + 2 * LEASE, max_attempts=2).failed == [job.id]


def test_progress_is_told_and_never_falls(store: JobStore) -> None:
    job = add(store)
    held = claim(store, job).lease
    store.report(held, stage="analyzing", progress=40, now=NOON, lease=LEASE)
    store.report(held, stage="rendering", progress=30, now=NOON + LEASE / 2, lease=LEASE)

    told = store.get(job.id)
    assert (told.stage, told.progress) == ("rendering", 40)
    assert store.steps(job.id)[0].lease_expires_at == NOON + LEASE * 1.5


def test_the_last_of_several_steps_brings_the_one_that_joins_them(store: JobStore) -> None:
    job = add(store)
    claims = to_chunks(store, job)

    joined = [store.commit(chunk.lease, now=NOON, join=ASSEMBLE) for chunk in reversed(claims)]

    assert joined == [False, False, True]
    assert [step.key for step in store.steps(job.id) if step.status is StepStatus.WAITING] == [ASSEMBLE]


def test_a_step_keeps_what_it_found_out(store: JobStore) -> None:
    job = add(store)
    store.commit(claim(store, job).lease, now=NOON, result={"frames": 3, "hash": "ab"})

    assert store.steps(job.id)[0].result == {"frames": 3, "hash": "ab"}


def test_a_finished_job_is_complete_with_its_result_and_no_stage(store: JobStore) -> None:
    job = add(store)
    held = claim(store, job).lease
    store.report(held, stage="uploading", progress=97, now=NOON, lease=LEASE)
    ended = store.finish(held, result={"videoKey": "renders/x/output.mp4"}, now=NOON + LEASE)

    assert (ended.status, ended.progress, ended.stage) == (JobStatus.COMPLETE, 100, None)
    assert ended.result == {"videoKey": "renders/x/output.mp4"}
    assert ended.finished_at == NOON + LEASE


def test_a_failure_without_a_retry_fails_the_job(store: JobStore) -> None:
    job = add(store)
    ended = store.fail(claim(store, job).lease, BROKEN, now=NOON, retry_at=None)

    assert (ended.status, ended.error, ended.stage) == (JobStatus.FAILED, BROKEN, None)
    with pytest.raises(ConflictError):
        claim(store, job)


def test_a_retryable_failure_waits_for_its_time(store: JobStore) -> None:
    job = add(store)
    later = NOON + timedelta(seconds=10)
    waiting = store.fail(claim(store, job).lease, BROKEN, now=NOON, retry_at=later)

    assert waiting.status is JobStatus.PENDING
    with pytest.raises(ConflictError):
        claim(store, job, now=NOON + timedelta(seconds=9))
    assert store.take_due(now=NOON + timedelta(seconds=9)) == []
    assert store.take_due(now=later) == [Announcement(job.id, PREPARE)]
    assert claim(store, job, now=later).lease.attempt == 2


def test_a_job_stays_processing_while_another_of_its_steps_runs(store: JobStore) -> None:
    job = add(store)
    claims = to_chunks(store, job)
    store.fail(claims[0].lease, BROKEN, now=NOON, retry_at=NOON)

    assert store.get(job.id).status is JobStatus.PROCESSING


@pytest.mark.parametrize("claimed", [False, True])
def test_a_cancelled_job_is_final_at_once(store: JobStore, claimed: bool) -> None:
    job = add(store)
    held = claim(store, job).lease if claimed else None
    assert store.cancel(job.id, now=NOON).status is JobStatus.CANCELLED

    with pytest.raises(ConflictError):
        claim(store, job)
    with pytest.raises(ConflictError):
        store.cancel(job.id, now=NOON)
    if held:
        with pytest.raises(LeaseLostError):
            store.finish(held, result={}, now=NOON)
    assert store.release_expired(now=NOON + HOUR * 2, max_attempts=3).failed == []
    assert store.take_due(now=NOON + HOUR * 2) == []
    assert store.get(job.id).status is JobStatus.CANCELLED


def test_a_claim_made_twice_does_not_bring_back_a_cancelled_job(store: JobStore) -> None:
    job = add(store)
    for outcome in (nullcontext(), pytest.raises(ConflictError)):
        with outcome:
            store.claim(job.id, PREPARE, owner="same", now=NOON, lease=LEASE, time_limit=HOUR)
        if store.get(job.id).status is JobStatus.PROCESSING:
            store.cancel(job.id, now=NOON)

    assert store.get(job.id).status is JobStatus.CANCELLED


def test_a_step_nobody_claimed_is_announced_again_less_and_less_often(store: JobStore) -> None:
    job = add(store)
    gaps, last, now = [], NOON, NOON
    while len(gaps) < 4:
        now += timedelta(seconds=1)
        if store.take_due(now=now):
            gaps.append((now - last).total_seconds())
            last = now

    assert gaps == [5, 10, 20, 40]
    claim(store, job, now=now)
    assert store.take_due(now=now + timedelta(days=1)) == []


def test_a_step_that_was_lost_is_announced_as_often_as_a_new_one(store: JobStore) -> None:
    job = add(store)
    for minute in range(4):  # nobody hears of it for a while
        store.take_due(now=NOON + timedelta(minutes=minute))
    lost = NOON + timedelta(minutes=5)
    claim(store, job, now=lost)
    store.release_expired(now=lost + LEASE, max_attempts=3)

    for wait in (0, 5, 15):
        due = store.take_due(now=lost + LEASE + timedelta(seconds=wait))
        assert due == [Announcement(job.id, PREPARE)]


def test_steps_that_took_their_worker_along_twice_run_one_after_another(store: JobStore) -> None:
    now, (guilty, innocent) = NOON, (add(store), add(store))
    for _ in range(2):
        for job in (guilty, innocent):
            claim(store, job, now=now)
        now += LEASE
        store.release_expired(now=now, max_attempts=3)

    claim(store, guilty, now=now)
    with pytest.raises(ConflictError):
        claim(store, innocent, now=now)
    assert claim(store, add(store, now), now=now), "others are not held up"
    now += LEASE
    assert store.release_expired(now=now, max_attempts=3).failed == [guilty.id]

    assert claim(store, innocent, now=now).lease.attempt == 3


def test_what_waits_is_told_again_as_if_it_were_new(store: JobStore) -> None:
    waiting, running, ended = add(store), add(store), add(store)
    for minute in range(4):
        store.take_due(now=NOON + timedelta(minutes=minute))
    now = NOON + timedelta(minutes=3, seconds=1)
    claim(store, running, now=now)
    store.cancel(ended.id, now=now)

    assert store.tell_again(now=now) == 1
    assert store.take_due(now=now) == [Announcement(waiting.id, PREPARE)]
    assert store.take_due(now=now + timedelta(seconds=5)) == [Announcement(waiting.id, PREPARE)]


def test_what_was_announced_just_now_is_not_told_again_yet(store: JobStore) -> None:
    job, silence = add(store), timedelta(seconds=5)
    for now in (NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)):
        store.take_due(now=now)

    assert store.tell_again(now=now + timedelta(seconds=4), silence=silence) == 0
    assert store.tell_again(now=now + timedelta(seconds=5), silence=silence) == 1
    assert store.take_due(now=now + timedelta(seconds=5)) == [Announcement(job.id, PREPARE)]
    assert store.tell_again(now=now + timedelta(seconds=6), silence=silence) == 0


def test_a_step_that_waits_for_another_try_is_not_told_before_it(store: JobStore) -> None:
    job = add(store)
    store.fail(claim(store, job).lease, BROKEN, now=NOON, retry_at=NOON + timedelta(seconds=10))

    assert store.tell_again(now=NOON) == 1
    assert store.take_due(now=NOON + timedelta(seconds=9)) == []


def test_the_queue_position_counts_the_pending_jobs_before(store: JobStore) -> None:
    jobs = [add(store) for _ in range(3)]
    assert [store.queue_position(job.id) for job in jobs] == [0, 1, 2]
    claim(store, jobs[0])
    assert [store.queue_position(job.id) for job in jobs] == [None, 0, 1]


def test_many_jobs_are_looked_up_at_once(store: JobStore) -> None:
    first, second, third = (add(store) for _ in range(3))
    nobody = JobId(str(uuid4()))
    claim(store, first)
    ids = [third.id, first.id, nobody]

    assert store.get_many(ids) == {third.id: third, first.id: store.get(first.id)}
    assert store.queue_positions([*ids, second.id]) == {third.id: 1, second.id: 0}


def test_the_backlog_counts_what_waits_and_knows_the_oldest(store: JobStore) -> None:
    assert store.backlog(now=NOON) == Backlog(0, None, {})
    held, old, young = (add(store, NOON + timedelta(seconds=second)) for second in range(3))
    late, cancelled = add(store), add(store)
    store.fail(claim(store, late).lease, BROKEN, now=NOON, retry_at=NOON + HOUR)
    store.cancel(cancelled.id, now=NOON)
    to_chunks(store, held)
    store.cancel(young.id, now=NOON)
    now = NOON + timedelta(minutes=1)

    assert store.backlog(now=now) == Backlog(2, old.created_at, {StepName.PREPARE_AUDIO: 1})


def test_the_list_is_newest_first_filtered_and_paged(store: JobStore) -> None:
    jobs = [add(store) for _ in range(5)]
    claim(store, jobs[1])

    first = store.list(limit=2)
    second = store.list(limit=3, cursor=first.cursor)
    assert [job.id for job in [*first.jobs, *second.jobs]] == [job.id for job in reversed(jobs)]
    assert second.cursor is None
    assert [job.id for job in store.list(status=JobStatus.PROCESSING).jobs] == [jobs[1].id]
    assert store.list(type_=JobType.INGEST).jobs == []
    assert store.counts()[JobStatus.PENDING] == 4


def test_a_job_that_takes_too_long_in_all_fails_and_its_workers_learn_it(store: JobStore) -> None:
    waiting, late, young = add(store), add(store), add(store)
    held = claim(store, late).lease
    claim(store, young, now=NOON + HOUR)
    store.fail(claim(store, add(store)).lease, BROKEN, now=NOON, retry_at=None)

    before = NOON + HOUR
    assert store.fail_overdue(JobType.SAVE, before=before, now=before) == []
    assert store.fail_overdue(JobType.RENDER, before=before, now=before) == [late.id]
    assert store.fail_overdue(JobType.RENDER, before=before, now=before) == []
    failed = store.get(late.id)
    assert failed.error is not None
    assert (failed.status, failed.error.code) == (JobStatus.FAILED, "TIME_LIMIT")
    with pytest.raises(LeaseLostError):
        store.renew(held, now=NOON, lease=LEASE)
    assert [store.get(job.id).status for job in (waiting, young)] == ["pending", "processing"]


def test_audio_is_in_use_until_every_job_made_from_it_has_failed_or_was_cancelled(store: JobStore) -> None:
    first, second = add(store), add(store)
    audio = first.request.audio_key
    assert second.request.audio_key == audio
    store.cancel(first.id, now=NOON)
    assert store.audio_in_use(audio)
    store.fail(claim(store, second).lease, BROKEN, now=NOON, retry_at=None)
    assert not store.audio_in_use(audio)
    store.finish(claim(store, add(store)).lease, result={}, now=NOON)
    assert store.audio_in_use(audio)


SOURCE = str(uuid4())
RECIPE = EditRecipe(
    version=1,
    asset_id=SOURCE,
    clips=(Clip(id="a", source_asset_id=SOURCE, start_time=0.1, end_time=2.5, fade_in=0.25),),
    normalize=True,
)
INGEST = IngestRequest(
    source_type=SourceType.AUDIO_FILE, audio_key="uploads/b/original.mp3", filename="b.mp3"
)


def test_a_job_of_any_type_comes_back_with_what_it_asked_for(store: JobStore) -> None:
    for type_, request, step in (
        (JobType.INGEST, INGEST, StepName.INGEST_AUDIO),
        (JobType.PREVIEW, EditRequest(recipe=RECIPE), StepName.PREVIEW_EDIT),
        (JobType.SAVE, EditRequest(recipe=RECIPE), StepName.SAVE_EDIT),
    ):
        job = store.add(replace(new_job(), type=type_, request=request), StepKey(step))
        taken = claim(store, job, StepKey(step))
        assert taken.job.asked(type(request)) == request
        with pytest.raises(NotFoundError):
            taken.job.asked(RenderRequest)
        assert [job.id for job in store.list(type_=type_).jobs] == [job.id]


def test_an_upload_that_was_taken_in_is_needed_no_more(store: JobStore) -> None:
    step = StepKey(StepName.INGEST_AUDIO)
    job = store.add(replace(new_job(), type=JobType.INGEST, request=INGEST), step)
    assert store.audio_in_use(INGEST.audio_key)
    store.finish(claim(store, job, step).lease, result={}, now=NOON)
    assert not store.audio_in_use(INGEST.audio_key)


def test_only_a_final_job_can_be_deleted(store: JobStore) -> None:
    job = add(store)
    with pytest.raises(ConflictError):
        store.delete(job.id)
    store.cancel(job.id, now=NOON)
    store.delete(job.id)

    with pytest.raises(NotFoundError):
        store.get(job.id)
    assert store.steps(job.id) == []


def routed(store: JobStore, job: Job, chunks: list[StepKey] = CHUNKS) -> None:
    """The plan of a job is made, and its chunks wait for the renderers of kind `aa`."""
    plan = StepKey(StepName.PLAN_RENDER)
    store.commit(claim(store, job).lease, now=NOON, following=[plan])
    store.commit(claim(store, job, plan).lease, now=NOON, following=chunks, route="aa")


def test_steps_with_a_route_are_announced_with_it(store: JobStore) -> None:
    job = add(store)
    routed(store, job)

    assert sorted(store.take_due(now=NOON + LEASE)) == [Announcement(job.id, key, "aa") for key in CHUNKS]


def test_a_job_none_of_whose_routed_steps_is_taken_is_stranded(store: JobStore) -> None:
    job = add(store)
    routed(store, job)
    add(store)

    assert store.stranded(before=NOON - LEASE) == []
    assert store.stranded(before=NOON) == [Stranded(job.id, "aa", NOON)]
    store.note(job.id, stage="waiting", now=NOON)
    assert store.get(job.id).stage == "waiting"
    claim(store, job, CHUNKS[0])
    assert store.stranded(before=NOON) == []
    store.note(job.id, stage="not this", now=NOON)
    assert store.get(job.id).stage == "waiting"


def test_a_stranded_job_is_planned_again_and_late_workers_of_the_old_plan_stay_fenced_off(
    store: JobStore,
) -> None:
    job, plan = add(store), StepKey(StepName.PLAN_RENDER)
    routed(store, job)
    late = claim(store, job, CHUNKS[0]).lease
    assert not store.plan_again(job.id, now=NOON), "a step runs"
    store.release_expired(now=NOON + LEASE, max_attempts=3)
    assert store.plan_again(job.id, now=NOON + LEASE)

    for chunk in CHUNKS:
        with pytest.raises(ConflictError):
            claim(store, job, chunk, now=NOON + LEASE)
    again = claim(store, job, plan, now=NOON + LEASE).lease
    store.commit(again, now=NOON + LEASE, following=CHUNKS[:1], route="bb")
    current = claim(store, job, CHUNKS[0], now=NOON + LEASE)
    assert current.lease.attempt > late.attempt
    with pytest.raises(LeaseLostError):
        store.commit(late, now=NOON + LEASE, join=ASSEMBLE)
    assert store.commit(current.lease, now=NOON + LEASE, join=ASSEMBLE), "the chunks thrown away do not count"


def test_a_job_that_has_ended_is_not_planned_again(store: JobStore) -> None:
    job = add(store)
    routed(store, job)
    store.cancel(job.id, now=NOON)

    assert store.stranded(before=NOON) == []
    assert not store.plan_again(job.id, now=NOON)


def to_assembling(store: JobStore, job: Job) -> Claim:
    for chunk in to_chunks(store, job):
        store.commit(chunk.lease, now=NOON, join=ASSEMBLE, result={"sha256": "a"})
    return claim(store, job, ASSEMBLE)


def test_a_chunk_is_done_again_alone_and_the_step_that_needs_it_waits(store: JobStore) -> None:
    job = add(store)
    assembling = to_assembling(store, job)

    store.redo(assembling.lease, [CHUNKS[1]], now=NOON)

    assert store.get(job.id).status is JobStatus.PENDING
    steps = {step.key: step for step in store.steps(job.id)}
    assert [steps[chunk].status for chunk in CHUNKS] == [StepStatus.DONE, StepStatus.WAITING, StepStatus.DONE]
    assert [steps[chunk].result for chunk in CHUNKS] == [{"sha256": "a"}, {"redone": True}, {"sha256": "a"}]
    with pytest.raises(ConflictError):
        claim(store, job, ASSEMBLE)
    again = claim(store, job, CHUNKS[1])
    assert again.lease.attempt == 2
    assert store.commit(again.lease, now=NOON, join=ASSEMBLE)
    assert claim(store, job, ASSEMBLE).lease.attempt == 2


def test_a_step_to_be_done_again_is_announced_when_nobody_takes_it(store: JobStore) -> None:
    job = add(store)
    store.redo(to_assembling(store, job).lease, CHUNKS[:2], now=NOON)

    assert store.take_due(now=NOON) == []
    assert sorted(store.take_due(now=NOON + LEASE)) == [Announcement(job.id, key) for key in CHUNKS[:2]]


def test_only_who_holds_the_lease_has_steps_done_again(store: JobStore) -> None:
    job = add(store)
    late = to_assembling(store, job)
    store.release_expired(now=NOON + LEASE, max_attempts=3)

    with pytest.raises(LeaseLostError):
        store.redo(late.lease, CHUNKS, now=NOON + LEASE)
    claim(store, job, ASSEMBLE, now=NOON + LEASE)
    with pytest.raises(LeaseLostError):
        store.redo(late.lease, CHUNKS, now=NOON + LEASE)
    chunks = [step for step in store.steps(job.id) if step.key in CHUNKS]
    assert {step.status for step in chunks} == {StepStatus.DONE}


def test_a_cancelled_job_has_no_step_done_again(store: JobStore) -> None:
    job = add(store)
    assembling = to_assembling(store, job)
    store.cancel(job.id, now=NOON)

    with pytest.raises(LeaseLostError):
        store.redo(assembling.lease, CHUNKS, now=NOON)


DISPATCH = StepKey(StepName.DISPATCH_MODAL)


def dispatched(store: JobStore) -> Lease:
    """A job whose render is about to be handed to a call elsewhere."""
    job = add(store)
    store.commit(claim(store, job).lease, now=NOON, following=[DISPATCH])
    return claim(store, job, DISPATCH).lease


def hear(store: JobStore, held: Lease, number: int, call: str = "fc-1", **changed: Any) -> bool:
    told: dict[str, Any] = {"stage": "rendering", "progress": 30.0, "now": NOON, "until": NOON + HOUR * 2}
    return store.hear(held, call=call, number=number, **(told | changed))


def test_a_call_has_its_step_for_as_long_as_it_was_given(store: JobStore) -> None:
    held = dispatched(store)
    assert hear(store, held, 0, stage="dispatched-to-modal")

    job, step = store.get(held.job_id), next(s for s in store.steps(held.job_id) if s.key == DISPATCH)
    assert (job.status, job.stage, job.progress) == (JobStatus.PROCESSING, "dispatched-to-modal", 30)
    assert step.call is not None
    assert (step.call.id, step.call.attempt, step.call.sequence) == ("fc-1", 1, 0)
    assert step.lease_expires_at == step.deadline_at == NOON + HOUR * 2
    assert store.release_expired(now=NOON + HOUR, max_attempts=3).again == []
    assert store.release_expired(now=NOON + HOUR * 2, max_attempts=3).again == [(job.id, DISPATCH)]
    with pytest.raises(LeaseLostError):
        hear(store, held, 1)


def test_a_sign_of_life_counts_once_and_never_after_a_later_one(store: JobStore) -> None:
    held = dispatched(store)
    assert hear(store, held, 5, progress=60.0)
    for number in (5, 4, 0):
        assert not hear(store, held, number, stage="planning", progress=90.0, now=NOON + LEASE)

    job = store.get(held.job_id)
    assert (job.stage, job.progress, job.updated_at) == ("rendering", 60, NOON)
    assert hear(store, held, 6, stage="assembling", progress=50.0, now=NOON + LEASE)
    job = store.get(held.job_id)
    assert (job.stage, job.progress, job.updated_at) == ("assembling", 60, NOON + LEASE)


def test_an_attempt_belongs_to_the_first_call_that_is_heard_of(store: JobStore) -> None:
    held = dispatched(store)
    hear(store, held, 7, "fc-orphan")

    with pytest.raises(LeaseLostError):
        hear(store, held, 0, "fc-known")
    assert not hear(store, held, 0, "fc-orphan")
    again = NOON + HOUR * 2
    store.release_expired(now=again, max_attempts=3)
    claim = store.claim(held.job_id, DISPATCH, owner="b", now=again, lease=LEASE, time_limit=HOUR)
    with pytest.raises(LeaseLostError):
        hear(store, held, 8, "fc-orphan", now=again)
    assert hear(store, claim.lease, 0, "fc-next", now=again, until=again + HOUR)
    assert [step.call and step.call.id for step in store.steps(held.job_id)] == ["fc-next", None]


def test_calls_that_were_not_heard_of_for_long_are_found(store: JobStore) -> None:
    quiet, talking, cancelled, waiting = (dispatched(store) for _ in range(4))
    for held in (quiet, talking, cancelled):
        hear(store, held, 0)
    hear(store, talking, 1, now=NOON + LEASE)
    store.cancel(cancelled.job_id, now=NOON)

    assert [step.job_id for step in store.silent(before=NOON)] == [quiet.job_id]
    assert {step.job_id for step in store.silent(before=NOON + LEASE)} == {quiet.job_id, talking.job_id}
    with pytest.raises(LeaseLostError):
        hear(store, cancelled, 1)
    retry_at = NOON + HOUR
    store.fail(quiet, BROKEN, now=NOON, retry_at=retry_at)
    store.claim(quiet.job_id, DISPATCH, owner="b", now=retry_at, lease=LEASE, time_limit=HOUR)
    assert store.silent(before=NOON) == [], "the attempt that runs now has no call yet"
    assert waiting.job_id in [job.id for job in store.list().jobs]
