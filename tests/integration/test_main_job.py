"""A job from the HTTP API to the downloaded video, through real servers, workers and browsers."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import signal
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import psutil
import pytest
from celery import Celery
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from ethereal.cli import cli
from ethereal.client import ApiClient, ApiError
from ethereal.embedded import RunningStack
from ethereal.embedded.logs import log_of
from ethereal.jobs.file_database import open_file_database
from ethereal.jobs.model import JobId, Step, StepName, StepStatus
from ethereal.jobs.sql import SqlJobStore
from tests.pictures import read_frames
from tests.played_web import answering, played_web
from tests.waiting import until

SMALL = {"outputFormat": "draft-360p", "fps": 24, "quality": "draft"}


def submit(client: ApiClient, song: Path, **request: object) -> str:
    return str(client.render(client.upload(song), song.name, **{**SMALL, **request})["jobId"])


def finish(client: ApiClient, job_id: str) -> dict[str, Any]:
    jobs = list(client.follow(job_id))
    assert jobs[-1]["status"] == "complete", jobs[-1]
    progress = [job["progress"] for job in jobs]
    assert progress == sorted(progress), "progress never falls"
    return jobs[-1]


def wait_for_stage(client: ApiClient, job_id: str, stage: str) -> None:
    for job in client.follow(job_id, every=0.1):
        if job["stage"] == stage:
            return
    pytest.fail(f"the job ended before {stage}")


@pytest.fixture(scope="module")
def video(client: ApiClient, song: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    job = finish(client, submit(client, song, chunks=1))
    path = tmp_path_factory.mktemp("video") / "video.mp4"
    client.download(job["downloadUrl"], path)
    return {**job, "path": path}


def test_the_downloaded_file_is_the_one_the_result_describes(video: dict[str, Any]) -> None:
    result, path = video["result"], video["path"]

    assert hashlib.sha256(path.read_bytes()).hexdigest() == result["sha256"]
    assert path.stat().st_size == result["sizeBytes"]
    assert (result["frames"], result["width"], result["height"]) == (240, 640, 360)
    assert result["durationSeconds"] == pytest.approx(10.0, abs=0.001)


def test_prometheus_reads_what_the_workers_did(stack: RunningStack, video: dict[str, Any]) -> None:
    with urlopen(f"{stack.web_url}/metrics") as answer:
        text = answer.read().decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    known = {(sample.name, *sorted(sample.labels.values())): sample.value for sample in samples}

    result = video["result"]
    assert known["ethereal_frames_drawn_total",] >= result["frames"]
    assert known["ethereal_render_fps_count",] >= result["chunks"]
    for step in ("prepare_audio", "plan_render", "render_chunk", "assemble_video"):
        assert known["ethereal_step_seconds_count", *sorted(("done", step))] >= 1
        assert known["ethereal_step_seconds_sum", *sorted(("done", step))] > 0
    assert known["ethereal_reaper_runs_total",] >= 1
    assert known["ethereal_jobs", "complete"] >= 1


def test_its_frames_are_all_there_bright_and_moving_with_the_sound(video: dict[str, Any]) -> None:
    frames = read_frames(video["path"])

    assert frames.shape == (240, 9, 16)
    assert frames.mean(axis=(1, 2)).min() > 2, "no frame is black"
    change = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2))
    assert np.median(change) > 0.05, "it moves"
    hits = [round(second * 24) for second in np.arange(1, 10, 0.5)]
    light = frames.mean(axis=(1, 2))
    after = np.mean([light[hit + 2 : hit + 6].mean() for hit in hits])
    before = np.mean([light[hit - 3 : hit].mean() for hit in hits])
    assert after > before, "it is brighter after a drum than before it"


def test_the_same_job_in_five_chunks_gives_the_same_file(
    client: ApiClient, song: Path, stack: RunningStack, video: dict[str, Any]
) -> None:
    shutil.rmtree(stack.options.data_dir / "objects" / "reuse")  # or it would copy what was drawn
    again = finish(client, submit(client, song, chunks=5))

    assert again["result"]["chunks"] == 5
    assert again["result"]["sha256"] == video["result"]["sha256"]


def test_a_killed_render_worker_costs_time_and_nothing_else(
    client: ApiClient, song: Path, stack: RunningStack
) -> None:
    # Large pictures: no chunk is drawn before the kill comes.
    job_id = submit(client, song, seed=7, chunks=2, outputFormat="flat-1080p-landscape")
    with closing(SqlJobStore(open_file_database(stack.options.data_dir / "jobs.db"))) as jobs:
        until(lambda: begun_chunks(jobs, job_id))
    for process_id in pool_of_render_worker(stack):
        os.kill(process_id, signal.SIGKILL)
    job = finish(client, job_id)

    assert job["attempt"] > 1, "the kill was felt"
    assert job["result"]["frames"] == 240


def begun_chunks(jobs: SqlJobStore, job_id: str) -> list[Step]:
    chunks = [step for step in jobs.steps(JobId(job_id)) if step.key.name is StepName.RENDER_CHUNK]
    return [chunk for chunk in chunks if chunk.status is StepStatus.RUNNING]


def pool_of_render_worker(stack: RunningStack) -> list[int]:
    """The ids of the processes in which Celery's render worker draws."""
    name = f"render@{platform.node()}"
    stats = Celery("ethereal", broker=stack.broker_url).control.inspect(destination=[name]).stats()
    return list(stats[name]["pool"]["processes"])


