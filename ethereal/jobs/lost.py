"""The errors of jobs that no worker ended: they went silent each time, or took too long."""

from __future__ import annotations

from ethereal.jobs.model import JobError, Step

WORKER_LOST = JobError(
    code="WORKER_LOST",
    message="The workers that took this job stopped answering, each time. Try again, or look at their logs.",
    retryable=True,
)
OVERRUN = JobError(code="TIME_LIMIT", message="A step of this job ran longer than it may.", retryable=False)
OVERDUE = JobError(code="TIME_LIMIT", message="This job took longer in all than it may.", retryable=False)


def is_suspect(step: Step) -> bool:
    """Whether a step took its worker along twice: who runs beside it may be lost with it."""
    return sum(failure.code == WORKER_LOST.code for failure in step.failures) > 1
