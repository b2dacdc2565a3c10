"""What every job store promises of steps for one kind of renderer."""

from __future__ import annotations

import pytest

from ethereal.errors import ConflictError, LeaseLostError
from ethereal.jobs.model import Announcement, Job, StepKey, StepName
from ethereal.jobs.store import JobStore, Stranded
from tests.contract.jobs import ASSEMBLE, CHUNKS, LEASE, NOON, add, claim


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
