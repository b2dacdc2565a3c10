"""kill -9 of real workers in the middle of an ingest and of a save: others take over, and nothing is left."""

from __future__ import annotations

import platform
import socket
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest
from celery import Celery

from ethereal.client import ApiClient
from ethereal.embedded import RunningStack
from tests.extra_worker import open_worker, until_listening
from tests.played_web import answering, played_web
from tests.sounds import write_beats
from tests.waiting import until

USUAL, DOOMED = f"cpu@{platform.node()}", f"doomed@{platform.node()}"
PATIENCE = 150.0


@pytest.fixture
def farm(stack: RunningStack) -> Celery:
    return Celery("ethereal", broker=stack.broker_url)


def kill(processes: list[psutil.Process]) -> None:
    """All of them at once, and whatever they have started is gone too."""
    started = [child for process in processes for child in process.children(recursive=True)]
    for process in processes:
        process.kill()
    assert psutil.wait_procs({*processes, *started}, timeout=PATIENCE)[1] == []


def pool_below(root: int, name: str) -> list[psutil.Process]:
    """The pool of a worker: forks that have the command of the process they came from."""
    return [
        process
        for process in psutil.Process(root).children(recursive=True)
        if (parent := process.parent())
        and any(word.startswith(f"{name}@") for word in process.cmdline())
        and parent.cmdline() == process.cmdline()
    ]


def ended(client: ApiClient, job_id: str) -> dict[str, Any]:
    *_, job = client.follow(job_id, every=0.1)
    assert job["status"] == "complete", job
    return job


def files_of(stack: RunningStack, asset_id: str) -> set[str]:
    return {path.name for path in (stack.options.data_dir / "objects" / "assets" / asset_id).iterdir()}


def working_folders(stack: RunningStack) -> list[Path]:
    return [path for path in (stack.options.data_dir / "scratch").glob(".*") if path.is_dir()]


@pytest.fixture(scope="module")
def asset_id(stack: RunningStack, client: ApiClient, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Taken in by one worker after another was killed in the middle of it."""
    body = write_beats(tmp_path_factory.mktemp("song") / "a.wav", 20.0, rate=8000).read_bytes()
    stop, farm = threading.Event(), Celery("ethereal", broker=stack.broker_url)

    def half_at_first(connection: socket.socket) -> None:
        if len(web.asked) > 1:
            return answering(body)(connection)
        answering(body[: len(body) // 2], content_length=len(body))(connection)
        stop.wait(PATIENCE)

    with (
        played_web({"/a.wav": half_at_first}) as web,
        open_worker(stack, "doomed", "cpu", ETHEREAL_LEASE_SECONDS="2") as worker,
    ):
        until_listening(farm, DOOMED)
        farm.control.cancel_consumer("cpu", destination=[USUAL], reply=True)
        job_id = str(client.ingest(type="url", url=web.url("/a.wav"))["jobId"])
        until(lambda: web.asked and client.job(job_id)["stage"] == "downloading")
        [pool] = pool_below(worker.popen.pid, "doomed")
        kill([pool.parent(), pool])
        farm.control.add_consumer("cpu", destination=[USUAL], reply=True)
        job = ended(client, job_id)
        stop.set()
    assert (job["attempt"], len(web.asked)) == (2, 2)
    return str(job["result"]["assetId"])


def test_what_a_killed_worker_was_fetching_is_fetched_by_another(
    stack: RunningStack, client: ApiClient, asset_id: str
) -> None:
    assert [asset["assetId"] for asset in client.call("GET", "/api/audio/assets")["assets"]] == [asset_id]
    assert files_of(stack, asset_id) == {"original.wav", "peaks.json"}
    assert [path.name for path in (stack.options.data_dir / "objects" / "assets").iterdir()] == [asset_id]


def test_the_old_sound_is_heard_until_the_one_whose_worker_was_killed_is_whole(
    stack: RunningStack, client: ApiClient, asset_id: str
) -> None:
    def recipe(count: int, **fields: object) -> dict[str, Any]:
        clip = {"sourceAssetId": asset_id, "startTime": 0, "endTime": 20}
        return {
            "version": 1,
            "assetId": asset_id,
            "clips": [{"id": f"c{number}", **clip} for number in range(count)],
            **fields,
        }

    ended(client, client.edit("save", recipe(1))["jobId"])
    old = client.call("GET", f"/api/audio/assets/{asset_id}")["prepared"]
    job_id = str(client.edit("save", recipe(5, outputFormat="aac"))["jobId"])
    until(lambda: client.job(job_id)["stage"] == "rendering")
    kill(pool_below(stack.supervisor.popen.pid, "cpu"))

    assert client.call("GET", f"/api/audio/assets/{asset_id}")["prepared"] == old
    assert files_of(stack, asset_id) == {"original.wav", "peaks.json", "edits.json", "prepared.wav"}
    until(lambda: working_folders(stack) == [])
    job = ended(client, job_id)
    assert job["attempt"] == 2
    assert files_of(stack, asset_id) == {"original.wav", "peaks.json", "edits.json", "prepared.m4a"}
    assert (
        client.call("GET", f"/api/audio/assets/{asset_id}")["prepared"]["sha256"] == job["result"]["sha256"]
    )
    until(lambda: working_folders(stack) == [])


def test_an_ingest_that_hangs_holds_nobody_up_and_ends_when_it_is_called_off(
    stack: RunningStack, client: ApiClient, asset_id: str
) -> None:
    stop = threading.Event()

    def hang(connection: socket.socket) -> None:
        answering(b"RIFF", content_length=10_000)(connection)
        stop.wait(PATIENCE)

    clip = {"id": "a", "sourceAssetId": asset_id, "startTime": 1, "endTime": 2}
    with played_web({"/a.wav": hang}) as web:
        hanging = str(client.ingest(type="url", url=web.url("/a.wav"))["jobId"])
        until(lambda: web.asked)
        ended(client, client.edit("preview", {"version": 1, "assetId": asset_id, "clips": [clip]})["jobId"])
        assert client.job(hanging)["status"] == "processing"
        client.cancel(hanging)
        until(lambda: working_folders(stack) == [])
        stop.set()

    assert client.job(hanging)["status"] == "cancelled"
    assert [path.name for path in (stack.options.data_dir / "objects" / "assets").iterdir()] == [asset_id]
