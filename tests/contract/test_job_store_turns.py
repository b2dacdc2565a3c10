"""What every job store promises of clients: how much of each it takes, and whose turn it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from ethereal.errors import ConflictError, TooManyJobsError
from ethereal.jobs.model import Announcement, Claim, Job, JobId, JobType, StepKey, StepName
from ethereal.jobs.store import Idempotency, JobStore
from ethereal.jobs.turns import LEVELS, TURN_LASTS, Lane, Unfinished
from tests.builders import NOON, make_request

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
PREPARE, UPLOAD, PLAN = (
    StepKey(name) for name in (StepName.PREPARE_AUDIO, StepName.UPLOAD_R2, StepName.PLAN_RENDER)
)
CHUNKS = [StepKey(StepName.RENDER_CHUNK, index) for index in range(3)]
KIND = "abcd1234"


def new_job(client: str) -> Job:
    job = Job(
        id=JobId(str(uuid4())),
        type=JobType.RENDER,
        request=make_request(),
        created_at=NOON,
        updated_at=NOON,
    )
    return replace(job, client=client)


def add(store: JobStore, client: str, most: Unfinished | None = None) -> Job:
    return store.add(new_job(client), PREPARE, most=most)


def claim(store: JobStore, job: Job, step: StepKey = PREPARE, now: datetime = NOON) -> Claim:
    return store.claim(job.id, step, owner=str(uuid4()), now=now, lease=HOUR, time_limit=HOUR)


def turn(store: JobStore, lane: Lane = Lane.CPU, now: datetime = NOON) -> Announcement | None:
    return store.take_turn(lane, route=KIND, now=now)


def test_a_job_keeps_the_name_of_its_client(store: JobStore) -> None:
    assert store.get(add(store, "ann").id).client == "ann"


def test_a_client_may_have_so_many_jobs_that_live_and_all_of_them_so_many(store: JobStore) -> None:
    most = Unfinished(in_all=3, of_client=2)
    first, _ = add(store, "ann", most), add(store, "ann", most)

    with pytest.raises(TooManyJobsError, match="of your jobs"):
        add(store, "ann", most)
    add(store, "bob", most)
    assert store.unfinished("ann") == Unfinished(in_all=3, of_client=2)
    with pytest.raises(TooManyJobsError, match="more work waits"):
        add(store, "cleo", most)

    claim(store, first)
    store.cancel(first.id, now=NOON)
    add(store, "ann", most)
    assert len(store.list().jobs) == 4


def test_a_job_that_was_sent_before_is_found_where_there_is_no_room(store: JobStore) -> None:
    most, once = Unfinished(1, 1), Idempotency("once", "digest")
    job = store.add(new_job("ann"), PREPARE, idempotency=once, most=most)

    assert store.add(new_job("ann"), PREPARE, idempotency=once, most=most) == job
    with pytest.raises(ConflictError):
        store.add(new_job("ann"), PREPARE, idempotency=Idempotency("once", "other"), most=most)


def test_many_that_come_at_once_are_one_job_under_one_key_and_never_too_many(store: JobStore) -> None:
    def send(number: int) -> str:
        once = Idempotency("once", "digest") if number % 2 else None
        try:
            return store.add(new_job("ann"), PREPARE, idempotency=once, most=Unfinished(9, 4)).id
        except TooManyJobsError:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(send, range(16)))

    assert len({ids[number] for number in range(1, 16, 2)} - {"refused"}) <= 1
    assert store.unfinished("ann") == Unfinished(4, 4)


def test_among_the_jobs_of_one_client_all_are_as_good(store: JobStore) -> None:
    for _ in range(3):
        add(store, "ann")

    assert turn(store) is None


def test_the_one_job_of_a_client_comes_after_the_first_of_another_s_batch(store: JobStore) -> None:
    batch = [add(store, "ann") for _ in range(4)]
    claim(store, batch[0])
    short = add(store, "bob")

    assert turn(store) == Announcement(short.id, PREPARE, turn=True)
    places = {batch[1].id: 0, short.id: 1, batch[2].id: 2, batch[3].id: 3}
    jobs = [batch[0].id, *places]
    assert [store.queue_position(job_id) for job_id in jobs] == [None, 0, 1, 2, 3]
    assert store.queue_positions(jobs) == places


def test_clients_take_turns_where_one_worker_does_everything(store: JobStore) -> None:
    jobs = {
        job.id: job for job in [*(add(store, "ann") for _ in range(3)), *(add(store, "bob") for _ in "12")]
    }
    served, now = [], NOON
    while (told := turn(store, now=now)) is not None:
        store.finish(claim(store, jobs[told.job_id], now=now).lease, result={}, now=now)
        served.append(jobs[told.job_id].client)
        now += SECOND

    assert served == ["ann", "bob", "ann", "bob"]  # and what is left is of one client
    store.forget_turns(before=now + SECOND)


def test_the_client_of_whom_least_runs_is_next(store: JobStore) -> None:
    long, short = add(store, "ann"), add(store, "bob")
    for job in (long, short):
        store.commit(claim(store, job).lease, now=NOON, following=CHUNKS, route=KIND)
    claim(store, short, CHUNKS[0])
    claim(store, long, CHUNKS[0], now=NOON + SECOND)
    claim(store, long, CHUNKS[1], now=NOON + SECOND)

    assert turn(store, Lane.RENDER) == Announcement(short.id, CHUNKS[1], KIND, turn=True)


def test_a_turn_is_given_to_one_step_after_the_other_and_again_when_nobody_takes_it(store: JobStore) -> None:
    first, second = add(store, "ann"), add(store, "bob")

    assert [told.job_id for told in (turn(store), turn(store)) if told] == [first.id, second.id]
    assert turn(store) is None
    assert turn(store, now=NOON + TURN_LASTS) is not None


def test_a_turn_is_of_steps_that_these_workers_could_do(store: JobStore) -> None:
    jobs = [add(store, name) for name in ("ann", "bob")]
    for job in jobs:
        store.commit(claim(store, job).lease, now=NOON, following=[CHUNKS[0]], route="another")

    assert turn(store, Lane.CPU) is None
    assert turn(store, Lane.RENDER) is None
    assert store.take_turn(Lane.RENDER, route="another", now=NOON) is not None


def test_what_was_begun_goes_before_what_was_not_within_a_client(store: JobStore) -> None:
    begun, other, _ = add(store, "ann"), add(store, "ann"), add(store, "bob")
    store.commit(claim(store, other).lease, now=NOON, following=[UPLOAD])
    claim(store, begun, now=NOON)
    store.cancel(begun.id, now=NOON)
    add(store, "ann")

    told = [turn(store), turn(store)]
    assert [one.step for one in told if one] == [PREPARE, UPLOAD]  # bob was not served before


def test_every_step_has_a_level_and_a_lane() -> None:
    assert set(LEVELS) == set(StepName)
    assert {name for lane in Lane for name in lane.levels} == set(StepName)
