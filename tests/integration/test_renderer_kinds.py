"""Two kinds of renderers on one farm: a video is drawn by one of them alone."""

from __future__ import annotations

import platform
from pathlib import Path

import psutil
import pytest
from celery import Celery

from ethereal.client import ApiClient
from ethereal.embedded import RunningStack
from tests.extra_worker import open_worker, until_listening
from tests.sounds import write_beats

REQUEST = {"outputFormat": "draft-360p", "fps": 24, "quality": "draft", "seed": 5, "chunks": 2}


@pytest.fixture
def farm(stack: RunningStack) -> Celery:
    """What talks to the workers of the stack."""
    return Celery("ethereal", broker=stack.broker_url)


def test_a_job_whose_kind_of_renderer_disappears_says_so_and_is_drawn_by_another(
    stack: RunningStack, client: ApiClient, farm: Celery, tmp_path: Path
) -> None:
    host = platform.node()
    song = write_beats(tmp_path / "song.wav", 4.0)
    own = until_listening(farm, f"render@{host}")
    with open_worker(stack, "soft", ETHEREAL_GL="swiftshader") as worker:
        other = until_listening(farm, f"soft@{host}")
        assert other & own == {"render"}, "each kind has a queue of its own"
        farm.control.cancel_consumer("render", destination=[f"render@{host}"])
        job_id = str(client.render(client.upload(song), song.name, **REQUEST)["jobId"])
        for job in client.follow(job_id, every=0.2):
            if job["stage"] == "rendering":
                break
        assert job["stage"] == "rendering", job
        for process in psutil.Process(worker.popen.pid).children(recursive=True):
            process.kill()
    farm.control.add_consumer("render", destination=[f"render@{host}"])

    stages = {job["stage"] for job in client.follow(job_id)}
    job = client.job(job_id)
    assert job["status"] == "complete", job
    assert "waiting-for-renderer" in stages

    again = str(client.render(client.upload(song), song.name, **REQUEST)["jobId"])
    drawn_here = list(client.follow(again))[-1]["result"]
    for told in ("sha256", "planHash", "fingerprint"):
        assert job["result"][told] == drawn_here[told], "all of it was drawn by the kind that stayed"
