"""Taking sound in: an ingest is checked as far as it can be before anything is fetched, then stored."""

from __future__ import annotations

from ethereal.audio.addresses import read_address
from ethereal.audio.youtube import read_video_id
from ethereal.errors import InvalidInputError, QuotaExceededError
from ethereal.jobs.model import Job, JobType, Sender, StepKey, StepName
from ethereal.jobs.request import IngestRequest, SourceType
from ethereal.pipeline.store_job import NOBODY, store_job
from ethereal.pipeline.upload import ensure_size
from ethereal.services import Services
from ethereal.storage.keys import read_upload_key

INGEST = StepKey(StepName.INGEST_AUDIO)


def submit_ingest(services: Services, request: IngestRequest, sender: Sender = NOBODY) -> Job:
    """Store an ingest, tell the workers, and return the job.

    Raise InvalidInputError for an address that cannot be one or an upload that is not there, TooLargeError,
    and QuotaExceededError when the library is full.
    """
    check_room(services)
    match request.source_type:
        case SourceType.YOUTUBE:
            read_video_id(request.url)
            _ensure_attested(request)
        case SourceType.URL:
            read_address(request.url, services.rule)
        case SourceType.AUDIO_FILE | SourceType.VIDEO_FILE:
            _ensure_uploaded(services, request)
    return store_job(services, JobType.INGEST, request, INGEST, sender)


def check_room(services: Services) -> None:
    """Raise QuotaExceededError when no asset fits in any more."""
    if services.assets.bytes_used() >= services.limits.assets_bytes:
        raise QuotaExceededError("the library is full: delete assets that are not needed")


def _ensure_attested(request: IngestRequest) -> None:
    if request.rights_attested_at is None:
        message = "must be true: you may take only what you have the rights to"
        raise InvalidInputError("the rights were not attested", {"rightsAttested": [message]})


def _ensure_uploaded(services: Services, request: IngestRequest) -> None:
    key = read_upload_key(request.audio_key)
    if not services.objects.exists(key):
        raise InvalidInputError("the file was not uploaded", {"storageKey": ["was not uploaded"]})
    ensure_size(services, services.objects.stat(key).size)
