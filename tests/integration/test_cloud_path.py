"""The cloud path whole: form or API, the chain, Modal's own runtime, a bucket, reports, and the download."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from ethereal.client import ApiClient
from ethereal.dispatch.proof import make_token
from ethereal.embedded import RunningStack, StackOptions, open_stack
from tests.sounds import write_beats
from tests.standins.hrana import open_hrana
from tests.standins.modal import ModalStandIn, open_modal
from tests.standins.modal.state import Call
from tests.standins.r2 import KEY_ID, SECRET, R2StandIn, open_r2
from tests.standins.relay import Relay, open_relay
from tests.waiting import until

WEBHOOK_SECRET = "a webhook secret of the tests, 32 bytes"
SHORT = {"range": {"start": 0, "end": 1}}
WANTED = {"outputFormat": "draft-360p", "fps": 24, "quality": "draft"}


@dataclass(frozen=True)
class Cloud:
    client: ApiClient
    stack: RunningStack
    r2: R2StandIn
    modal: ModalStandIn
    relay: Relay
    song: Path

    def render(self, **wanted: object) -> str:
        """Upload and render: a job that does not end well takes its upload with it."""
        key = self.client.upload(self.song)
        return str(self.client.render(key, self.song.name, **{**WANTED, **wanted})["jobId"])

    def ended(self, job_id: str) -> dict[str, Any]:
        *_, job = self.client.follow(job_id, every=0.1)
        return job

    def completed(self, job_id: str) -> dict[str, Any]:
        job = self.ended(job_id)
        assert job["status"] == "complete", (job, self.modal.logs()[-4000:])
        return job

    def calls(self) -> list[Call]:
        return self.modal.calls("render_video")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    with (
        open_r2() as r2,
        open_hrana(folder / "jobs.db", token="token") as database,
        open_modal(folder / "modal") as modal,
        open_relay() as relay,
    ):
        variables = {
            "ETHEREAL_STORAGE": "r2",
            "ETHEREAL_R2_ENDPOINT": r2.endpoint,
            "ETHEREAL_R2_BUCKET": r2.bucket_name,
            "ETHEREAL_R2_ACCESS_KEY_ID": KEY_ID,
            "ETHEREAL_R2_SECRET_ACCESS_KEY": SECRET,
            "ETHEREAL_DATABASE_URL": database.url,
            "ETHEREAL_DATABASE_AUTH_TOKEN": "token",
            "ETHEREAL_DISPATCHER": "modal",
            "ETHEREAL_MODAL_TOKEN_ID": modal.environment["MODAL_TOKEN_ID"],
            "ETHEREAL_MODAL_TOKEN_SECRET": modal.environment["MODAL_TOKEN_SECRET"],
            "ETHEREAL_MODAL_CORES": "2",
            "ETHEREAL_MODAL_SILENCE_SECONDS": "2",
            "ETHEREAL_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "ETHEREAL_PUBLIC_URL": relay.url,
            "ETHEREAL_LEASE_SECONDS": "8",
            "ETHEREAL_BEAT_SECONDS": "0.5",
            "ETHEREAL_RETRY_SECONDS": "0.5",
            "ETHEREAL_REAPER_SECONDS": "1",
        }
        environment = {**os.environ, **variables, **modal.environment}
        deploy(environment)
        options = StackOptions(data_dir=folder / "data", port=0, flower_port=0, environment=environment)
        with open_stack(options) as running:
            client, relay.port = ApiClient(running.web_url), running.options.port
            yield Cloud(client, running, r2, modal, relay, write_beats(folder / "song.wav", 3.0))


def deploy(environment: dict[str, str]) -> None:
    command = [str(Path(sys.executable).with_name("modal")), "deploy", "-m", "ethereal.modal_app"]
    subprocess.run(command, env=environment, check=True, capture_output=True)


@pytest.fixture
def roads(cloud: Cloud) -> Iterator[Cloud]:
    """The same, with everything in order again afterwards."""
    cloud.relay.answers.clear()
    yield cloud
    cloud.relay.way = "straight"
    cloud.relay.go_on.set()
    cloud.r2.heal()
    cloud.modal.turn_away(False)
    cloud.modal.plane.on_call = lambda call: None


def test_a_render_goes_from_upload_over_modal_to_download(cloud: Cloud, tmp_path: Path) -> None:
    stages: list[str] = []
    for job in cloud.client.follow(cloud.render(chunks=2), every=0.05):
        stages += [job["stage"]] if job["stage"] and job["stage"] not in stages else []
    assert job["status"] == "complete", (job, cloud.modal.logs()[-4000:])

    video = cloud.client.download(job["downloadUrl"], tmp_path / "video.mp4").read_bytes()
    result = job["result"]
    assert hashlib.sha256(video).hexdigest() == result["sha256"]
    assert (result["frames"], result["sizeBytes"], result["chunks"]) == (72, len(video), 2)
    assert (result["machine"], "dispatched-to-modal" in stages) == ("cpu", True)
    assert len(cloud.calls()) == len(cloud.modal.calls("render_chunk")) == 1
    assert sha256_of_farm(cloud, result, tmp_path) == result["sha256"]

    ours = [line for line in said(cloud) if line.get("jobId") == job["jobId"]]
    assert len({line["requestId"] for line in ours}) == 1, "the request is known in the containers"
    assert {line["chunk"] for line in ours if "chunk" in line} == {"1"}, "the first is drawn by the caller"


def said(cloud: Cloud) -> list[dict[str, Any]]:
    """What our code said in the containers."""
    return [json.loads(line) for line in cloud.modal.logs().splitlines() if line.startswith('{"time"')]


def sha256_of_farm(cloud: Cloud, result: dict[str, Any], folder: Path) -> str:
    """Render the same request on this machine; the plans must be equal, and so the files."""
    song = write_beats(folder / "song.wav", 3.0)
    command = [sys.executable, "-m", "ethereal.cli", "render", str(song), "--format", "draft-360p"]
    command += ["--fps", "24", "--quality", "draft", "--output", str(folder / "farm.mp4")]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return hashlib.sha256((folder / "farm.mp4").read_bytes()).hexdigest()


def new_calls(cloud: Cloud, before: int) -> int:
    return len(cloud.calls()) - before


def test_reports_that_never_arrive_lose_nothing(roads: Cloud) -> None:
    roads.relay.way, before = "lost", len(roads.calls())

    assert roads.completed(roads.render(**SHORT))["result"]["frames"] == 24
    assert new_calls(roads, before) == 1


def test_reports_that_arrive_twice_count_once(roads: Cloud) -> None:
    roads.relay.way, before = "twice", len(roads.calls())
    roads.completed(roads.render(**SHORT))

    assert new_calls(roads, before) == 1
    assert set(roads.relay.answers) == {200}


def test_reports_that_arrive_after_the_job_was_cancelled_change_nothing(roads: Cloud) -> None:
    roads.relay.go_on.clear()
    roads.relay.way = "late"
    job_id = roads.render(**SHORT)
    until(lambda: roads.relay.waiting)
    roads.client.cancel(job_id)
    roads.relay.go_on.set()
    until(lambda: roads.relay.answers)

    assert set(roads.relay.answers) == {409}
    until(lambda: all(item.output for item in roads.calls()[-1].inputs.values()))
    assert roads.client.job(job_id)["status"] == "cancelled"


def test_a_container_that_is_killed_costs_an_attempt_and_no_job(roads: Cloud) -> None:
    before = len(roads.calls())
    job_id = roads.render(**SHORT)
    until(lambda: roads.modal.kill_containers("render_video"))
    until(lambda: new_calls(roads, before) == 2)
    assert late_report(roads, job_id, attempt=1) == 409
    job = roads.completed(job_id)

    assert (job["attempt"], new_calls(roads, before)) == (2, 2)


def late_report(cloud: Cloud, job_id: str, *, attempt: int) -> int:
    """What a renderer of that attempt is answered, whose token is right."""
    body = {
        "jobId": job_id,
        "attempt": attempt,
        "sequence": 10**15,
        "callId": "fc-late",
        "status": "progress",
    }
    token = make_token(WEBHOOK_SECRET.encode(), job_id, attempt)
    body |= {"progress": 90, "stage": "rendering"}
    return cloud.relay.carry("/api/webhooks/worker", f"Bearer {token}", json.dumps(body).encode())


def test_modal_may_be_away_for_a_while(roads: Cloud) -> None:
    before, asked = len(roads.calls()), roads.modal.plane.seen.total()
    roads.modal.turn_away(True)
    job_id = roads.render(**SHORT)
    until(lambda: roads.modal.plane.seen.total() > asked)
    assert roads.client.job(job_id)["status"] == "processing"
    roads.modal.turn_away(False)

    assert roads.completed(job_id)["attempt"] == 1
    assert new_calls(roads, before) == 1


def test_a_bucket_may_be_away_for_a_while(roads: Cloud) -> None:
    before = len(roads.calls())
    job_id = roads.render(**SHORT)
    until(lambda: new_calls(roads, before))
    roads.r2.fail("unavailable", times=2, method="GET")
    roads.r2.fail("unavailable", times=2, method="PUT")

    roads.completed(job_id)
    assert new_calls(roads, before) == 1


def test_a_call_that_takes_too_long_fails_its_job(roads: Cloud) -> None:
    proto, before = roads.modal.plane.function("render_video").proto, len(roads.calls())
    usual, proto.timeout_secs = proto.timeout_secs, 1
    try:
        job = roads.ended(roads.render(**SHORT, seed=1))
    finally:
        proto.timeout_secs = usual

    assert (job["status"], job["error"]["code"]) == ("failed", "TIME_LIMIT")
    assert new_calls(roads, before) == 1


def test_a_worker_killed_after_the_call_and_before_it_is_stored_calls_nobody_twice(roads: Cloud) -> None:
    before, killed = len(roads.calls()), []

    def kill_worker(call: Call) -> None:
        if call.function.proto.function_name == "render_video":
            killed.extend(kill_pool(roads.stack))

    roads.modal.plane.on_call = kill_worker
    job = roads.completed(roads.render(**SHORT))

    assert killed
    assert (job["attempt"], new_calls(roads, before)) == (1, 1)


def kill_pool(stack: RunningStack) -> list[int]:
    """Kill the processes that do the steps of the cpu worker; Celery starts others."""
    family = psutil.Process(stack.supervisor.popen.pid).children(recursive=True)
    workers = [process for process in family if "cpu@%h" in process.cmdline()]
    pool = [process for process in workers if process.parent() in workers]
    for process in pool:
        process.kill()
    return [process.pid for process in pool]
