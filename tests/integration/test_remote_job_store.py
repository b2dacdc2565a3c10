"""The job store over the network: round trips, outages, lost answers, refusals."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from libsql_client import LibsqlError

from ethereal.errors import LeaseLostError, MisconfiguredError, StoreUnavailableError
from ethereal.jobs.database import Database
from ethereal.jobs.migrate import migrate
from ethereal.jobs.model import (
    Claim,
    Job,
    JobError,
    JobId,
    JobStatus,
    JobType,
    Sender,
    StepKey,
    StepName,
    StepStatus,
)
from ethereal.jobs.remote_database import open_remote_database
from ethereal.jobs.sql import SqlJobStore
from ethereal.jobs.store import Idempotency
from ethereal.pipeline.submit import submit_render
from ethereal.storage.keys import StorageKey
from tests.builders import NOON, make_request, make_services
from tests.round_trips import count_round_trips
from tests.standins.hrana import HranaStandIn, open_hrana

LEASE, HOUR = timedelta(seconds=30), timedelta(hours=1)
PREPARE, UPLOAD = StepKey(StepName.PREPARE_AUDIO), StepKey(StepName.UPLOAD_R2)
CHUNKS = [StepKey(StepName.RENDER_CHUNK, index) for index in range(2)]
ASSEMBLE = StepKey(StepName.ASSEMBLE_VIDEO)
BROKEN = JobError(code="SCENE_FAILED", message="the scene did not draw", retryable=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HranaStandIn]:
    with open_hrana(tmp_path / "jobs.db", token="token") as running:
        yield running


@pytest.fixture
def database(server: HranaStandIn) -> Iterator[Database]:
    with closing(open_remote_database(server.url, "token")) as opened:
        migrate(opened)
        yield opened


@pytest.fixture
def store(database: Database) -> SqlJobStore:
    return SqlJobStore(database)


def new_job() -> Job:
    return Job(
        id=JobId(str(uuid4())),
        type=JobType.RENDER,
        request=make_request(),
        created_at=NOON,
        updated_at=NOON,
    )


def claim(store: SqlJobStore, job: Job, step: StepKey = PREPARE) -> Claim:
    return store.claim(job.id, step, owner=str(uuid4()), now=NOON, lease=LEASE, time_limit=HOUR)


def trips(server: HranaStandIn, move: Callable[[], object]) -> int:
    before = len(server.asked)
    move()
    return len(server.asked) - before


def test_every_move_is_one_round_trip(store: SqlJobStore, server: HranaStandIn) -> None:
    job, second, third = new_job(), new_job(), new_job()
    for added in (job, second, third):
        assert trips(server, lambda added=added: store.add(added, PREPARE)) == 1
    assert trips(server, lambda: claim(store, job)) == 1
    lease = replace(claim(store, second).lease, job_id=job.id)
    failing = claim(store, third).lease

    for move in (
        lambda: store.get(job.id),
        lambda: store.list(),
        lambda: store.steps(job.id),
        lambda: store.queue_position(job.id),
        lambda: store.queue_positions([job.id]),
        lambda: store.get_many([job.id]),
        lambda: store.backlog(now=NOON),
        lambda: store.counts(),
        lambda: store.renew(lease, now=NOON, lease=LEASE),
        lambda: store.report(lease, stage="preparing", progress=5, now=NOON, lease=LEASE),
        lambda: store.fail(failing, BROKEN, now=NOON, retry_at=NOON),
        lambda: store.finish(lease, result={}, now=NOON),
        lambda: store.cancel(second.id, now=NOON),
        lambda: store.take_due(now=NOON),
        lambda: store.failures(job.id, "one"),
        lambda: store.long_running(before=NOON),
        lambda: store.call_second(lease, now=NOON, most=3),
        lambda: store.release_expired(now=NOON, max_attempts=3),
        lambda: store.delete(second.id),
    ):
        assert trips(server, move) == 1
    assert set(server.asked) == {"/v2/pipeline"}


def test_submitting_a_render_takes_one_round_trip(
    store: SqlJobStore, server: HranaStandIn, tmp_path: Path
) -> None:
    services = replace(make_services(tmp_path), jobs=store)
    request = make_request()
    (tmp_path / "song").write_bytes(b"sound")
    services.objects.put(StorageKey(request.audio_key), tmp_path / "song")

    assert trips(server, lambda: submit_render(services, request, Sender(key="k"))) == 1
    assert trips(server, lambda: submit_render(services, request, Sender(key="k"))) == 1
    assert len(store.list().jobs) == 1


def test_a_submit_over_the_api_takes_three_round_trips_at_most() -> None:
    assert count_round_trips() == {"upload": 1, "asset": 3, "preview": 3}


@pytest.mark.parametrize("fault", ["lost", "cut", "unavailable"])
def test_a_move_whose_answer_is_lost_is_still_made_once(
    store: SqlJobStore, server: HranaStandIn, fault: str
) -> None:
    """Each time the first answer does not come: the move was made (lost), or it was not (cut)."""

    def faulty(move: Callable[[], object]) -> object:
        server.fail(fault)
        return move()

    job = new_job()
    assert faulty(lambda: store.add(job, PREPARE)) == store.get(job.id)
    prepared = faulty(lambda: claim(store, job))
    assert isinstance(prepared, Claim)
    assert prepared.lease.attempt == 1
    faulty(lambda: store.report(prepared.lease, stage="preparing", progress=7, now=NOON, lease=LEASE))
    assert not faulty(lambda: store.commit(prepared.lease, now=NOON, following=CHUNKS, result={"a": 1}))

    first, last = (claim(store, job, chunk) for chunk in CHUNKS)
    assert faulty(lambda: store.get(job.id)) == store.get(job.id)
    failed = faulty(lambda: store.fail(first.lease, BROKEN, now=NOON, retry_at=NOON))
    assert isinstance(failed, Job)
    assert failed.status is JobStatus.PROCESSING
    assert not store.commit(last.lease, now=NOON, join=ASSEMBLE)
    again = claim(store, job, CHUNKS[0])
    assert again.lease.attempt == 2
    assert faulty(lambda: store.commit(again.lease, now=NOON, join=ASSEMBLE))

    faulty(lambda: store.redo(claim(store, job, ASSEMBLE).lease, CHUNKS[1:], now=NOON))
    assert store.commit(claim(store, job, CHUNKS[1]).lease, now=NOON, join=ASSEMBLE)
    ended = faulty(lambda: store.finish(claim(store, job, ASSEMBLE).lease, result={"x": 1}, now=NOON))
    assert isinstance(ended, Job)
    assert (ended.status, ended.result) == (JobStatus.COMPLETE, {"x": 1})
    assert [step.status for step in store.steps(job.id)] == [StepStatus.DONE] * 4
    assert [step.attempt for step in store.steps(job.id)] == [2, 1, 2, 2]


@pytest.mark.parametrize("fault", ["lost", "cut"])
def test_jobs_end_once_when_answers_are_lost(store: SqlJobStore, server: HranaStandIn, fault: str) -> None:
    failing, cancelled = (store.add(new_job(), PREPARE) for _ in range(2))
    held = claim(store, failing).lease

    server.fail(fault)
    assert store.fail(held, BROKEN, now=NOON, retry_at=None).status is JobStatus.FAILED
    server.fail(fault)
    assert store.cancel(cancelled.id, now=NOON).status is JobStatus.CANCELLED


def test_a_lost_answer_does_not_give_back_a_lost_lease(store: SqlJobStore, server: HranaStandIn) -> None:
    job = store.add(new_job(), PREPARE)
    late = claim(store, job).lease
    store.release_expired(now=NOON + LEASE, max_attempts=3)
    moves = (
        lambda: store.commit(late, now=NOON, following=[UPLOAD]),
        lambda: store.finish(late, result={}, now=NOON),
        lambda: store.fail(late, BROKEN, now=NOON, retry_at=None),
        lambda: store.report(late, stage="late", progress=9, now=NOON, lease=LEASE),
        lambda: store.redo(late, [PREPARE], now=NOON),
    )
    for move in moves:
        server.fail("lost")
        with pytest.raises(LeaseLostError):
            move()
    assert store.get(job.id).status is JobStatus.PENDING
    assert [step.key for step in store.steps(job.id)] == [PREPARE]


def test_the_same_request_is_stored_once_when_answers_are_lost(
    store: SqlJobStore, server: HranaStandIn
) -> None:
    key = Idempotency("key", "digest")
    first = store.add(new_job(), PREPARE, idempotency=key)
    server.fail("lost")
    assert store.add(new_job(), PREPARE, idempotency=key) == first
    server.fail("lost")
    second = new_job()
    assert store.add(second, PREPARE, idempotency=Idempotency("other", "digest")).id == second.id
    assert len(store.list().jobs) == 2


def test_a_server_that_stays_away_is_unavailable_and_nothing_is_half_done(
    store: SqlJobStore, server: HranaStandIn
) -> None:
    job = store.add(new_job(), PREPARE)
    held = claim(store, job).lease
    server.fail("cut", times=9)
    with pytest.raises(StoreUnavailableError):
        store.commit(held, now=NOON, following=CHUNKS)
    server.heal()

    assert [step.status for step in store.steps(job.id)] == [StepStatus.RUNNING]
    assert not store.commit(held, now=NOON, following=CHUNKS)


def test_it_goes_on_after_the_server_was_restarted(store: SqlJobStore, server: HranaStandIn) -> None:
    job = store.add(new_job(), PREPARE)
    server.stop()
    with pytest.raises(StoreUnavailableError):
        store.get(job.id)
    server.start()
    assert store.get(job.id) == job

    server.stop()
    server.start()
    assert claim(store, job).lease.attempt == 1


def test_no_stream_is_left_to_expire(store: SqlJobStore, server: HranaStandIn) -> None:
    server.idle_seconds = 0.0
    job = store.add(new_job(), PREPARE)
    assert claim(store, job).lease.attempt == 1
    assert server.open_streams == 0


def test_a_server_that_does_not_answer_is_unavailable_in_time(server: HranaStandIn) -> None:
    server.fail("hang")
    with closing(open_remote_database(server.url, "token", seconds=0.3)) as database:
        with pytest.raises(StoreUnavailableError, match="in time"):
            database.execute("SELECT 1")
        assert database.execute("SELECT 1").rows[0][0] == 1


@pytest.mark.parametrize("token", [None, "another"])
def test_a_wrong_token_is_told_apart_from_an_outage(server: HranaStandIn, token: str | None) -> None:
    with (
        closing(open_remote_database(server.url, token)) as database,
        pytest.raises(MisconfiguredError, match="ETHEREAL_DATABASE_AUTH_TOKEN"),
    ):
        migrate(database)


def test_an_address_without_a_database_is_told_apart_from_an_outage(server: HranaStandIn) -> None:
    with (
        closing(open_remote_database(f"{server.url}/elsewhere", "token")) as database,
        pytest.raises(MisconfiguredError, match="ETHEREAL_DATABASE_URL"),
    ):
        migrate(database)


def test_a_batch_is_done_whole_or_not_at_all(database: Database) -> None:
    with pytest.raises(LibsqlError):
        database.batch([("CREATE TABLE kept (a)", {}), ("INSERT INTO nowhere VALUES (1)", {})])
    assert database.execute("SELECT name FROM sqlite_master WHERE name = 'kept'").rows == []


def test_values_come_back_as_they_went(database: Database) -> None:
    sent = {"text": "Sóng", "whole": 2**53 + 1, "part": 0.1, "none": None}
    names = ", ".join(f":{name} AS {name}" for name in sent)
    assert list(database.execute(f"SELECT {names}", sent).rows[0]) == list(sent.values())


def test_calls_of_several_threads_wait_side_by_side(database: Database, server: HranaStandIn) -> None:
    server.latency = 0.3
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: database.execute(f"SELECT {number}").rows[0][0], range(8)))

    assert answers == list(range(8))
    assert server.most_at_once > 1


def test_a_forked_process_has_a_connection_of_its_own(store: SqlJobStore) -> None:
    job = store.add(new_job(), PREPARE)
    child = os.fork()
    if child == 0:
        os._exit(0 if store.get(job.id) == job else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.get(job.id) == job
