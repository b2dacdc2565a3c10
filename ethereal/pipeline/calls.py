"""Calls elsewhere, followed to their ends: called off, asked after, and their attempts ended with them."""

from __future__ import annotations

import logging

from ethereal import log
from ethereal.dispatch.dispatcher import Cloud
from ethereal.dispatch.messages import Report
from ethereal.errors import (
    CallLostError,
    ConflictError,
    EtherealError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from ethereal.jobs.model import JobId, Lease, Step, StepStatus
from ethereal.pipeline.attempt import fail_attempt
from ethereal.pipeline.reports import take_report
from ethereal.services import Services

logger = logging.getLogger(__name__)


def end_calls(services: Services, job_id: JobId) -> None:
    """Call off what was called for the job. One that is not reached stops at its next report."""
    if services.cloud is None:
        return
    for step in services.jobs.steps(job_id):
        if step.call is not None and step.status is not StepStatus.DONE:
            cancel_call(services.cloud, step.call.id)


def settle_calls(services: Services) -> int:
    """Ask after calls that were silent, and end the attempts of those that are over; return how many."""
    cloud, settled = services.cloud, 0
    if cloud is None:
        return 0
    for step in services.jobs.silent(before=services.clock() - cloud.silence):
        try:
            with log.bind(jobId=step.job_id, step=step.key, attempt=step.attempt):
                settled += _settle(services, cloud, step)
        except UnavailableError as error:
            logger.warning("calls are asked after another time: %s", error)
            break
    return settled


def _settle(services: Services, cloud: Cloud, step: Step) -> bool:
    """Whether the call of this step was over. Raise UnavailableError when nobody can tell."""
    held = Lease(step.job_id, step.key, step.attempt)
    try:
        report = cloud.dispatcher.look(step.call.id if step.call else "")
        if report is None:
            return False
        _check_sender(report, held)
        take_report(services, report)
    except UnavailableError:
        raise
    except (ConflictError, NotFoundError) as moved_on:
        logger.info("not settled: %s", moved_on)
        return False
    except InvalidInputError as error:
        _fail(services, held, CallLostError(f"the call ended with a report that is wrong: {error}"))
    except EtherealError as error:
        _fail(services, held, error)
    return True


def _check_sender(report: Report, held: Lease) -> None:
    if (report.job_id, report.attempt) != (held.job_id, held.attempt):
        raise CallLostError("the call ended with the report of another attempt")


def _fail(services: Services, held: Lease, error: EtherealError) -> None:
    logger.warning("%s failed: %s: %s", held, error.code, error)
    try:
        fail_attempt(services, held, error)
    except ConflictError as moved_on:
        logger.info("not settled: %s", moved_on)


def cancel_call(cloud: Cloud, call_id: str) -> None:
    """Call it off if it can be reached; else it stops at its next report."""
    try:
        cloud.dispatcher.cancel(call_id)
    except EtherealError as error:
        logger.warning("call %s stops at its next report: %s", call_id, error)
