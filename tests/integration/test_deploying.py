"""A deployment in the middle of twenty running jobs, with two beats: it costs chunks that were half drawn."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ethereal.jobs.model import Job, JobStatus, Step, StepStatus
from tests.hanging import CHUNKS, LONG
from tests.small_farm import SmallFarm, Worker, alive, open_small_farm
from tests.waiting import until

JOBS, SLOTS = 20, 4
STOP, GRACE = 1, 5


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[SmallFarm]:
    times = {"lease_seconds": "5", "beat_seconds": "0.5", "reaper_seconds": "0.5", "retry_seconds": "0.2"}
    stopping = {"stop_seconds": str(STOP), "grace_seconds": str(GRACE)}
    with open_small_farm(tmp_path, **times, **stopping) as farm:
        yield farm


@pytest.fixture
def reapers(farm: SmallFarm) -> Iterator[list[Worker]]:
    """Two beats that know nothing of each other, and two workers of theirs."""
    with ExitStack() as opened:
        for number in range(2):
            beat = ["-m", "celery", "-A", "tasks.app", "beat", "-s", str(farm.folder / f"schedule-{number}")]
            opened.enter_context(farm.process([sys.executable, *beat], farm.folder / f"beat-{number}.log"))
        control = {"app": "tasks.app", "queues": "control"}
        yield [opened.enter_context(farm.worker("-c", "1", **control)) for _ in range(2)]


def drawing(farm: SmallFarm) -> Worker:
    """A worker of steps and chunks."""
    return farm.worker("-c", str(SLOTS), queues="cpu,render")


def chunks_of(farm: SmallFarm, jobs: list[Job]) -> list[Step]:
    return [step for job in jobs for step in farm.services.jobs.steps(job.id) if step.key == step.key.first]


def done(farm: SmallFarm, jobs: list[Job]) -> list[Step]:
    return [step for step in chunks_of(farm, jobs) if step.status is StepStatus.DONE]


def reaped(farm: SmallFarm) -> list[int]:
    """How often each worker looked for stale steps."""
    told = farm.celery.control.inspect(timeout=2).stats() or {}
    return [count for stats in told.values() if (count := stats["total"].get("reap"))]


def test_a_deployment_costs_at_most_the_chunks_that_were_being_drawn(
    farm: SmallFarm, reapers: list[Worker]
) -> None:
    with drawing(farm) as old:
        jobs = [farm.submit("deal.wav", title=LONG if index < 2 else "") for index in range(JOBS)]
        until(lambda: len(done(farm, jobs)) > JOBS, logs=[old.log])
        old.main.terminate()
        until(lambda: alive([old.main]) == [], logs=[old.log])
    before = done(farm, jobs)
    assert len(before) < JOBS * CHUNKS, "it was all done: nothing was interrupted"

    with drawing(farm) as new:
        statuses = lambda: {farm.services.jobs.get(job.id).status for job in jobs}  # noqa: E731
        until(lambda: statuses() == {JobStatus.COMPLETE}, logs=[new.log])

    notes = Counter((farm.folder / "data" / "drawn").read_text().splitlines())
    ended = {note: count for note, count in notes.items() if note.endswith("ended")}
    begun = {note: count for note, count in notes.items() if note.endswith("begun")}
    assert set(ended.values()) == {1}
    assert len(ended) == len(begun) == JOBS * CHUNKS
    assert sum(begun.values()) - len(ended) <= SLOTS, "what was cut off, and nothing else, was begun again"
    chunks = {(step.job_id, step.key): step for step in chunks_of(farm, jobs)}
    assert [chunks[step.job_id, step.key] for step in before] == before, "what was done stayed as it was"
    assert [step.failures for step in chunks.values() if step.failures] == []
    assert len(reaped(farm)) == 2, "both beats had their workers look"
