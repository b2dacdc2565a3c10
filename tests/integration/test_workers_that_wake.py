"""A worker that stood still past its lease, at the worst moments: once it wakes it can change nothing."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from ethereal.errors import ConflictError
from ethereal.jobs.model import Job, JobStatus
from ethereal.pipeline.cancel import cancel
from ethereal.pipeline.reap import reap
from ethereal.storage.keys import StorageKey
from tests.small_farm import SmallFarm, Worker, open_small_farm
from tests.waiting import until

MOMENTS = (
    "sleep_before_beat",
    "sleep_before_put",
    "sleep_at_the_end_of_put",
    "sleep_before_commit",
    "sleep_before_failing",
)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallFarm]:
    times = {"lease_seconds": "2", "beat_seconds": "0.2", "retry_seconds": "0.2"}
    with open_small_farm(tmp_path_factory.mktemp("farm"), **times) as farm:
        yield farm


@pytest.fixture(scope="module")
def worker(farm: SmallFarm) -> Iterator[Worker]:
    with farm.worker("-c", str(len(MOMENTS) + 1)) as worker:
        yield worker


def asleep(worker: Worker) -> list[psutil.Process]:
    return [process for process in worker.children() if process.status() == psutil.STATUS_STOPPED]


def fall_asleep(farm: SmallFarm, worker: Worker) -> list[Job]:
    jobs = [farm.submit(f"{moment}.wav") for moment in MOMENTS]
    until(lambda: len(asleep(worker)) == len(jobs), logs=[worker.log])
    return jobs


def wake(farm: SmallFarm, worker: Worker) -> None:
    """Let them go on, and wait until they have nothing in hand any more."""
    for process in asleep(worker):
        process.resume()
    until(lambda: list(farm.services.scratch.glob(".prepare_audio*")) == [], logs=[worker.log])


def stored(farm: SmallFarm, jobs: list[Job]) -> object:
    """All that the job store says of these jobs."""
    return [(farm.services.jobs.get(job.id), farm.services.jobs.steps(job.id)) for job in jobs]


def objects(farm: SmallFarm) -> dict[str, tuple[object, bytes]]:
    """Every object, when it was written, and its bytes."""
    found = {}
    for facts in farm.services.objects.list(StorageKey("")):
        with farm.services.objects.open(facts.key) as stream:
            found[str(facts.key)] = (facts.modified_at, stream.read())
    return found


def test_one_whose_step_was_done_by_another_changes_nothing(farm: SmallFarm, worker: Worker) -> None:
    jobs = fall_asleep(farm, worker)
    until(lambda: reap(farm.services) and all(is_complete(farm, job) for job in jobs), logs=[worker.log])
    before = (stored(farm, jobs), objects(farm))

    wake(farm, worker)

    assert (stored(farm, jobs), objects(farm)) == before
    assert {farm.services.jobs.get(job.id).attempt for job in jobs} == {2}
    assert {data for _, data in objects(farm).values() if data.startswith(b"attempt")} == {b"attempt 2"}


def test_one_whose_job_was_called_off_leaves_nothing(farm: SmallFarm, worker: Worker) -> None:
    jobs = fall_asleep(farm, worker)
    for job in jobs:
        farm.services.jobs.cancel(job.id, now=farm.services.clock())  # its revoke was lost
    before = stored(farm, jobs)

    wake(farm, worker)

    assert stored(farm, jobs) == before
    assert [key for key in objects(farm) if any(job.id in key for job in jobs)] == []
    with pytest.raises(ConflictError, match="cancelled"):
        cancel(farm.services, jobs[0].id)


def is_complete(farm: SmallFarm, job: Job) -> bool:
    return farm.services.jobs.get(job.id).status is JobStatus.COMPLETE
