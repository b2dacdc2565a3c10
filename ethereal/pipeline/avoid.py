"""A worker that fails a job's steps leaves them to others, as long as there are others who do not."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from ethereal import log
from ethereal.errors import UnavailableError
from ethereal.jobs.model import Announcement, JobId, Step, StepKey, StepStatus
from ethereal.pipeline.announce import announce
from ethereal.services import ANSWERED_WITHIN, Services

logger = logging.getLogger(__name__)

#: A worker that failed so many attempts of a job is avoided for all its steps.
MOST_FAILURES = 2
#: Busy workers answer late; before a last try their answers are worth the wait.
_LAST_QUESTION = timedelta(seconds=5)


def leave_to_others(services: Services, job_id: JobId, key: StepKey) -> bool:
    """Whether this worker, which failed the step or too much of its job, leaves it to one that did not.

    It costs no attempt: the step is announced again, after the second that asking for others takes. Nobody
    waits for ever: when no other worker is at the job for a while, this one takes the step after all, but
    for its last try, which ends the job if it fails: that is kept for others as long as any listens.
    """
    if not services.jobs.failures(job_id, services.worker):
        return False
    steps = services.jobs.steps(job_id)
    step = next((step for step in steps if step.key == key), None)
    if step is None or not _is_due(step, services.clock()):
        return False  # the claim decides
    if not is_avoided(services.worker, step, steps):
        return False
    if _is_last_try(services, step):
        return pass_on(services, step, steps, patience=_LAST_QUESTION)
    return not _has_waited(services, step, steps) and pass_on(services, step, steps)


def pass_on(
    services: Services, step: Step, steps: Sequence[Step], *, patience: timedelta = ANSWERED_WITHIN
) -> bool:
    """Announce the step again if another worker listens that is not avoided; asking takes `patience`."""
    others = [name for name in _others(services, step, patience) if not is_avoided(name, step, steps)]
    if not others:
        return False
    with log.bind(jobId=step.job_id, step=step.key):
        logger.info("%s is passed on to %s", step.key, ", ".join(others))
    announce(services, [Announcement(step.job_id, step.key, step.route)])
    return True


def is_avoided(worker: str, step: Step, steps: Sequence[Step]) -> bool:
    """Whether this worker failed the step before, or as much of its job as it may."""
    if any(failure.worker == worker for failure in step.failures):
        return True
    return sum(failure.worker == worker for other in steps for failure in other.failures) >= MOST_FAILURES


def avoided_workers(steps: Sequence[Step]) -> list[str]:
    """The workers that are avoided for all steps of a job."""
    blamed = [failure.worker for step in steps for failure in step.failures]
    return sorted(name for name in set(blamed) if blamed.count(name) >= MOST_FAILURES)


def _is_due(step: Step, now: datetime) -> bool:
    return step.status is StepStatus.WAITING and step.not_before <= now


def _has_waited(services: Services, step: Step, steps: Sequence[Step]) -> bool:
    """Whether the step waits long enough with nobody else at work on the job."""
    elsewhere = [other for other in steps if other.route and other.worker not in ("", services.worker)]
    if any(other.status is StepStatus.RUNNING for other in elsewhere):
        return False
    ends = [other.finished_at for other in elsewhere if other.finished_at]
    return services.clock() - max([step.not_before, *ends]) > services.limits.left_to_others


def _is_last_try(services: Services, step: Step) -> bool:
    return len(step.failures) + 1 >= services.limits.max_attempts


def _others(services: Services, step: Step, patience: timedelta) -> list[str]:
    try:
        return sorted(services.queue.listeners(step.route, patience=patience) - {services.worker})
    except UnavailableError as error:
        logger.warning("nobody can tell who listens: %s", error)
        return []
