"""What a job that did not end well leaves behind is removed."""

from __future__ import annotations

import logging
import shutil

from ethereal.errors import EtherealError, NotFoundError, UnavailableError
from ethereal.jobs.model import Job, JobStatus
from ethereal.pipeline.folders import prepared_folder
from ethereal.services import Services
from ethereal.storage import keys

logger = logging.getLogger(__name__)


def discard_upload(services: Services, job: Job) -> None:
    """Remove the upload that the job was made from, unless it is needed. Safe to repeat."""
    try:
        if job.upload_key and not services.jobs.audio_in_use(job.upload_key):
            services.objects.delete_prefix(keys.upload_folder(keys.read_upload_key(job.upload_key)))
    except EtherealError as error:
        logger.warning("the upload of job %s is left for the reaper: %s", job.id, error)


def discard(services: Services, job: Job) -> None:
    """Remove the objects and working files of a failed or cancelled job. Safe to repeat."""
    shutil.rmtree(prepared_folder(services, job.id), ignore_errors=True)
    services.live.clear(job.id)
    try:
        services.objects.delete_prefix(keys.render_folder(job.id))
        services.objects.delete_prefix(keys.call_folder(job.id))
    except EtherealError as error:
        logger.warning("objects of job %s are left for the reaper: %s", job.id, error)
    discard_upload(services, job)


def discard_if_ended(services: Services, job: Job) -> None:
    """Remove what a step put after its job had failed, was called off, or was deleted: nobody else would."""
    try:
        job = services.jobs.get(job.id)
        if job.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
            return
    except NotFoundError:
        logger.info("job %s was deleted", job.id)
    except UnavailableError as error:
        logger.warning("what job %s left is swept later: %s", job.id, error)
        return
    discard(services, job)
