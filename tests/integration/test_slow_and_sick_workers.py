"""Real workers of which one stands still and one cannot draw: others do their work, and no byte differs."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from celery import Celery
from playwright.sync_api import sync_playwright

from ethereal.client import ApiClient
from ethereal.embedded import RunningStack
from ethereal.jobs.file_database import open_file_database
from ethereal.jobs.model import JobId, Step, StepName, StepStatus
from ethereal.jobs.sql import SqlJobStore
from ethereal.process import GuardedProcess
from ethereal.render.assemble import assemble
from ethereal.render.capture import open_chromium_renderer
from ethereal.render.capture.executable import find_chromium
from ethereal.render.chunk import render_chunk
from ethereal.render.plan import load_plan
from tests.extra_worker import open_worker, until_listening
from tests.sounds import write_beats

HOST = platform.node()
USUAL = f"render@{HOST}"
REQUEST = {"outputFormat": "draft-360p", "fps": 24, "quality": "draft"}
PATIENCE = 120.0


@pytest.fixture
def farm(stack: RunningStack) -> Celery:
    return Celery("ethereal", broker=stack.broker_url)


@pytest.fixture
def jobs(stack: RunningStack) -> Iterator[SqlJobStore]:
    with closing(SqlJobStore(open_file_database(stack.options.data_dir / "jobs.db"))) as store:
        yield store


def chunks_of(jobs: SqlJobStore, job_id: str) -> list[Step]:
    return [step for step in jobs.steps(JobId(job_id)) if step.key.name is StepName.RENDER_CHUNK]


def until_drawn_by(jobs: SqlJobStore, job_id: str, worker: str) -> Step:
    """The chunk that the worker has begun to draw."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for step in chunks_of(jobs, job_id):
            if step.worker == worker and step.status is StepStatus.RUNNING:
                return step
        time.sleep(0.02)
    pytest.fail(f"{worker} takes no chunk")


@contextmanager
def standing_still(worker: GuardedProcess, database: Path) -> Iterator[None]:
    """Stop all processes of a worker, where they do not hold the lock of the store."""
    while True:
        processes = psutil.Process(worker.popen.pid).children(recursive=True)
        for process in processes:
            process.suspend()
        if is_free(database):
            break
        for process in processes:
            process.resume()
    yield
    for process in processes:
        process.resume()


def is_free(database: Path) -> bool:
    with closing(sqlite3.connect(database, timeout=0.2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
    return True


def draw_apart(stack: RunningStack, plan_hash: str, folder: Path) -> str:
    """The sha256 of the video when its plan is drawn here, in one go and by nobody else."""
    (plan_dir,) = (stack.options.data_dir / "scratch" / "plans").glob(f"{plan_hash}-*")
    files = [folder / chunk.name for chunk in load_plan(plan_dir).chunks]
    for index, file in enumerate(files):
        render_chunk(plan_dir, index, file, open_renderer=open_chromium_renderer)
    return assemble(plan_dir, files, folder / "video.mp4").sha256


def ended(client: ApiClient, job_id: str) -> dict[str, Any]:
    *_, job = client.follow(job_id, every=0.2)
    assert job["status"] == "complete", job
    return job


def test_what_a_worker_that_stands_still_had_begun_is_drawn_by_another_and_it_stops_when_it_wakes(
    stack: RunningStack, client: ApiClient, farm: Celery, jobs: SqlJobStore, tmp_path: Path
) -> None:
    song = write_beats(tmp_path / "song.wav", 6.0)
    (kind,) = until_listening(farm, USUAL) - {"render"}
    slow = f"slow@{HOST}"
    # Its leases last: nothing but its pace tells that something is wrong.
    with open_worker(stack, "slow", ETHEREAL_LEASE_SECONDS="250") as worker:
        assert until_listening(farm, slow) == {"render", kind}
        farm.control.cancel_consumer(kind, destination=[USUAL], reply=True)
        job_id = str(client.render(client.upload(song), song.name, **REQUEST, chunks=3)["jobId"])
        begun = until_drawn_by(jobs, job_id, slow)
        with standing_still(worker, stack.options.data_dir / "jobs.db"):
            farm.control.add_consumer(kind, destination=[USUAL], reply=True)
            job = ended(client, job_id)
        (taken,) = [step for step in chunks_of(jobs, job_id) if step.key == begun.key]
        assert (taken.worker, taken.attempt) == (USUAL, begun.attempt + 1)
        assert until_listening(farm, slow), "it woke, found its lease gone, and is there for others"

    assert client.job(job_id)["result"] == job["result"]
    assert job["result"]["sha256"] == draw_apart(stack, job["result"]["planHash"], tmp_path)


def breaking_chromium(folder: Path) -> tuple[Path, Path]:
    """A browser that does not start any more once the second file is there."""
    with sync_playwright() as playwright:
        real = find_chromium(None, Path(playwright.chromium.executable_path))
    script, broken = folder / "chromium", folder / "broken"
    script.write_text(f'#!/bin/sh\n[ -e "{broken}" ] && exit 1\nexec "{real}" "$@"\n')
    script.chmod(0o755)
    return script, broken


@contextmanager
def taking_no_plans(farm: Celery, worker: str) -> Iterator[None]:
    farm.control.cancel_consumer("render", destination=[worker], reply=True)
    try:
        yield
    finally:
        farm.control.add_consumer("render", destination=[worker], reply=True)


def until_a_plan_failed(jobs: SqlJobStore, job_id: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if any(step.failures for step in jobs.steps(JobId(job_id)) if step.key.name is StepName.PLAN_RENDER):
            return
        time.sleep(0.02)
    pytest.fail("the plan does not fail")


def test_a_worker_that_cannot_draw_is_avoided_for_the_job(
    stack: RunningStack, client: ApiClient, farm: Celery, jobs: SqlJobStore, tmp_path: Path
) -> None:
    song = write_beats(tmp_path / "song.wav", 10.0)
    script, broken = breaking_chromium(tmp_path)
    usual = until_listening(farm, USUAL)
    with open_worker(stack, "sick", ETHEREAL_CHROMIUM=os.fspath(script)):
        assert until_listening(farm, f"sick@{HOST}") == usual, "it drew at its start as the others do"
        broken.touch()
        with taking_no_plans(farm, USUAL):
            job_id = str(client.render(client.upload(song), song.name, **REQUEST, chunks=5, seed=2)["jobId"])
            until_a_plan_failed(jobs, job_id)
        ended(client, job_id)

    assert {step.worker for step in chunks_of(jobs, job_id)} == {USUAL}
    failures = [failure for step in jobs.steps(JobId(job_id)) for failure in step.failures]
    assert {(failure.worker, failure.code) for failure in failures} == {(f"sick@{HOST}", "BROWSER_CRASHED")}
    assert len(failures) <= 3, "two, or one more where the others were slow to answer"
