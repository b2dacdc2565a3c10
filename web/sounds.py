"""The pages of the library: sounds that were taken in, taking in another, deleting one."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ethereal.assets.model import AssetId
from ethereal.audio.youtube import names_video
from ethereal.errors import InvalidInputError, TooManyRequestsError
from ethereal.jobs.model import Job, JobStatus, JobType
from ethereal.jobs.request import IngestRequest, SourceType
from ethereal.pipeline.library import delete_asset
from ethereal.pipeline.submit_audio import submit_ingest
from ethereal.services import Services
from web import access, pace, words
from web.api_ingest import submit_file
from web.clients import KEY_FIELD, sender_of_form
from web.errors import headers_of, problems_of, show_error, status_of
from web.face import services
from web.intake import open_form
from web.schemas import AssetsQuery, read_query
from web.show import title_of
from web.sound_view import SoundView

blueprint = Blueprint("sounds", __name__, url_prefix="/sounds")

_PAGE_LENGTH = 24
_SHOWN_ENDED = 3


@blueprint.get("")
@access.person
def show() -> ResponseReturnValue:
    return _page({}, {})


@blueprint.post("")
@access.streamed_form
@pace.counted(pace.Act.SUBMIT)
def take_in() -> ResponseReturnValue:
    form = open_form(services(), request)
    g.fields = form.fields  # the form is shown again with these when something is wrong
    part = form.until_file()
    access.check_csrf(form.fields.pop(access.TOKEN_FIELD, ""))
    sender = sender_of_form(form.fields.pop(KEY_FIELD, ""))
    if part is None:
        submit_ingest(services(), _from_address(services(), form.fields), sender)
    else:
        submit_file(services(), form, part, sender)
    return redirect(url_for(".show"), 303)


@blueprint.get("/<asset_id>/edit")
@access.person
def edit(asset_id: str) -> ResponseReturnValue:
    """The waveform and the recipe of a sound; scripts of the page fetch both."""
    sound = SoundView(services().assets.get(AssetId(asset_id)))
    return render_template("edit.html", sound=sound)


@blueprint.post("/<asset_id>/delete")
@access.form
def delete(asset_id: str) -> ResponseReturnValue:
    delete_asset(services(), AssetId(asset_id))
    return redirect(url_for(".show"), 303)


@blueprint.errorhandler(InvalidInputError)
@blueprint.errorhandler(TooManyRequestsError)
def show_problem(error: InvalidInputError | TooManyRequestsError) -> Response:
    """Show the page again with what is wrong beside each field."""
    if request.endpoint != "sounds.take_in":
        return show_error(error)
    page = _page(g.get("fields", {}), problems_of(error, "file"))
    return make_response(page, status_of(error), headers_of(error))


def _from_address(services: Services, fields: Mapping[str, str]) -> IngestRequest:
    url = fields.get("url", "").strip()
    if not url:
        raise InvalidInputError("no sound was named", {"file": ["choose a file, or give an address"]})
    attested_at = services.clock() if fields.get("rightsAttested") else None
    source_type = SourceType.YOUTUBE if names_video(url) else SourceType.URL
    return IngestRequest(source_type=source_type, url=url, rights_attested_at=attested_at)


def _page(fields: Mapping[str, str], problems: Mapping[str, list[str]]) -> str:
    query = read_query(AssetsQuery)
    page = services().assets.list(limit=_PAGE_LENGTH, cursor=query.cursor)
    coming, failed = _coming(services())
    limits = services().limits
    return render_template(
        "sounds.html",
        sounds=[SoundView(asset) for asset in page.assets],
        older=page.cursor,
        newest=query.cursor is None,
        coming=[(job.id, title_of(job), words.stage_words(job, None), int(job.progress)) for job in coming],
        failed=[(job.id, title_of(job), job.error.message) for job in failed if job.error],
        taken=words.size_words(services().assets.bytes_used()),
        room=f"{limits.assets_bytes / (1 << 30):g}",
        limit=limits.upload_bytes >> 20,
        fields=fields,
        problems=problems,
    )


def _coming(services: Services) -> tuple[list[Job], list[Job]]:
    """The ingests that go on, and the latest ones if they failed."""
    jobs = services.jobs.list(type_=JobType.INGEST, limit=_PAGE_LENGTH).jobs
    coming = [job for job in jobs if not job.status.is_final]
    return coming, [job for job in jobs[:_SHOWN_ENDED] if job.status is JobStatus.FAILED]