def test_a_cancelled_job_stops_and_leaves_nothing(client: ApiClient, song: Path, stack: RunningStack) -> None:
    job_id = submit(client, song, seed=11, outputFormat="flat-1080p-landscape")
    wait_for_stage(client, job_id, "rendering")
    assert client.cancel(job_id) == {"jobId": job_id, "status": "cancelled"}

    until(lambda: browsers_of(stack) == [])
    assert client.job(job_id)["status"] == "cancelled"
    until(lambda: files_of(stack, job_id) == [])
    with pytest.raises(ApiError, match="cancelled"):
        client.cancel(job_id)


def files_of(stack: RunningStack, job_id: str) -> list[str]:
    """What lies below the data directory under the job's name, while others come and go there."""
    walk = os.walk(stack.options.data_dir)
    return [
        os.path.join(folder, name) for folder, _, names in walk for name in names if job_id in folder + name
    ]


def browsers_of(stack: RunningStack) -> list[psutil.Process]:
    """The processes of all browsers that draw; one that ends while we look is none."""
    found = []
    for process in psutil.Process(stack.supervisor.popen.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "headless" in process.name():
                found.append(process)
    return found


def run_command(*words: object) -> str:
    """What a command of ours says."""
    result = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output.replace("\n", " ")


def test_sound_is_taken_in_cut_and_rendered(
    client: ApiClient, stack: RunningStack, song: Path, tmp_path: Path
) -> None:
    with played_web({"/song.wav": answering(song.read_bytes())}) as web:
        asset = finish(client, client.ingest(type="url", url=web.url("/song.wav"))["jobId"])["result"][
            "assetId"
        ]
    clip = {"id": "a", "sourceAssetId": asset, "startTime": 4, "endTime": 5}
    cut = {"version": 1, "assetId": asset, "clips": [clip], "normalize": True}
    heard = finish(client, client.edit("preview", cut)["jobId"])
    (tmp_path / "cut.json").write_text(json.dumps(cut))
    told = run_command("edit", tmp_path / "cut.json", "-o", tmp_path / "sound.wav", "--server", stack.web_url)
    kept = next(job for job in client.jobs(type="save"))
    assert f"{asset}/prepared.wav" in told
    assert f"{asset}  was there already" in run_command("ingest", song, "--server", stack.web_url)
    asked = client.call("POST", "/api/render", {"audio": {"type": "asset", "assetId": asset}, **SMALL})
    video = finish(client, asked["jobId"])

    assert (heard["result"]["durationSeconds"], kept["result"]["durationSeconds"]) == (1, 1)
    assert hashlib.sha256((tmp_path / "sound.wav").read_bytes()).hexdigest() == kept["result"]["sha256"]
    assert (video["result"]["frames"], video["title"]) == (24, "song")


def test_a_request_can_be_followed_from_the_browser_to_the_chunk(
    client: ApiClient, song: Path, stack: RunningStack
) -> None:
    audio = {"type": "upload", "storageKey": client.upload(song), "filename": song.name}
    asked = Request(
        f"{stack.web_url}/api/render",
        json.dumps({"audio": audio, **SMALL, "range": {"start": 0, "end": 0.5}}).encode(),
        {"Content-Type": "application/json", "X-Request-Id": "from-a-proxy-17"},
    )
    with urlopen(asked) as answer:
        assert answer.headers["X-Request-Id"] == "from-a-proxy-17"
        job_id = json.load(answer)["jobId"]
    finish(client, job_id)

    steps = {"prepare_audio", "upload_r2", "dispatch_modal", "plan_render", "render_chunk", "assemble_video"}
    until(
        lambda: steps_done(said_about(stack, "from-a-proxy-17")) >= steps
    )  # a job is done before it is said
    ours = said_about(stack, "from-a-proxy-17")
    assert [line["message"] for line in ours[:2]] == ["taken in: render", "POST /api/render: 202"]
    assert all(line["jobId"] == job_id and line["attempt"] == "1" for line in ours[2:])


def said_about(stack: RunningStack, request_id: str) -> list[dict[str, Any]]:
    said = [line for name in ("web", "worker", "render") for line in read_log(stack, name)]
    return [line for line in said if line.get("requestId") == request_id]


def steps_done(lines: list[dict[str, Any]]) -> set[str]:
    return {line["step"].split(".")[0] for line in lines if line["message"].endswith(" done")}


def read_log(stack: RunningStack, name: str) -> list[dict[str, Any]]:
    """The lines that our processes said; Celery greets in its own way."""
    text = log_of(stack.options.data_dir, name).read_text()
    return [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]
