"""/api/jobs: how jobs stand, calling them off, forgetting them."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from ethereal.jobs.model import JobId
from ethereal.pipeline.cancel import cancel, delete
from web import access
from web.face import services
from web.schemas import JobsQuery, read_query
from web.show import job_json, jobs_json

blueprint = Blueprint("api_jobs", __name__, url_prefix="/api")


@blueprint.get("/jobs")
@access.person_or_token
def list_jobs() -> ResponseReturnValue:
    return list_page(read_query(JobsQuery))


@blueprint.get("/audio/jobs/<job_id>", endpoint="show_audio_job")
@blueprint.get("/jobs/<job_id>")
@access.person_or_token
def show_job(job_id: str) -> ResponseReturnValue:
    return job_json(services(), services().jobs.get(JobId(job_id)))


@blueprint.post("/audio/jobs/<job_id>/cancel", endpoint="cancel_audio_job")
@blueprint.post("/jobs/<job_id>/cancel")
@access.person_or_token
def cancel_job(job_id: str) -> ResponseReturnValue:
    job = cancel(services(), JobId(job_id))
    return {"jobId": job.id, "status": job.status}


@blueprint.delete("/jobs/<job_id>")
@access.person_or_token
def delete_job(job_id: str) -> ResponseReturnValue:
    delete(services(), JobId(job_id))
    return {"jobId": job_id, "action": "deleted"}


def list_page(query: JobsQuery) -> dict[str, object]:
    """One page of jobs, newest first; `cursor` continues after it."""
    page = services().jobs.list(status=query.status, type_=query.type, limit=query.limit, cursor=query.cursor)
    return {"jobs": jobs_json(services(), page.jobs), "cursor": page.cursor}
