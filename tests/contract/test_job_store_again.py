"""What every job store promises of steps that are to be done once more."""

from __future__ import annotations

import pytest

from ethereal.errors import ConflictError, LeaseLostError
from ethereal.jobs.model import Announcement, Claim, Job, JobStatus, StepStatus
from ethereal.jobs.store import JobStore
from tests.contract.jobs import ASSEMBLE, CHUNKS, LEASE, NOON, add, claim, to_chunks


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
