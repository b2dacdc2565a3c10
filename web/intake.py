"""From what a client sends to a stored job.

The fields are checked before the sound is taken in; sound that does not become a job is taken out again.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import BinaryIO
from urllib.parse import unquote

from flask import Request

from ethereal.assets.model import AssetId
from ethereal.audio.addresses import read_address
from ethereal.audio.recipe import read_recipe
from ethereal.errors import InvalidInputError, TooLargeError
from ethereal.jobs.model import Job, Sender
from ethereal.jobs.request import EditRecipe
from ethereal.pipeline.store_job import ensure_room
from ethereal.pipeline.submit import check_request, submit_render
from ethereal.pipeline.upload import accept_upload, look_at, receive, upload_folder
from ethereal.services import Services
from ethereal.storage import keys
from web.multipart import FilePart, FormReader
from web.schemas import (
    AddressAudio,
    AssetAudio,
    InlineAudio,
    Options,
    RenderBody,
    UploadedAudio,
    read_options,
)

#: What a form may weigh beside its file.
_FORM_ROOM = 1 << 20
_NAME_LENGTH = 200


def open_form(services: Services, request: Request) -> FormReader:
    """The form of this request. Raise TooLargeError when its client says that it is too large."""
    limit = services.limits.upload_bytes
    if (request.content_length or 0) > limit + _FORM_ROOM:
        mebibytes = limit >> 20
        raise TooLargeError(
            f"the file is larger than {mebibytes} MiB", {"file": [f"must not be over {mebibytes} MiB"]}
        )
    request.max_content_length = limit + _FORM_ROOM
    return FormReader(request)


def submit_form(services: Services, form: FormReader, part: FilePart | None, sender: Sender) -> Job:
    """Store the job of a form whose file has begun, or that names an address in its place.

    Fields that came before the file are checked first.
    """
    if part is None and (url := form.fields.get("url", "").strip()):
        return _submit_address(services, read_options(_look_of(form.fields)), url, sender)
    if part is None and (asset_id := form.fields.get("assetId", "")):
        return _submit_asset(services, read_options(_look_of(form.fields)), asset_id, None, sender)
    if part is None or part.name != "file":
        raise InvalidInputError("no audio was sent", {"file": ["choose an audio file"]})
    ensure_room(services, sender)
    filename = clean_filename(part.filename)
    _check(services, _options_beside_file(form), filename)
    with _accepted(services, part.as_stream(), filename) as (key, sha256):
        if form.until_file() is not None:
            raise InvalidInputError("one file at a time", {"file": ["must be one file"]})
        request = _options_beside_file(form).request(key=key, filename=filename, sha256=sha256)
        return submit_render(services, request, sender)


def submit_body(services: Services, body: RenderBody, sender: Sender) -> Job:
    """Store the job of a JSON body."""
    if body.recipe is not None and body.audio.type != "asset":
        raise InvalidInputError("a recipe cuts an asset", {"recipe": ["goes with audio of type asset"]})
    match body.audio:
        case UploadedAudio() as audio:
            return _submit_stored(services, body, audio, sender)
        case InlineAudio() as audio:
            return _submit_inline(services, body, audio, sender)
        case AddressAudio(url=url):
            return _submit_address(services, body, url.strip(), sender)
        case AssetAudio(asset_id=asset_id):
            recipe = read_recipe(body.recipe) if body.recipe else None
            return _submit_asset(services, body, asset_id, recipe, sender)


def clean_filename(name: str) -> str:
    """The last part of a name, without what a file system or a header could trip over."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable()).strip()[-_NAME_LENGTH:] or "audio"


def _options_beside_file(form: FormReader) -> Options:
    if form.fields.get("url", "").strip():
        raise InvalidInputError("two sounds", {"url": ["send a file or an address, not both"]})
    return read_options(_look_of(form.fields))


def _look_of(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a form that do not say whose sound it is."""
    return {name: value for name, value in fields.items() if name not in ("url", "assetId")}


def _submit_asset(
    services: Services, options: Options, asset_id: str, recipe: EditRecipe | None, sender: Sender
) -> Job:
    name = services.assets.get(AssetId(asset_id)).filename
    sound = {"asset_id": asset_id, "recipe": recipe}
    request = options.request(key="", filename=name).model_copy(update=sound)
    return submit_render(services, request, sender)


def _submit_address(services: Services, options: Options, url: str, sender: Sender) -> Job:
    address = read_address(url, services.rule)
    name = clean_filename(unquote(address.target.partition("?")[0]))
    request = options.request(key="", filename=name).model_copy(update={"audio_url": url})
    return submit_render(services, request, sender)


def _submit_inline(services: Services, body: RenderBody, audio: InlineAudio, sender: Sender) -> Job:
    ensure_room(services, sender)
    filename = clean_filename(audio.filename)
    _check(services, body, filename)
    with _accepted(services, io.BytesIO(_decoded(audio.data)), filename) as (stored, sha256):
        request = body.request(key=stored, filename=filename, sha256=sha256)
        return submit_render(services, request, sender)


def _submit_stored(services: Services, body: RenderBody, audio: UploadedAudio, sender: Sender) -> Job:
    stored, filename = keys.read_upload_key(audio.storage_key), clean_filename(audio.filename)
    check_request(body.request(key=stored, filename=filename))
    if not services.objects.exists(stored):
        raise InvalidInputError("the audio was not uploaded", {"audio.storageKey": ["was not uploaded"]})
    request = body.request(key=stored, filename=filename, sha256=_look_at_stored(services, stored))
    return submit_render(services, request, sender)


def _check(services: Services, options: Options, filename: str) -> None:
    """Raise InvalidInputError for options that no audio could make right."""
    check_request(options.request(key=keys.upload(services.new_id(), filename), filename=filename))


@contextmanager
def _accepted(services: Services, stream: BinaryIO, filename: str) -> Iterator[tuple[keys.StorageKey, str]]:
    """Take a file in; when the block raises, it is taken out again."""
    upload = accept_upload(services, stream, filename=filename)
    with ExitStack() as undo:
        undo.callback(services.objects.delete, upload.key)
        yield upload.key, upload.sha256
        undo.pop_all()


def _look_at_stored(services: Services, key: keys.StorageKey) -> str:
    """The sha256 of an upload that is sound; one that is not is removed."""
    with ExitStack() as undo:
        undo.callback(services.objects.delete, key)
        with upload_folder(services) as folder:
            path = folder / f"upload.{keys.extension_of(key)}"
            with services.objects.open(key) as stream:
                sha256 = receive(services, stream, path)
            look_at(services, path)
        undo.pop_all()
    return sha256


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except ValueError as error:
        raise InvalidInputError("the audio is not base64", {"audio.data": ["must be base64"]}) from error
