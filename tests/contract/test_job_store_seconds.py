"""What every job store promises of second runs and of workers that fail, held against each adapter."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from ethereal.errors import ConflictError, LeaseLostError
from ethereal.jobs.file_database import open_file_database
from ethereal.jobs.migrate import migrate
from ethereal.jobs.model import (
    Announcement,
    Claim,
    Failure,
    Job,
    JobError,
    JobStatus,
    Lease,
    Step,
    StepKey,
    StepName,
    StepStatus,
)
from ethereal.jobs.remote_database import open_remote_database
from ethereal.jobs.sql import SqlJobStore
from ethereal.jobs.store import JobStore
from tests.builders import NOON, add_to
from tests.standins.hrana import open_hrana

LEASE, HOUR = timedelta(seconds=30), timedelta(hours=1)
PREPARE, ASSEMBLE = StepKey(StepName.PREPARE_AUDIO), StepKey(StepName.ASSEMBLE_VIDEO)
CHUNKS = [StepKey(StepName.RENDER_CHUNK, index) for index in range(2)]
FIRST, SECOND = CHUNKS[1], CHUNKS[1].second
CRASHED = JobError(code="BROWSER_CRASHED", message="gone", retryable=True)


def claim(store: JobStore, job: Job, step: StepKey, worker: str = "one") -> Claim:
    return store.claim(
        job.id, step, owner=str(uuid4()), worker=worker, now=NOON, lease=LEASE, time_limit=HOUR
    )


def drawing(store: JobStore) -> tuple[Job, list[Lease]]:
    """A job both of whose chunks are drawn by the worker `one`."""
    job = add_to(store)
    store.commit(claim(store, job, PREPARE).lease, now=NOON, following=CHUNKS, route="aa")
    return job, [claim(store, job, chunk).lease for chunk in CHUNKS]


def steps_of(store: JobStore, job: Job) -> dict[StepKey, Step]:
    return {step.key: step for step in store.steps(job.id)}


def called(store: JobStore, first: Lease) -> bool:
    return store.call_second(first, now=NOON, most=2)


def test_a_second_run_is_called_once_while_the_first_runs_and_for_the_same_kind(store: JobStore) -> None:
    job, (_, first) = drawing(store)

    assert [called(store, first) for _ in range(3)] == [True, False, False]
    assert store.take_due(now=NOON + LEASE) == [Announcement(job.id, SECOND, "aa")]
    claim(store, job, SECOND, "two")
    assert not called(store, first)


def test_no_second_run_is_called_for_an_attempt_that_is_over(store: JobStore) -> None:
    job, (other, first) = drawing(store)
    store.fail(first, CRASHED, now=NOON, retry_at=NOON)
    assert not called(store, first)
    claim(store, job, FIRST)
    assert not called(store, first)
    store.cancel(job.id, now=NOON)
    assert not called(store, other)


def test_the_second_run_takes_the_chunk_over_and_the_first_can_write_nothing(store: JobStore) -> None:
    job, (other, first) = drawing(store)
    store.commit(other, now=NOON, join=ASSEMBLE)
    assert called(store, first)
    second = claim(store, job, SECOND, "two").lease

    assert store.take_over(second, now=NOON + LEASE, join=ASSEMBLE, result={"sha256": "a"})

    taken = steps_of(store, job)[FIRST]
    assert (taken.status, taken.attempt, taken.worker) == (StepStatus.DONE, 2, "two")
    assert (taken.result, taken.finished_at, taken.route) == ({"sha256": "a"}, NOON + LEASE, "aa")
    assert steps_of(store, job)[SECOND].status is StepStatus.DONE
    assert steps_of(store, job)[ASSEMBLE].status is StepStatus.WAITING
    assert store.get(job.id).attempt == 2
    for move in (
        lambda: store.report(first, stage="rendering", progress=50, now=NOON, lease=LEASE),
        lambda: store.commit(first, now=NOON, join=ASSEMBLE),
        lambda: store.fail(first, CRASHED, now=NOON, retry_at=NOON),
        lambda: store.take_over(second, now=NOON),
    ):
        with pytest.raises(LeaseLostError):
            move()


def test_assembling_waits_for_the_other_chunks_when_one_is_taken_over(store: JobStore) -> None:
    job, (other, first) = drawing(store)
    assert called(store, first)

    assert not store.take_over(claim(store, job, SECOND).lease, now=NOON, join=ASSEMBLE)
    assert store.commit(other, now=NOON, join=ASSEMBLE)


@pytest.mark.parametrize("claimed", [False, True])
def test_a_second_run_is_void_when_the_first_was_quicker(store: JobStore, claimed: bool) -> None:
    job, (_, first) = drawing(store)
    assert called(store, first)
    second = claim(store, job, SECOND).lease if claimed else Lease(job.id, SECOND, 1)
    store.commit(first, now=NOON, join=ASSEMBLE, result={"sha256": "a"})

    with pytest.raises(LeaseLostError):
        store.report(second, stage="rendering", progress=50, now=NOON, lease=LEASE)
    with pytest.raises(LeaseLostError):
        store.take_over(second, now=NOON, join=ASSEMBLE, result={"sha256": "b"})
    with pytest.raises(ConflictError):
        claim(store, job, SECOND)
    assert steps_of(store, job)[FIRST].result == {"sha256": "a"}
    assert store.take_due(now=NOON + HOUR) == []


def test_a_chunk_whose_first_run_fell_silent_is_taken_over_all_the_same(store: JobStore) -> None:
    job, (other, first) = drawing(store)
    store.commit(other, now=NOON, join=ASSEMBLE)
    assert called(store, first)
    second = claim(store, job, SECOND).lease
    store.renew(second, now=NOON + LEASE / 2, lease=LEASE)
    assert store.release_expired(now=NOON + LEASE, max_attempts=3).again == [(job.id, FIRST)]

    assert store.take_over(second, now=NOON + LEASE, join=ASSEMBLE)
    with pytest.raises(ConflictError):
        claim(store, job, FIRST)


def test_a_second_run_that_fails_or_falls_silent_harms_nothing_and_is_called_again_a_few_times(
    store: JobStore,
) -> None:
    job, (other, first) = drawing(store)
    assert called(store, first)
    failed = store.fail(claim(store, job, SECOND, "two").lease, CRASHED, now=NOON, retry_at=None)
    assert failed.status is JobStatus.PROCESSING
    assert called(store, first)
    silent = claim(store, job, SECOND, "three").lease
    for held in (other, first):
        store.renew(held, now=NOON + LEASE / 2, lease=LEASE)
    released = store.release_expired(now=NOON + LEASE, max_attempts=1)
    assert (released.failed, released.again) == ([], [])
    assert store.get(job.id).status is JobStatus.PROCESSING

    assert steps_of(store, job)[SECOND].failures == (
        Failure(1, "two", "BROWSER_CRASHED"),
        Failure(silent.attempt, "three", "WORKER_LOST"),
    )
    assert not called(store, first), "as often as it may"


def test_failures_are_kept_with_the_worker_they_count_against(store: JobStore) -> None:
    job, (other, first) = drawing(store)
    store.fail(other, CRASHED, now=NOON, retry_at=NOON)
    store.fail(first, CRASHED, now=NOON, retry_at=NOON, blame=False)
    again = claim(store, job, CHUNKS[0], "two").lease
    assert store.failures(job.id, "one") == 1
    assert store.failures(job.id, "two") == 0
    store.release_expired(now=NOON + LEASE, max_attempts=3)

    assert store.failures(job.id, "two") == 1
    assert steps_of(store, job)[CHUNKS[0]].failures == (
        Failure(other.attempt, "one", "BROWSER_CRASHED"),
        Failure(again.attempt, "two", "WORKER_LOST"),
    )
    assert steps_of(store, job)[FIRST].failures == ()


def test_a_worker_that_lost_its_lease_is_blamed_once(store: JobStore) -> None:
    job, (_, first) = drawing(store)
    store.release_expired(now=NOON + LEASE, max_attempts=3)
    with pytest.raises(LeaseLostError):
        store.fail(first, CRASHED, now=NOON + LEASE, retry_at=NOON)

    assert steps_of(store, job)[FIRST].failures == (Failure(1, "one", "WORKER_LOST"),)


def test_only_jobs_of_which_a_chunk_runs_for_long_are_looked_at(store: JobStore) -> None:
    job, (other, first) = drawing(store)
    add_to(store)
    assert store.long_running(before=NOON - LEASE) == []
    assert store.long_running(before=NOON) == [job.id]
    store.commit(other, now=NOON, join=ASSEMBLE)
    assert store.long_running(before=NOON) == [job.id]
    store.commit(first, now=NOON, join=ASSEMBLE)
    assert store.long_running(before=NOON) == []


def test_a_plan_that_is_thrown_away_takes_its_second_runs_along(store: JobStore) -> None:
    job = add_to(store)
    plan = StepKey(StepName.PLAN_RENDER)
    store.commit(claim(store, job, PREPARE).lease, now=NOON, following=[plan])
    store.commit(claim(store, job, plan).lease, now=NOON, following=CHUNKS, route="aa")
    first = claim(store, job, FIRST).lease
    assert called(store, first)
    store.fail(first, CRASHED, now=NOON, retry_at=NOON)
    assert store.plan_again(job.id, now=NOON)

    with pytest.raises(ConflictError):
        claim(store, job, SECOND)


RACER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ethereal.errors import LeaseLostError
from ethereal.jobs.file_database import open_file_database
from ethereal.jobs.model import JobId, Lease, StepKey, StepName
from ethereal.jobs.remote_database import open_remote_database
from ethereal.jobs.sql import SqlJobStore
kind, where, name, job = sys.argv[1:]
database = open_file_database(Path(where)) if kind == "file" else open_remote_database(where)
store, now, join = SqlJobStore(database), datetime.now(UTC), StepKey(StepName.ASSEMBLE_VIDEO)
end = store.commit if name == "render_chunk" else store.take_over
print("ready", flush=True)
sys.stdin.readline()
won = []
for index in range(20):
    try:
        end(Lease(JobId(job), StepKey(StepName(name), index), 1), now=now, join=join, result={"by": name})
        won.append(index)
    except LeaseLostError:
        pass
store.close()
print(*won)
"""


