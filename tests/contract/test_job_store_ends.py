"""What every job store promises of progress, and of how steps and jobs end."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

import pytest

from ethereal.errors import ConflictError, LeaseLostError
from ethereal.jobs.model import Announcement, JobStatus, JobType, StepStatus
from ethereal.jobs.store import JobStore
from tests.contract.jobs import ASSEMBLE, BROKEN, HOUR, LEASE, NOON, PREPARE, add, claim, to_chunks


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
