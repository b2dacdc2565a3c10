"""What every job store promises of claims and leases, held against each adapter."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from ethereal.errors import ConflictError, LeaseLostError, NotFoundError
from ethereal.jobs.model import Job, JobId, JobStatus, StepStatus
from ethereal.jobs.store import Idempotency, JobStore
from tests.contract.jobs import ASSEMBLE, BROKEN, HOUR, LEASE, NOON, PREPARE, UPLOAD, add, claim, new_job


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