@pytest.mark.parametrize("kind", ["file", "remote"])
def test_of_two_runs_that_end_at_once_exactly_one_ends_each_chunk(kind: str, tmp_path: Path) -> None:
    chunks = [StepKey(StepName.RENDER_CHUNK, index) for index in range(20)]
    with open_hrana(tmp_path / "remote.db") as server:
        where = str(tmp_path / "file.db") if kind == "file" else server.url
        opened = open_file_database(Path(where)) if kind == "file" else open_remote_database(where)
        with closing(opened):
            migrate(opened)
            store = SqlJobStore(opened)
            job = add_to(store)
            store.commit(claim(store, job, PREPARE).lease, now=NOON, following=chunks, route="aa")
            for chunk in chunks:
                assert called(store, claim(store, job, chunk).lease)
                claim(store, job, chunk.second, "two")
            first, second = race(kind, where, job)
            steps = steps_of(store, job)

    assert sorted(first + second) == list(range(20))
    for index in range(20):
        by = "render_chunk" if index in first else "second_run"
        assert steps[chunks[index]].result == {"by": by}
    assert steps[ASSEMBLE].status is StepStatus.WAITING


def race(kind: str, where: str, job: Job) -> list[list[int]]:
    """The chunks that each of two processes ended: the first runs, the second runs."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, kind, where, name, job.id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("render_chunk", "second_run")
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return [[*map(int, racer.communicate(timeout=150)[0].split())] for racer in racers]
