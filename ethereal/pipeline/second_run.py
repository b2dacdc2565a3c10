"""The second run of a chunk that is slow elsewhere, under a lease of its own, void once the chunk is done."""

from __future__ import annotations

from ethereal.jobs.model import JobId, StepKey, StepName, StepStatus
from ethereal.pipeline.attempt import Attempt, run_step
from ethereal.pipeline.avoid import leave_to_others, pass_on
from ethereal.pipeline.plan_cache import open_plan
from ethereal.pipeline.progress import DRAWING_FROM
from ethereal.pipeline.render import ASSEMBLE, ensure_chunk
from ethereal.services import Services


def run_second(services: Services, job_id: JobId, index: int) -> bool:
    """Draw the chunk as its first run does, and end it if that has not; never where the first run is."""
    key = StepKey(StepName.SECOND_RUN, index)
    if _is_for_another(services, job_id, key):
        return False
    return not leave_to_others(services, job_id, key) and run_step(services, job_id, key, _draw_again)


def _is_for_another(services: Services, job_id: JobId, key: StepKey) -> bool:
    """Whether the first run is here; then others are told of the second once more, if it still waits."""
    steps = {step.key: step for step in services.jobs.steps(job_id)}
    if key not in steps or steps[key.first].worker != services.worker:
        return False
    if steps[key].status is StepStatus.WAITING:
        pass_on(services, steps[key], list(steps.values()))
    return True


def _draw_again(attempt: Attempt) -> None:
    index = attempt.lease.step.index
    plan_dir, made = open_plan(attempt)
    # The bar shows what the first run draws: two runs would make it jump.
    drawn = ensure_chunk(attempt, plan_dir, made, beat=attempt.beat("rendering", DRAWING_FROM, DRAWING_FROM))
    attempt.services.live.put(attempt.job.id, index, made.chunk(index).frame_count)
    if attempt.take_over(join=ASSEMBLE, result={**drawn, "second": True}):
        attempt.announce([ASSEMBLE])
