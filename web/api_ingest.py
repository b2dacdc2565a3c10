"""POST /api/audio/ingest: sound is taken in, from an address, from an upload, or as a form with the file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from ethereal.errors import InvalidInputError
from ethereal.jobs.model import Job, Sender
from ethereal.jobs.request import IngestRequest, SourceType
from ethereal.pipeline.store_job import ensure_room
from ethereal.pipeline.submit_audio import check_room, submit_ingest
from ethereal.pipeline.upload import accept_upload
from ethereal.services import Services
from web import access, pace
from web.clients import sender
from web.face import services
from web.intake import clean_filename, open_form
from web.multipart import FilePart, FormReader
from web.schemas import (
    AddressSource,
    IngestBody,
    IngestForm,
    UploadSource,
    YoutubeSource,
    read_body,
    read_fields,
)

blueprint = Blueprint("api_ingest", __name__, url_prefix="/api/audio")


@blueprint.post("/ingest")
@access.person_or_token
@pace.counted(pace.Act.SUBMIT)
def create() -> ResponseReturnValue:
    if request.mimetype == "multipart/form-data":
        return accepted(_submit_form(services(), open_form(services(), request)))
    wanted = _request_of(services(), read_body(IngestBody).root)
    return accepted(submit_ingest(services(), wanted, sender()))


def accepted(job: Job, **more: object) -> ResponseReturnValue:
    """The answer to work that was taken."""
    place = url_for("api_jobs.show_job", job_id=job.id)
    return {"jobId": job.id, "status": job.status, **more}, 202, {"Location": place}


def _request_of(services: Services, source: YoutubeSource | AddressSource | UploadSource) -> IngestRequest:
    match source:
        case UploadSource():
            name = clean_filename(source.filename)
            return IngestRequest(
                source_type=SourceType(source.type), audio_key=source.storage_key, filename=name
            )
        case _:
            attested_at = services.clock() if source.rights_attested else None
            url = source.url.strip()
            return IngestRequest(source_type=SourceType(source.type), url=url, rights_attested_at=attested_at)


def _submit_form(services: Services, form: FormReader) -> Job:
    check_room(services)
    part = form.until_file()
    if part is None or part.name != "file":
        raise InvalidInputError("no file was sent", {"file": ["choose a sound or video file"]})
    read_fields(IngestForm, form.fields)
    return submit_file(services, form, part, sender(), lambda: read_fields(IngestForm, form.fields).type)


def submit_file(
    services: Services,
    form: FormReader,
    part: FilePart,
    sender: Sender,
    type_of: Callable[[], str] = lambda: SourceType.AUDIO_FILE,
) -> Job:
    """Take the file of a form in and store its ingest; a file that becomes no job is taken out again.

    `type_of` is asked once the whole form was read.
    """
    check_room(services)
    ensure_room(services, sender)
    filename = clean_filename(part.filename)
    with ExitStack() as undo:
        upload = accept_upload(services, part.as_stream(), filename=filename)
        undo.callback(services.objects.delete, upload.key)
        if form.until_file() is not None:
            raise InvalidInputError("one file at a time", {"file": ["must be one file"]})
        wanted = IngestRequest(
            source_type=SourceType(type_of()),
            audio_key=upload.key,
            audio_sha256=upload.sha256,
            filename=filename,
        )
        job = submit_ingest(services, wanted, sender)
        undo.pop_all()
    return job
