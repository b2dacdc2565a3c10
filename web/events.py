"""GET /api/jobs/{id}/events: server-sent events of one job, from how it stands now to its end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from ethereal.errors import UnavailableError
from ethereal.jobs.model import Job, JobId
from ethereal.services import Services
from web import access
from web.face import face, services
from web.show import job_json

blueprint = Blueprint("events", __name__, url_prefix="/api/jobs")

_HEARTBEAT_SECONDS = 15.0
_RECONNECT_MILLISECONDS = 2000


@blueprint.get("/<job_id>/events")
@access.person_or_token
def follow(job_id: str) -> ResponseReturnValue:
    job = services().jobs.get(JobId(job_id))
    last_id = request.headers.get("Last-Event-ID", "")
    if job.status.is_final and last_id == _event_id(job_json(services(), job)):
        return "", 204  # tells the browser not to come back
    if not face().followers.acquire(blocking=False):
        raise UnavailableError("too many follow renders at once: ask now and then instead")
    stream = _events(services(), job.id, last_id, look_seconds=face().look_seconds)
    response = Response(stream, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    response.call_on_close(face().followers.release)
    return response


def _events(services: Services, job_id: JobId, last_id: str, *, look_seconds: float) -> Iterator[str]:
    """Yield an event whenever the job looks different from the one that `last_id` names."""
    yield f"retry: {_RECONNECT_MILLISECONDS}\n\n"
    stage, silent = _stage_of(last_id), 0.0
    while True:
        job = services.jobs.get(job_id)
        body = job_json(services, job)
        event_id = _event_id(body)
        if event_id != last_id:
            yield _event(_kind(job, stage), event_id, body)
            last_id, stage, silent = event_id, _stage_of(event_id), 0.0
        if job.status.is_final:
            return
        time.sleep(look_seconds)
        silent += look_seconds
        if silent >= _HEARTBEAT_SECONDS:
            yield ": still here\n\n"
            silent = 0.0


def _kind(job: Job, stage: str) -> str:
    if job.status.is_final:
        return "end"
    return "progress" if _stage_name(job.status, job.stage) == stage else "stage"


def _event_id(body: dict[str, object]) -> str:
    """Names how a job looks: equal looks have equal ids, so a client that resumes hears nothing twice."""
    place = body["queuePosition"] if body["queuePosition"] is not None else ""
    return f"{body['attempt']}.{_stage_name(body['status'], body['stage'])}.{place}.{body['progress']}"


def _stage_name(status: object, stage: object) -> str:
    return f"{status}/{stage or ''}"


def _stage_of(event_id: str) -> str:
    return event_id.split(".")[1] if event_id.count(".") >= 2 else ""


def _event(kind: str, event_id: str, body: dict[str, object]) -> str:
    return f"event: {kind}\nid: {event_id}\ndata: {json.dumps(body)}\n\n"
