"""A checked request becomes a stored job, and the workers are told of it."""

from __future__ import annotations

import hashlib
import logging

from ethereal import log
from ethereal.errors import InvalidInputError
from ethereal.jobs.model import Announcement, Job, JobId, JobType, Sender, StepKey
from ethereal.jobs.request import IngestRequest, JobRequest
from ethereal.jobs.store import Idempotency
from ethereal.pipeline.announce import announce
from ethereal.services import Services
from ethereal.storage.keys import read_upload_key

logger = logging.getLogger(__name__)


#: Of whom nothing is known.
NOBODY = Sender()


def store_job(services: Services, type_: JobType, request: JobRequest, first: StepKey, sender: Sender) -> Job:
    """Store a job with its first step; an earlier job under the sender's key is returned in its place.

    Raise ConflictError when the key was used for another request, TooManyJobsError when too many jobs live.
    """
    now = services.clock()
    job = Job(
        id=JobId(str(services.new_id())),
        type=type_,
        request=request,
        created_at=now,
        updated_at=now,
        request_id=log.bound().get("requestId", ""),
        client=sender.client,
    )
    once = _idempotency(sender, type_, request)
    stored = services.jobs.add(job, first, idempotency=once, most=services.limits.jobs)
    if stored.id == job.id:
        with log.bind(jobId=stored.id):
            logger.info("taken in: %s", type_)
        announce(services, [Announcement(stored.id, first)])
    elif job.upload_key and stored.upload_key != job.upload_key:
        services.objects.delete(read_upload_key(job.upload_key))  # the same sound, sent twice
    return stored


def ensure_room(services: Services, sender: Sender) -> None:
    """Raise TooManyJobsError when no further job of this sender would be taken: before its file is read."""
    services.jobs.unfinished(sender.client).ensure_below(services.limits.jobs)


def _idempotency(sender: Sender, type_: JobType, request: JobRequest) -> Idempotency | None:
    key = sender.key
    if key is None:
        return None
    if not 1 <= len(key) <= 255:
        raise InvalidInputError(
            "the idempotency key is not usable", {"Idempotency-Key": ["1 to 255 characters"]}
        )
    body = request.model_dump_json(exclude=_of_the_moment(request))
    digest = hashlib.sha256(f"{type_}\n{body}".encode()).hexdigest()
    return Idempotency(f"{key} {digest}" if sender.key_of_page else key, digest)


def _of_the_moment(request: JobRequest) -> set[str]:
    """What differs when the same request is sent twice: a file that is sent again has another key."""
    named_by_key = isinstance(request, IngestRequest) and not request.audio_sha256
    return {"rights_attested_at"} if named_by_key else {"rights_attested_at", "audio_key"}
