"""The door for reports: open to who holds the token of an attempt, for that attempt alone."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from ethereal.dispatch.messages import Report
from ethereal.dispatch.proof import make_token
from ethereal.jobs.model import Job, JobStatus
from ethereal.pipeline.accept import accept
from ethereal.pipeline.attempt import run_step
from ethereal.pipeline.cancel import cancel
from ethereal.settings import Settings
from ethereal.storage.local import LocalObjectStore
from tests.builders import HandClock, add_job, make_services
from tests.cloud_builders import DISPATCH, PREPARE, SECRET, deliver, make_report, step_of, with_cloud
from tests.web_builders import Web, error_of
from web import create_app

PATH = "/api/webhooks/worker"


@pytest.fixture
def web(tmp_path: Path) -> Web:
    clock = HandClock()
    plain = make_services(tmp_path, clock=clock)
    services = with_cloud(plain, clock, plain.objects)
    settings = Settings(_env_file=None, data_dir=tmp_path, port=1, api_token="x" * 16)  # type: ignore[call-arg]
    services.scratch.mkdir()
    assert isinstance(services.objects, LocalObjectStore)
    return Web(create_app(services, settings, secret=b"for tests only"), services, clock)


@pytest.fixture
def job(web: Web) -> Job:
    """A job that a call draws."""
    job = add_job(web.services)
    run_step(web.services, job.id, PREPARE, lambda attempt: _ignore(attempt.commit([DISPATCH])))
    now, limits = web.services.clock(), web.services.limits
    held = web.services.jobs.claim(
        job.id, DISPATCH, owner="w", now=now, lease=limits.lease, time_limit=limits.step
    )
    web.services.jobs.hear(
        held.lease, call="fc-1", number=0, stage="x", progress=30.0, now=now, until=now + limits.step
    )
    return web.services.jobs.get(job.id)


def body_of(report: Report, **changes: object) -> dict[str, Any]:
    return {**report.model_dump(mode="json", exclude_none=True), **changes}


def post(web: Web, body: object, token: str | None = None) -> TestResponse:
    proof = {} if token is None else {"Authorization": f"Bearer {token}"}
    return web.client.post(PATH, json=body, headers=proof, base_url="http://127.0.0.1:1")


def token_of(job: Job, attempt: int = 1) -> str:
    return make_token(SECRET, job.id, attempt)


def refused(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, error_of(answer)["code"]


def test_progress_is_taken_from_who_holds_the_token(web: Web, job: Job) -> None:
    answer = post(web, body_of(make_report(job)), token_of(job))

    assert (answer.status_code, answer.get_json()) == (200, {"jobId": job.id, "attempt": 1, "sequence": 10})
    told = web.services.jobs.get(job.id)
    assert (told.stage, told.progress) == ("rendering", 50)


def test_nobody_else_is_heard(web: Web, job: Job) -> None:
    body = body_of(make_report(job))
    other = add_job(web.services)

    for token in (None, "", "x" * 16, token_of(job, 2), token_of(other), make_token(b"x" * 32, job.id, 1)):
        assert refused(post(web, body, token)) == (401, "UNAUTHORIZED")
    assert web.services.jobs.get(job.id) == job


def test_what_is_no_report_is_refused_by_field(web: Web, job: Job) -> None:
    for body in ([], {}, {"jobId": job.id}, {"jobId": job.id, "attempt": True}):
        assert refused(post(web, body, token_of(job))) == (400, "VALIDATION_ERROR")
    for changes, field in (({"surprise": 1}, "surprise"), ({"status": "done"}, "status")):
        answer = post(web, body_of(make_report(job), **changes), token_of(job))
        assert refused(answer) == (400, "VALIDATION_ERROR")
        assert field in error_of(answer)["details"]
    assert web.services.jobs.get(job.id) == job


def test_an_unknown_job_is_not_found(web: Web) -> None:
    unknown = str(uuid4())
    body = {"jobId": unknown, "attempt": 1, "sequence": 1, "callId": "fc-1", "status": "progress"}
    body |= {"progress": 40, "stage": "rendering"}

    assert refused(post(web, body, make_token(SECRET, unknown, 1))) == (404, "NOT_FOUND")


def test_an_attempt_that_is_over_and_a_final_job_are_told_so(web: Web, job: Job) -> None:
    assert refused(post(web, body_of(make_report(job, attempt=2)), token_of(job, 2)))[0] == 409
    assert refused(post(web, body_of(make_report(job, call_id="fc-2")), token_of(job)))[0] == 409
    cancel(web.services, job.id)

    for report in (make_report(job, sequence=11), make_report(job, sequence=12, error="SCENE_FAILED")):
        assert refused(post(web, body_of(report), token_of(job)))[0] == 409
    assert web.services.jobs.get(job.id).status is JobStatus.CANCELLED


def test_the_end_may_be_told_twice_and_counts_once(web: Web, job: Job) -> None:
    sha256 = hashlib.sha256(b"a video").hexdigest()
    body = body_of(make_report(job, sequence=11, result=deliver(web.services, job, sha256=sha256)))
    assert [post(web, body, token_of(job)).status_code for _ in range(2)] == [200, 200]
    assert accept(web.services, job.id)
    ended = web.services.jobs.get(job.id)

    assert post(web, body, token_of(job)).status_code == 200
    assert web.services.jobs.get(job.id) == ended
    assert ended.status is JobStatus.COMPLETE


def test_a_video_that_is_not_there_is_not_believed(web: Web, job: Job) -> None:
    result = deliver(web.services, job, size_bytes=8)

    assert refused(post(web, body_of(make_report(job, result=result)), token_of(job)))[0] == 400
    assert step_of(web.services, job).result != {}
    assert not web.services.jobs.get(job.id).status.is_final


def _ignore(told: object) -> None:
    pass
