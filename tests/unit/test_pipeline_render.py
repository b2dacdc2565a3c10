"""The farm's steps over a real object store: what is damaged on the way is made again, once, alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ethereal.jobs.model import Job, JobStatus, Step, StepKey, StepName
from ethereal.pipeline import render
from ethereal.pipeline.folders import plan_folder
from ethereal.services import Services
from ethereal.storage import keys
from ethereal.storage.keys import StorageKey
from tests.builders import HandClock, MemoryQueue
from tests.farms import CHUNKS, FRAMES, PLAN, make_farm, plan_job


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(tmp_path: Path, clock: HandClock) -> Services:
    return make_farm(tmp_path, clock)


@pytest.fixture
def job(services: Services, tmp_path: Path) -> Job:
    """A job whose plan is made and whose chunks are drawn."""
    return drawn(services, tmp_path)


def drawn(services: Services, tmp_path: Path, container: str = "mp4") -> Job:
    job = plan_job(services, tmp_path, container)
    for index in range(CHUNKS):
        assert render.draw_chunk(services, job.id, index)
    return job


def ignore(told: object) -> None:
    pass


def chunk_steps(services: Services, job: Job) -> list[Step]:
    return [step for step in services.jobs.steps(job.id) if step.key.name is StepName.RENDER_CHUNK]


def damage(services: Services, job: Job, index: int, how: Callable[[bytearray], None]) -> None:
    """Change the stored bytes of a chunk behind everybody's back."""
    key = keys.plan_chunk(plan_hash(services, job), f"{index:06}-{index:06}")
    with services.objects.open(key) as stream:
        content = bytearray(stream.read())
    how(content)
    damaged = services.scratch / "damaged"
    damaged.write_bytes(content)
    services.objects.put(key, damaged)


def plan_hash(services: Services, job: Job) -> str:
    planned = next(step for step in services.jobs.steps(job.id) if step.key == PLAN)
    return str((planned.result or {})["planHash"])


def flip(content: bytearray) -> None:
    content[len(content) // 2] ^= 1


def cut(content: bytearray) -> None:
    del content[-100:]


def finished(services: Services, job: Job) -> Job:
    assert render.assemble(services, job.id)
    return services.jobs.get(job.id)


def test_a_job_whose_chunks_are_whole_ends_with_its_video(services: Services, job: Job) -> None:
    ended = finished(services, job)

    assert ended.status is JobStatus.COMPLETE
    assert ended.result is not None
    assert ended.result["frames"] == FRAMES
    assert services.objects.exists(keys.render_output(job.id, "mp4"))


@pytest.mark.parametrize(("container", "extension"), [("webm", "webm"), ("png-sequence", "zip")])
def test_a_job_ends_with_the_container_that_was_asked_for(
    services: Services, tmp_path: Path, container: str, extension: str
) -> None:
    job = drawn(services, tmp_path, container)

    result = finished(services, job).result or {}

    assert result["videoKey"] == f"renders/{job.id}/output.{extension}"
    for key in (result["videoKey"], result["posterKey"], result["contactKey"]):
        assert services.objects.exists(StorageKey(str(key)))


@pytest.mark.parametrize("how", [flip, cut])
def test_a_damaged_chunk_is_drawn_again_alone(
    services: Services, job: Job, how: Callable[[bytearray], None]
) -> None:
    sha256 = (chunk_steps(services, job)[1].result or {})["sha256"]
    damage(services, job, 1, how)

    assert render.assemble(services, job.id)

    assert services.jobs.get(job.id).status is JobStatus.PENDING
    assert [str(step.status) for step in chunk_steps(services, job)] == ["done", "waiting", "done"]
    queue = services.queue
    assert isinstance(queue, MemoryQueue)
    told = queue.announced[-1]
    assert (told.step, told.route) == (StepKey(StepName.RENDER_CHUNK, 1), "aa")
    assert not render.assemble(services, job.id), "it waits for the chunk"
    assert render.draw_chunk(services, job.id, 1)
    redone = chunk_steps(services, job)[1].result or {}
    assert (redone["sha256"], redone["redone"], "reused" in redone) == (sha256, True, False)
    assert finished(services, job).status is JobStatus.COMPLETE


def test_all_bad_chunks_are_drawn_again_at_once(services: Services, job: Job) -> None:
    damage(services, job, 0, flip)
    services.objects.delete(keys.plan_chunk(plan_hash(services, job), "000002-000002"))

    assert render.assemble(services, job.id)

    assert [str(step.status) for step in chunk_steps(services, job)] == ["waiting", "done", "waiting"]
    assert render.draw_chunk(services, job.id, 0)
    assert render.draw_chunk(services, job.id, 2)
    assert finished(services, job).status is JobStatus.COMPLETE


def test_a_chunk_that_is_damaged_each_time_fails_the_job(services: Services, job: Job) -> None:
    damage(services, job, 1, flip)
    assert render.assemble(services, job.id)
    assert render.draw_chunk(services, job.id, 1)
    damage(services, job, 1, flip)

    assert not render.assemble(services, job.id)

    ended = services.jobs.get(job.id)
    assert ended.error is not None
    assert (ended.status, ended.error.code) == (JobStatus.FAILED, "CHUNK_CORRUPT")


def test_a_chunk_whose_record_belongs_to_other_bytes_does_not_get_into_the_video(
    services: Services, job: Job
) -> None:
    """Another job's worker kept a record for bytes that never came to be."""
    key = keys.plan_chunk(plan_hash(services, job), "000000-000000.json")
    with services.objects.open(key) as stream:
        record = json.load(stream)
    assert record["sha256"] == (chunk_steps(services, job)[0].result or {})["sha256"]
    damage(services, job, 0, lambda content: content.extend(b"\0\0\0\x08free"))

    assert render.assemble(services, job.id)

    assert str(chunk_steps(services, job)[0].status) == "waiting"
    assert not services.objects.exists(key)


def test_a_plan_damaged_on_this_host_is_thrown_away_and_fetched_again(
    services: Services, clock: HandClock, job: Job
) -> None:
    kept = plan_folder(services, plan_hash(services, job), CHUNKS)
    (kept / "features.f32").write_bytes(b"\0" * 100)

    assert not render.assemble(services, job.id)
    assert not kept.exists()
    clock.turn(timedelta(minutes=1))

    assert finished(services, job).status is JobStatus.COMPLETE


def test_a_plan_damaged_in_the_store_fails_the_job_after_one_more_fetch(
    services: Services, clock: HandClock, job: Job
) -> None:
    kept = plan_folder(services, plan_hash(services, job), CHUNKS)
    archive = services.scratch / "plan.tar"
    key = keys.plan_archive(plan_hash(services, job), CHUNKS)
    content = bytearray(services.objects.fetch(key, archive).read_bytes())
    content[2000] ^= 1
    archive.write_bytes(content)
    services.objects.put(key, archive)
    (kept / "plan.json").unlink()

    for _ in range(3):
        assert not render.assemble(services, job.id)
        clock.turn(timedelta(minutes=1))

    ended = services.jobs.get(job.id)
    assert ended.error is not None
    assert (ended.status, ended.attempt, ended.error.code) == (JobStatus.FAILED, 2, "PLAN_HASH_MISMATCH")
