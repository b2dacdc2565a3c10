"""What every job store promises of steps that are done by a call elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from ethereal.errors import LeaseLostError
from ethereal.jobs.model import JobStatus, Lease, StepKey, StepName
from ethereal.jobs.store import JobStore
from tests.contract.jobs import BROKEN, HOUR, LEASE, NOON, add, claim

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
