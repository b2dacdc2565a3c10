"""/api/render: a video is asked for, as JSON or as a form with the file in it."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from ethereal.jobs.model import Job, JobId, JobType
from ethereal.jobs.request import RenderRequest
from ethereal.pipeline.cancel import cancel, delete
from web import access, pace
from web.api_jobs import list_page
from web.clients import sender
from web.face import services
from web.intake import open_form, submit_body, submit_form
from web.schemas import JobsQuery, RenderBody, read_body, read_query
from web.show import job_json

blueprint = Blueprint("api_render", __name__, url_prefix="/api/render")

#: JSON is whole in memory: larger audio comes as a form or through an upload link.
_JSON_BYTES = 24 << 20


@blueprint.post("")
@access.person_or_token
@pace.counted(pace.Act.SUBMIT)
def create() -> ResponseReturnValue:
    if request.mimetype == "multipart/form-data":
        form = open_form(services(), request)
        return _accepted(submit_form(services(), form, form.until_file(), sender()))
    request.max_content_length = _JSON_BYTES
    return _accepted(submit_body(services(), read_body(RenderBody), sender()))


@blueprint.get("")
@access.person_or_token
def list_renders() -> ResponseReturnValue:
    return list_page(read_query(JobsQuery).model_copy(update={"type": JobType.RENDER}))


@blueprint.get("/<job_id>")
@access.person_or_token
def show(job_id: str) -> ResponseReturnValue:
    return job_json(services(), _render(job_id))


@blueprint.delete("/<job_id>")
@access.person_or_token
def end(job_id: str) -> ResponseReturnValue:
    """Cancel a render that goes on, forget one that has ended."""
    if not _render(job_id).status.is_final:
        cancel(services(), JobId(job_id))
        return {"jobId": job_id, "action": "cancelled"}
    delete(services(), JobId(job_id))
    return {"jobId": job_id, "action": "deleted"}


def _render(job_id: str) -> Job:
    job = services().jobs.get(JobId(job_id))
    job.asked(RenderRequest)
    return job


def _accepted(job: Job) -> ResponseReturnValue:
    place = url_for("api_jobs.show_job", job_id=job.id)
    return {"jobId": job.id, "status": job.status}, 202, {"Location": place}
