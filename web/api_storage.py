"""/api/storage: links to put a file, and the links of the local store, which this app serves itself."""

from __future__ import annotations

from contextlib import ExitStack
from typing import BinaryIO, cast

from flask import Blueprint, Response, request, send_file
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.wsgi import ClosingIterator

from ethereal.errors import ConflictError, InvalidInputError, NotFoundError
from ethereal.pipeline.upload import ask_upload, receive, upload_folder
from ethereal.storage.content_types import content_type_of
from ethereal.storage.local import LocalObjectStore
from ethereal.storage.signing import Permit
from web import access, pace
from web.face import services
from web.schemas import UploadBody, read_body
from web.show import instant

blueprint = Blueprint("api_storage", __name__, url_prefix="/api/storage")

_KEEP_SECONDS = 3600


@blueprint.post("/upload")
@access.person_or_token
@pace.counted(pace.Act.SUBMIT)
def ask() -> ResponseReturnValue:
    """Give a link to put one file of a named size and type."""
    body = read_body(UploadBody)
    content_type = body.content_type or content_type_of(body.filename)
    link = ask_upload(services(), filename=body.filename, content_type=content_type, size=body.size)
    return {
        "uploadUrl": link.url,
        "method": link.method,
        "headers": dict(link.headers),
        "key": link.key,
        "expiresAt": instant(link.expires_at),
    }


@blueprint.put("/upload")
@access.signed
def put() -> ResponseReturnValue:
    """Take the file that a link was given for; anything else is refused and nothing is stored."""
    permit = _local_store().check_link("PUT", request.args.to_dict())
    _check_announced(permit)
    request.max_content_length = permit.size + 1  # a server that ends the stream itself must see its end
    with upload_folder(services()) as folder:
        path = folder / "upload"
        body = cast(BinaryIO, request.stream)
        sha256 = receive(services(), body, path, declared_size=permit.size)
        facts = services().objects.put(permit.key, path)
    return {"key": facts.key, "size": facts.size, "sha256": sha256}, 201


@blueprint.get("/download")
@access.signed
def download() -> ResponseReturnValue:
    """Serve an object, or the part of it that was asked for."""
    store = _local_store()
    permit = store.check_link("GET", request.args.to_dict())
    facts = store.stat(permit.key)
    with ExitStack() as opened:
        response = send_file(
            opened.enter_context(store.open(permit.key)),
            mimetype=facts.content_type,
            as_attachment=bool(permit.filename),
            download_name=permit.filename or None,
            conditional=False,
            etag=f"{facts.size:x}-{int(facts.modified_at.timestamp() * 1e6):x}",
            last_modified=facts.modified_at,
        )
        response.content_length = facts.size
        _answer_in_part(response, facts.size)
        # What is passed through directly is all that the server keeps: the open object must hang on it.
        response.response = ClosingIterator(response.iter_encoded(), opened.pop_all().close)
    return response


def _answer_in_part(response: Response, size: int) -> None:
    """Serve the range asked for, or nothing when the client has it already."""
    asked = request.range
    unclear = asked is None or asked.units != "bytes" or len(asked.ranges) != 1
    if asked is not None and (unclear or asked.ranges[0][0] < -size):
        request.environ.pop("HTTP_RANGE")  # several parts, or more than there is from the end: all of it
    response.cache_control.no_cache = None
    response.cache_control.private = True
    response.cache_control.max_age = _KEEP_SECONDS
    response.make_conditional(request, accept_ranges=True, complete_length=size)


def _check_announced(permit: Permit) -> None:
    """Raise for a body that says from the start that it is not the one the link was given for."""
    if request.mimetype != permit.content_type:
        raise UnsupportedMediaType(f"this link takes {permit.content_type}")
    length = request.environ.get("CONTENT_LENGTH")  # absent or empty when nobody told
    if length and request.content_length != permit.size:
        message = f"must be {permit.size} bytes, not {length}"
        raise InvalidInputError("the file is not the announced one", {"file": [message]})
    if services().objects.exists(permit.key):
        raise ConflictError("this file was uploaded already")


def _local_store() -> LocalObjectStore:
    store = services().objects
    if not isinstance(store, LocalObjectStore):
        raise NotFoundError("the links of this object store lead elsewhere")
    return store
