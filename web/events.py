"""GET /api/jobs/{id}/events: server-sent events of one job, from how it stands now to its end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from ethereal.errors import UnavailableError
from ethereal.jobs.model import JobId, JobStatus
from ethereal.services import Services
from web import access
from web.face import face, services
from web.show import job_json, jobs_json
from web.watch import Seen, Watch

blueprint = Blueprint("events", __name__, url_prefix="/api/jobs")

_HEARTBEAT_SECONDS = 15.0
_RECONNECT_MILLISECONDS = 2000


@blueprint.get("/<job_id>/events")
@access.person_or_token
def follow(job_id: str) -> ResponseReturnValue:
    seen = _seen(job_json(services(), services().jobs.get(JobId(job_id))))
    last_id = request.headers.get("Last-Event-ID", "")
    if seen.is_final and last_id == seen.event_id:
        return "", 204  # tells the browser not to come back
    if not face().followers.acquire(blocking=False):
        raise UnavailableError("too many follow jobs at once: ask now and then instead")
    stream = _events(face().watch, JobId(job_id), seen, last_id)
    response = Response(stream, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    response.call_on_close(face().followers.release)
    return response


def seen_jobs(services: Services, ids: Sequence[JobId]) -> Mapping[JobId, Seen]:
    """How each of these jobs is seen; those that are gone are left out."""
    jobs = list(services.jobs.get_many(ids).values())
    return {job.id: _seen(body) for job, body in zip(jobs, jobs_json(services, jobs), strict=True)}


def _events(watch: Watch, job_id: JobId, first: Seen, last_id: str) -> Iterator[str]:
    """Yield an event whenever the job looks different from the one that `last_id` names."""
    yield f"retry: {_RECONNECT_MILLISECONDS}\n\n"
    with watch.follow(job_id) as follower:
        seen: Seen | None = first
        while not follower.is_gone:
            if seen is None:
                yield ": still here\n\n"
            elif seen.event_id != last_id:
                yield _event(_kind(seen, _stage_of(last_id)), seen)
                last_id = seen.event_id
            if seen is not None and seen.is_final:
                return
            seen = follower.wait(_HEARTBEAT_SECONDS)


def _seen(body: Mapping[str, object]) -> Seen:
    """Equal looks have equal ids, so a client that resumes hears nothing twice."""
    place = body["queuePosition"] if body["queuePosition"] is not None else ""
    stage = _stage_name(body["status"], body["stage"])
    event_id = f"{body['attempt']}.{stage}.{place}.{body['progress']}"
    return Seen(event_id, JobStatus(str(body["status"])).is_final, body)


def _kind(seen: Seen, stage: str) -> str:
    if seen.is_final:
        return "end"
    return "progress" if _stage_of(seen.event_id) == stage else "stage"


def _stage_name(status: object, stage: object) -> str:
    return f"{status}/{stage or ''}"


def _stage_of(event_id: str) -> str:
    return event_id.split(".")[1] if event_id.count(".") >= 2 else ""


def _event(kind: str, seen: Seen) -> str:
    return f"event: {kind}\nid: {seen.event_id}\ndata: {json.dumps(seen.body)}\n\n"
