"""Handing a prepared render to where it is drawn."""

from __future__ import annotations

from ethereal.jobs.model import JobId, StepKey, StepName
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.hand_over import hand_over
from ethereal.services import Services

_PLAN = StepKey(StepName.PLAN_RENDER)


def dispatch(services: Services, job_id: JobId) -> bool:
    """Give the render to the farm, which plans, draws and assembles it, or to a call elsewhere."""
    return run_step(services, job_id, StepKey(StepName.DISPATCH_MODAL), _dispatch)


def _dispatch(attempt: Attempt) -> None:
    attempt.beat("dispatching", 27, 27)(1.0)
    if attempt.services.cloud is not None:
        hand_over(attempt, attempt.services.cloud)
        return
    attempt.commit([_PLAN])
    attempt.announce([_PLAN])
