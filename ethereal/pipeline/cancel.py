"""Calling a job off, and forgetting one that has ended."""

from __future__ import annotations

import logging

from ethereal import log
from ethereal.jobs.model import Job, JobId
from ethereal.pipeline.calls import end_calls
from ethereal.pipeline.discard import discard
from ethereal.services import Services

logger = logging.getLogger(__name__)


def cancel(services: Services, job_id: JobId) -> Job:
    """Call a job off: the store first, which every worker meets; then stop what runs.

    Raise NotFoundError, or ConflictError when it has ended.
    """
    job = services.jobs.cancel(job_id, now=services.clock())
    with log.bind(jobId=job_id):
        logger.info("cancelled")
        services.queue.revoke(job_id, [step.key for step in services.jobs.steps(job_id)])
        end_calls(services, job_id)
        discard(services, job)
    return job


def delete(services: Services, job_id: JobId) -> None:
    """Forget a job that has ended, with everything it made. Raise ConflictError while it lives."""
    job = services.jobs.get(job_id)
    services.jobs.delete(job_id)
    discard(services, job)
