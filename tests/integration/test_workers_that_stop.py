"""SIGTERM to a worker: it ends in time, finishes what it can, hands the rest back, and begins nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ethereal.jobs.model import Job, Step, StepStatus
from ethereal.pipeline.reap import reap
from tests.hanging import HANGING
from tests.small_farm import PREPARE, SmallFarm, alive, open_small_farm
from tests.waiting import until

STOP, GRACE = 3, 6


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallFarm]:
    times = {"lease_seconds": "3", "beat_seconds": "0.5", "grace_seconds": str(GRACE)}
    with open_small_farm(tmp_path_factory.mktemp("farm"), stop_seconds=str(STOP), **times) as farm:
        yield farm


def step_of(farm: SmallFarm, job: Job) -> Step:
    (step,) = farm.services.jobs.steps(job.id)
    assert step.key == PREPARE
    return step


def begun(farm: SmallFarm, job: Job) -> bool:
    return farm.services.jobs.get(job.id).stage == HANGING


def test_a_worker_that_is_to_stop_ends_what_ends_in_time_and_begins_nothing(farm: SmallFarm) -> None:
    with farm.worker("-c", "2") as worker:
        jobs = [farm.submit("end_soon.wav") for _ in range(2)]
        until(lambda: all(begun(farm, job) for job in jobs), logs=[worker.log])
        waiting = [farm.submit("end_soon.wav") for _ in range(3)]
        worker.main.terminate()
        until(lambda: alive([worker.main]) == [], logs=[worker.log])

    assert [step_of(farm, job).status for job in jobs] == [StepStatus.DONE] * 2
    assert [step_of(farm, job).attempt for job in waiting] == [0] * 3

    with farm.worker("-c", "3") as worker:
        reap(farm.services)  # what the broker had given to the one that stopped
        until(lambda: all(step_of(farm, job).status is StepStatus.DONE for job in waiting), logs=[worker.log])
    assert [step_of(farm, job).attempt for job in (*jobs, *waiting)] == [1] * 5


def test_what_does_not_end_in_time_is_handed_back_or_killed_and_the_worker_ends(farm: SmallFarm) -> None:
    with farm.worker("-c", "2") as worker:
        hears, hangs = farm.submit("wait_for_family.wav"), farm.submit("hang.wav")
        until(lambda: begun(farm, hears) and begun(farm, hangs), logs=[worker.log])
        family = worker.family()
        worker.main.terminate()
        until(lambda: alive([worker.main]) == [], logs=[worker.log])
        until(lambda: alive(family) == [], logs=[worker.log])

    handed = step_of(farm, hears)
    assert (handed.status, handed.attempt, list(handed.failures)) == (StepStatus.WAITING, 1, [])
    assert step_of(farm, hangs).status is StepStatus.RUNNING, "it could not say a word: its lease says it"
    until(lambda: reap(farm.services).released == 1)
    with farm.worker("-c", "2") as worker:
        until(
            lambda: reap(farm.services) and step_of(farm, hears).attempt == step_of(farm, hangs).attempt == 2
        )
