"""The pages people see: the form, the list of renders, one render."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from ethereal.assets.model import AssetId
from ethereal.errors import InvalidInputError, TooManyRequestsError
from ethereal.jobs.model import JobId, JobType
from ethereal.pipeline.cancel import cancel as call_off
from ethereal.pipeline.cancel import delete as forget
from ethereal.render.containers import TRANSPARENT
from web import access, catalog, pace
from web.clients import KEY_FIELD, new_key, sender_of_form
from web.errors import headers_of, problems_of, show_error, status_of
from web.face import services, settings
from web.headers import request_id
from web.intake import open_form, submit_form
from web.schemas import JobsQuery, read_query
from web.sound_view import SoundJobView
from web.view import Chosen, JobView, views_of

blueprint = Blueprint("pages", __name__)

_PAGE_LENGTH = 12


@blueprint.get("/")
@access.person
def create() -> ResponseReturnValue:
    return _form(Chosen.of(request.args), problems={})


@blueprint.post("/")
@access.streamed_form
@pace.counted(pace.Act.SUBMIT)
def submit() -> ResponseReturnValue:
    form = open_form(services(), request)
    g.fields = form.fields  # the form is shown again with these when something is wrong
    part = form.until_file()
    access.check_csrf(form.fields.pop(access.TOKEN_FIELD, ""))
    sender = sender_of_form(form.fields.pop(KEY_FIELD, ""))
    job = submit_form(services(), form, part, sender)
    return redirect(url_for(".job", job_id=job.id), 303)


@blueprint.get("/jobs")
@access.person
def jobs() -> ResponseReturnValue:
    query = read_query(JobsQuery)
    page = services().jobs.list(
        status=query.status, type_=JobType.RENDER, limit=_PAGE_LENGTH, cursor=query.cursor
    )
    views = views_of(services(), page.jobs, settings().base_url)
    return render_template(
        "jobs.html", jobs=views, status=query.status, older=page.cursor, newest=query.cursor is None
    )


@blueprint.get("/jobs/<job_id>")
@access.person
def job(job_id: str) -> ResponseReturnValue:
    found = services().jobs.get(JobId(job_id))
    if found.type is not JobType.RENDER:
        view = SoundJobView(services(), found, settings().base_url)
        return render_template("sound_job.html", job=view)
    return render_template("job.html", job=JobView(services(), found, settings().base_url))


@blueprint.post("/jobs/<job_id>/cancel")
@access.form
def cancel(job_id: str) -> ResponseReturnValue:
    call_off(services(), JobId(job_id))
    return redirect(url_for(".job", job_id=job_id), 303)


@blueprint.post("/jobs/<job_id>/delete")
@access.form
def delete(job_id: str) -> ResponseReturnValue:
    forget(services(), JobId(job_id))
    return redirect(url_for(".jobs"), 303)


@blueprint.errorhandler(InvalidInputError)
@blueprint.errorhandler(TooManyRequestsError)
def show_problem(error: InvalidInputError | TooManyRequestsError) -> Response:
    """Show the form again with what is wrong beside each field; other pages show the error as it is."""
    if request.endpoint != "pages.submit":
        return show_error(error)
    form = _form(Chosen.of(g.get("fields", {})), problems_of(error, "form"))
    return make_response(form, status_of(error), headers_of(error))


@blueprint.app_context_processor
def _everywhere() -> dict[str, object]:
    """What the frame of every page needs."""
    return {
        "farm": url_for("farm.show") if settings().flower_address else None,
        "idempotency_key": new_key(),
        "icon": current_app.jinja_env.get_template("_icons.html").module,
        "may_sign_out": settings().api_token is not None and access.is_known(),
        "request_id": request_id(),
    }


def _form(chosen: Chosen, problems: dict[str, list[str]]) -> str:
    return render_template(
        "create.html",
        chosen=chosen,
        problems=problems,
        asset=services().assets.get(AssetId(chosen.asset_id)) if chosen.asset_id else None,
        templates=catalog.template_cards(),
        formats=catalog.format_cards(),
        rates=catalog.FPS,
        qualities=catalog.quality_names(),
        containers=catalog.container_names(),
        transparent=TRANSPARENT,
        limit_bytes=services().limits.upload_bytes,
        limit_minutes=int(services().limits.audio.total_seconds() // 60),
    )
