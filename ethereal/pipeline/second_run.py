"""The second run of a chunk that is slow elsewhere, under a lease of its own, void once the chunk is done."""

from __future__ import annotations

import logging

from ethereal.jobs.model import JobId, StepKey, StepName
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.avoid import leave_to_others
from ethereal.pipeline.plan_cache import open_plan
from ethereal.pipeline.progress import DRAWING_FROM
from ethereal.pipeline.render import ASSEMBLE, ensure_chunk
from ethereal.services import Services

logger = logging.getLogger(__name__)


def run_second(services: Services, job_id: JobId, index: int) -> bool:
    """Draw the chunk as its first run does, and end it if that has not; never where the first run is."""
    key = StepKey(StepName.SECOND_RUN, index)
    if _draws_here(services, job_id, key.first):
        logger.info("%s of job %s is for another worker", key, job_id)
        return False
    return not leave_to_others(services, job_id, key) and run_step(services, job_id, key, _draw_again)


def _draws_here(services: Services, job_id: JobId, chunk: StepKey) -> bool:
    steps = {step.key: step for step in services.jobs.steps(job_id)}
    return chunk in steps and steps[chunk].worker == services.worker


def _draw_again(attempt: Attempt) -> None:
    index = attempt.lease.step.index
    plan_dir, made = open_plan(attempt)
    # The bar shows what the first run draws: two runs would make it jump.
    drawn = ensure_chunk(attempt, plan_dir, made, beat=attempt.beat("rendering", DRAWING_FROM, DRAWING_FROM))
    attempt.services.live.put(attempt.job.id, index, made.chunk(index).frame_count)
    if attempt.take_over(join=ASSEMBLE, result={**drawn, "second": True}):
        attempt.announce([ASSEMBLE])
