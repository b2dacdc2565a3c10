"""Handing a prepared render to where it is drawn."""

from __future__ import annotations

from ethereal.errors import NotBuiltError
from ethereal.jobs.model import JobId, StepKey, StepName
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.services import Services

_PLAN = StepKey(StepName.PLAN_RENDER)


def dispatch(services: Services, job_id: JobId) -> bool:
    """Give the render to the farm: plan, chunks, assemble."""
    return run_step(services, job_id, StepKey(StepName.DISPATCH_MODAL), _dispatch)


def _dispatch(attempt: Attempt) -> None:
    if attempt.services.dispatcher != "farm":
        raise NotBuiltError(f"the {attempt.services.dispatcher} dispatcher is not built yet")
    attempt.beat("dispatching", 27, 27)(1.0)
    attempt.commit([_PLAN])
    attempt.announce([_PLAN])
