"""Taking work in."""

from __future__ import annotations

from ethereal.assets.model import AssetId
from ethereal.audio.addresses import read_address
from ethereal.audio.youtube import names_video
from ethereal.errors import FormatNotSupportedError, InvalidInputError
from ethereal.jobs.model import Job, JobType, Sender, StepKey, StepName
from ethereal.jobs.request import RenderRequest
from ethereal.pipeline.sources import ensure_asset, find_sources
from ethereal.pipeline.store_job import NOBODY, store_job
from ethereal.render.containers import choose_codec, get_container
from ethereal.render.formats import FORMATS, get_format, get_quality, parse_fps
from ethereal.scenes.templates import check_parameters, get_template
from ethereal.services import Services
from ethereal.storage.keys import read_upload_key

FIRST = StepKey(StepName.PREPARE_AUDIO)


def check_request(request: RenderRequest) -> None:
    """Raise InvalidInputError naming every wrong field and its choices, or FormatNotSupportedError."""
    problems: dict[str, list[str]] = {}
    for check in (
        lambda: _named_sound(request),
        lambda: check_parameters(get_template(request.template), request.parameters),
        lambda: get_format(request.output_format),
        lambda: parse_fps(request.fps),
        lambda: get_quality(request.quality),
        lambda: _encoding(request),
        lambda: _range(request),
    ):
        try:
            check()
        except FormatNotSupportedError:
            raise
        except InvalidInputError as error:
            problems |= error.details
    if problems:
        fields = ", ".join(sorted(problems))
        raise InvalidInputError(f"these fields are not usable: {fields}", problems)


def submit_render(services: Services, request: RenderRequest, sender: Sender = NOBODY) -> Job:
    """Store a render, tell the workers, and return the job.

    Raise InvalidInputError for a wrong field or audio that is not there, NotFoundError for an asset that is
    not, ConflictError when the sender's key was used for another request.
    """
    check_request(request)
    _ensure_sound(services, request)
    return store_job(services, JobType.RENDER, request, FIRST, sender)


def _named_sound(request: RenderRequest) -> None:
    if sum(map(bool, (request.audio_key, request.asset_id, request.audio_url))) != 1:
        raise InvalidInputError("whose sound?", {"audio": ["must name one upload, one asset or one address"]})
    if request.audio_key:
        read_upload_key(request.audio_key)
    if request.recipe and request.recipe.asset_id != request.asset_id:
        raise InvalidInputError("another asset's recipe", {"recipe": ["must be for the asset in audio"]})


def _ensure_sound(services: Services, request: RenderRequest) -> None:
    if request.audio_key and not services.objects.exists(read_upload_key(request.audio_key)):
        raise InvalidInputError("the audio was not uploaded", {"audio": ["was not uploaded"]})
    if request.audio_url:
        read_address(request.audio_url, services.rule)
        _refuse_youtube(request.audio_url)
    if request.recipe:
        find_sources(services, request.recipe)
    elif request.asset_id:
        ensure_asset(services, AssetId(request.asset_id))


def _refuse_youtube(url: str) -> None:
    if names_video(url):
        message = "YouTube videos are taken into the library first, where you say that you have the rights"
        raise InvalidInputError("this is a page of YouTube", {"url": [message]})


def _encoding(request: RenderRequest) -> None:
    size = FORMATS.get(request.output_format)
    if size is not None:  # else it is refused for that
        container = get_container(request.container)
        choose_codec(container, request.codec, size.width, size.height, request.background, size.projection)


def _range(request: RenderRequest) -> None:
    if request.range and request.range.end - request.range.start < 0.1:
        raise InvalidInputError("bad range", {"range": ["must last at least 0.1 seconds"]})
