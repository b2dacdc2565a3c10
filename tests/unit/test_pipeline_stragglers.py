"""Second runs of slow chunks: when one is called, who takes it, and which of the two runs counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ethereal.errors import BrowserCrashedError, LeaseLostError
from ethereal.jobs.model import Announcement, Failure, Job, JobId, Lease, Step, StepKey, StepName, StepStatus
from ethereal.pipeline import render
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.progress import chunk_states
from ethereal.pipeline.reap import reap
from ethereal.pipeline.second_run import run_second
from ethereal.pipeline.stragglers import find_stragglers
from ethereal.services import Services
from tests.builders import NOON, HandClock, MemoryQueue
from tests.farms import CHUNKS, PLAN, make_farm, plan_job

SIZES = [100, 100, 100, 50]
HOUR = timedelta(hours=1)


def key(index: int) -> StepKey:
    return StepKey(StepName.RENDER_CHUNK, index)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def step(at: StepKey, status: StepStatus, **changes: object) -> Step:
    made = Step(job_id=JobId("job"), key=at, not_before=NOON, announce_at=NOON, route="aa", attempt=1)
    return replace(made, status=status, claimed_at=NOON, **changes)  # type: ignore[arg-type]


def farm(*, done_after: list[float], **last: object) -> dict[StepKey, Step]:
    """Chunks that were drawn, each in so many seconds, and the last one, which runs."""
    steps = [step(PLAN, StepStatus.DONE, result={"chunkFrames": SIZES})]
    steps += [
        step(key(index), StepStatus.DONE, finished_at=NOON + seconds(took))
        for index, took in enumerate(done_after)
    ]
    return {told.key: told for told in [*steps, step(key(3), StepStatus.RUNNING, **last)]}


def slow(steps: dict[StepKey, Step], drawn: int, after: float) -> bool:
    return [found.key for found in find_stragglers(steps, {3: drawn}, now=NOON + seconds(after))] == [key(3)]


@pytest.mark.parametrize(
    ("drawn", "after", "expected"),
    [
        (10, 3, True),  # 15 s in all where peers take 5
        (12, 3, False),  # 12.5 s in all
        (40, 12.5, False),  # late, but a second run would end after it
        (48, 20, True),  # it said that long ago
        (0, 9.9, False),  # its browser may just have come up
        (0, 10, True),
    ],
)
def test_a_straggler_needs_three_times_what_its_peers_took_and_longer_than_a_second_run(
    drawn: int, after: float, expected: bool
) -> None:
    assert slow(farm(done_after=[9, 10, 30]), drawn, after) is expected


def test_nothing_is_slow_before_a_peer_was_drawn() -> None:
    assert not slow(farm(done_after=[]), 0, 1000)
    reused = farm(done_after=[1])
    reused[key(0)] = replace(reused[key(0)], result={"reused": True})
    assert not slow(reused, 0, 1000)
    reused[key(0)] = replace(reused[key(0)], result={"copiedFrames": 100})
    assert not slow(reused, 0, 1000)


def test_frames_that_were_copied_do_not_make_a_peer_look_quick() -> None:
    steps = farm(done_after=[1])
    steps[key(0)] = replace(steps[key(0)], result={"copiedFrames": 90})
    assert not slow(steps, 10, 2), "10 s in all, where peers that draw all of theirs take 5"
    assert slow(steps, 4, 2)


@pytest.mark.parametrize("status", [StepStatus.WAITING, StepStatus.RUNNING])
def test_a_chunk_with_a_second_run_needs_no_third(status: StepStatus) -> None:
    steps = farm(done_after=[10])
    assert not slow(steps | {key(3).second: step(key(3).second, status)}, 1, 1000)
    assert slow(steps | {key(3).second: step(key(3).second, StepStatus.VOID)}, 1, 1000)


def test_a_chunk_that_waits_is_not_slow() -> None:
    steps = farm(done_after=[10])
    assert not slow(steps | {key(3): step(key(3), StepStatus.WAITING)}, 0, 1000)


def test_frames_of_an_earlier_attempt_do_not_make_this_one_look_quick() -> None:
    assert not slow(farm(done_after=[10], attempt=2), 1, 4), "one frame in 4 s, if it drew it"
    assert slow(farm(done_after=[10], attempt=2), 49, 12)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def one(tmp_path: Path, clock: HandClock) -> Services:
    return make_farm(tmp_path, clock, worker="one")


@pytest.fixture
def two(one: Services) -> Services:
    """Another worker of the same farm."""
    return replace(one, worker="two")


def queue_of(services: Services) -> MemoryQueue:
    assert isinstance(services.queue, MemoryQueue)
    return services.queue


def steps_of(services: Services, job: Job) -> dict[StepKey, Step]:
    return {told.key: told for told in services.jobs.steps(job.id)}


def stuck_job(one: Services, clock: HandClock, folder: Path) -> tuple[Job, Lease]:
    """A job all of whose chunks are drawn but the last, which worker `one` claimed long ago."""
    job = plan_job(one, folder)
    last = key(CHUNKS - 1)
    claim = one.jobs.claim(job.id, last, owner="1", worker="one", now=clock.now, lease=HOUR, time_limit=HOUR)
    for index in range(CHUNKS - 1):
        run_step(one, job.id, key(index), drawing_for(clock, seconds(5)))
    clock.turn(seconds(60))
    queue_of(one).announced.clear()
    return job, claim.lease


def drawing_for(clock: HandClock, long: timedelta) -> Callable[[Attempt], None]:
    def work(attempt: Attempt) -> None:
        clock.turn(long)
        render._draw_chunk(attempt)

    return work


def test_a_slow_chunk_is_drawn_again_by_another_worker_and_the_slow_one_stops(
    one: Services, two: Services, clock: HandClock, tmp_path: Path
) -> None:
    job, slow_lease = stuck_job(one, clock, tmp_path)
    queue_of(one).workers = frozenset({"one", "two"})
    second = slow_lease.step.second

    assert [reap(one).called_twice for _ in range(3)] == [1, 0, 0]
    assert queue_of(one).announced.count(Announcement(job.id, second, "aa")) == 1
    assert [chunk.second for chunk in chunk_states(one, job.id, one.jobs.steps(job.id))] == [
        False,
        False,
        True,
    ]
    assert not run_second(one, job.id, second.index), "never where the first run is"
    assert queue_of(one).announced.count(Announcement(job.id, second, "aa")) == 2, "it is passed on"
    assert steps_of(one, job)[second].attempt == 0
    assert run_second(two, job.id, second.index)

    taken = steps_of(one, job)[slow_lease.step]
    assert (taken.status, taken.attempt, taken.worker) == (StepStatus.DONE, 2, "two")
    assert [chunk.second for chunk in chunk_states(one, job.id, one.jobs.steps(job.id))] == [
        False,
        False,
        True,
    ]
    with pytest.raises(LeaseLostError):
        one.jobs.renew(slow_lease, now=clock(), lease=HOUR)
    assert render.assemble(one, job.id)
    assert not run_second(two, job.id, second.index), "a message that comes twice"


def test_a_second_run_stops_at_its_next_beat_when_the_first_was_quicker(
    one: Services, two: Services, clock: HandClock, tmp_path: Path
) -> None:
    job, slow_lease = stuck_job(one, clock, tmp_path)
    queue_of(one).workers = frozenset({"one", "two"})
    reap(one)

    def overtaken(attempt: Attempt) -> None:
        one.jobs.commit(slow_lease, now=clock(), join=render.ASSEMBLE, result={"sha256": "a"})
        clock.turn(seconds(3))
        attempt.beat("rendering", 32, 32)(0.5)
        pytest.fail("it went on")

    assert not run_step(two, job.id, slow_lease.step.second, overtaken)
    assert steps_of(one, job)[slow_lease.step].result == {"sha256": "a"}


def test_a_second_run_that_fails_does_no_harm(
    one: Services, two: Services, clock: HandClock, tmp_path: Path
) -> None:
    job, slow_lease = stuck_job(one, clock, tmp_path)
    queue_of(one).workers = frozenset({"one", "two"})
    reap(one)

    def crash(attempt: Attempt) -> None:
        raise BrowserCrashedError("gone")

    assert not run_step(two, job.id, slow_lease.step.second, crash)
    one.jobs.renew(slow_lease, now=clock(), lease=HOUR)
    *_, chunk = chunk_states(one, job.id, one.jobs.steps(job.id))
    assert (chunk.second, chunk.failures) == (False, [Failure(1, "two", "BROWSER_CRASHED")])
    assert reap(one).called_twice == 1, "another may do better"


@pytest.mark.parametrize("workers", [frozenset[str](), frozenset({"one"})])
def test_no_second_run_is_called_where_nobody_else_would_take_it(
    one: Services, clock: HandClock, tmp_path: Path, workers: frozenset[str]
) -> None:
    job, slow_lease = stuck_job(one, clock, tmp_path)
    queue_of(one).workers = workers

    assert reap(one).called_twice == 0
    assert slow_lease.step.second not in steps_of(one, job)
