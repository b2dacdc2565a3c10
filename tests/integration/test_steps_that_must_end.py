"""Steps that hang in ways of their own, and every way to end them: in the process table nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ethereal.jobs.model import Job, JobStatus
from ethereal.pipeline.cancel import cancel
from ethereal.pipeline.reap import reap
from ethereal.storage import keys
from tests.hanging import HANGING
from tests.small_farm import SmallFarm, Worker, alive, open_small_farm
from tests.waiting import until

SECONDS = 6.0
BODIES = ("hang", "wait_for_family", "draw")
#: Steps that hear that their time is up, and steps that do not.
HEARING = ("wait_for_family", "draw")
DEAF = ("hang", "hang_with_family", "hang_with_browser", "wait_for_family_and_wait_again")


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallFarm]:
    times = {"lease_seconds": "3", "beat_seconds": "0.5", "max_attempts": "1", "grace_seconds": "7"}
    with open_small_farm(tmp_path_factory.mktemp("farm"), **times) as farm:
        yield farm


@pytest.fixture(scope="module")
def worker(farm: SmallFarm) -> Iterator[Worker]:
    with farm.worker("-c", str(len(BODIES))) as worker:
        yield worker


def hanging(farm: SmallFarm, worker: Worker, *bodies: str) -> list[Job]:
    """A job for each of these bodies, all of which hang."""
    jobs = [farm.submit(f"{body}.wav") for body in bodies]
    until(lambda: all(farm.services.jobs.get(job.id).stage == HANGING for job in jobs), logs=[worker.log])
    return jobs


def call_off(farm: SmallFarm, jobs: list[Job]) -> None:
    for job in jobs:
        assert cancel(farm.services, job.id).status is JobStatus.CANCELLED


def statuses(farm: SmallFarm, jobs: list[Job]) -> set[str]:
    """Of each, its status or the code of its error."""
    ended = [farm.services.jobs.get(job.id) for job in jobs]
    return {job.error.code if job.error else job.status for job in ended}


def left_on_disk(farm: SmallFarm, jobs: list[Job]) -> list[Path]:
    """Half-done files and objects of these jobs."""
    scratch = [path for path in farm.services.scratch.glob(".*") if path.is_dir()]
    objects = [
        Path(facts.key) for job in jobs for facts in farm.services.objects.list(keys.render_folder(job.id))
    ]
    return scratch + objects


def test_a_job_that_is_called_off_is_gone_with_its_processes(farm: SmallFarm, worker: Worker) -> None:
    jobs = hanging(farm, worker, *BODIES)
    family = worker.family()

    call_off(farm, jobs)

    until(lambda: alive(family) == [], logs=[worker.log])
    until(lambda: left_on_disk(farm, jobs) == [])
    assert statuses(farm, jobs) == {"cancelled"}


def test_a_pool_process_that_is_killed_takes_all_it_started_with_it(farm: SmallFarm, worker: Worker) -> None:
    jobs = hanging(farm, worker, *BODIES)
    family = worker.family()

    for process in worker.children():
        process.kill()

    until(lambda: alive(family) == [], logs=[worker.log])
    call_off(farm, jobs)
    until(lambda: left_on_disk(farm, jobs) == [])
    assert statuses(farm, jobs) == {"cancelled"}


def test_a_worker_that_is_killed_takes_all_it_started_with_it(farm: SmallFarm, worker: Worker) -> None:
    jobs = hanging(farm, worker, *BODIES)
    family = worker.family()

    worker.main.kill()

    until(lambda: alive(family) == [], logs=[worker.log])
    call_off(farm, jobs)
    assert statuses(farm, jobs) == {"cancelled"}


@pytest.fixture(scope="module")
def short(farm: SmallFarm, worker: Worker) -> Iterator[Worker]:
    """A worker whose steps have few seconds; the one before it is killed, if it was not."""
    worker.main.kill()
    until(lambda: alive([worker.main]) == [], logs=[worker.log])
    with farm.worker("-c", str(len(HEARING + DEAF)), ETHEREAL_RENDER_MINUTES="0.2") as short:
        yield short


def test_the_next_worker_removes_what_the_killed_one_left(farm: SmallFarm, short: Worker) -> None:
    assert left_on_disk(farm, []) == []


def test_steps_whose_time_is_up_tidy_up_and_those_that_do_not_hear_of_it_are_killed(
    farm: SmallFarm, short: Worker
) -> None:
    jobs = hanging(farm, short, *HEARING, *DEAF)
    heard, silent, busy = jobs[:2], jobs[2:5], jobs[5:]
    pool, started = short.children(), below(short)

    until(lambda: "processing" not in statuses(farm, heard), logs=[short.log])
    assert statuses(farm, heard) == {"TIME_LIMIT"}, "told by the steps themselves"
    until(lambda: alive(started) == [], logs=[short.log])
    until(lambda: len(alive(pool)) == len(heard))

    until(lambda: reap(farm.services) and "processing" not in statuses(farm, jobs))
    assert statuses(farm, silent) == {"WORKER_LOST"}, "they were silent, so their leases ended long before"
    assert statuses(farm, busy) == {"TIME_LIMIT"}
    until(lambda: left_on_disk(farm, jobs) == [])


def test_in_the_end_nothing_runs_but_the_worker(farm: SmallFarm, short: Worker) -> None:
    until(lambda: {*farm.processes()} <= {short.main, *short.children(), *brokers()})


def brokers() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def below(worker: Worker) -> list[psutil.Process]:
    """What the pool has started."""
    return [process for child in worker.children() for process in child.children(recursive=True)]
