"""The error of a job whose workers went silent until its attempts were spent."""

from __future__ import annotations

from ethereal.jobs.model import JobError

WORKER_LOST = JobError(
    code="WORKER_LOST",
    message="The workers that took this job stopped answering, each time. Try again, or look at their logs.",
    retryable=True,
)
