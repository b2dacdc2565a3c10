"""Chunks far slower than their peers: a second run is called for each, and the run that ends first counts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from statistics import median
from typing import cast

from ethereal import log
from ethereal.errors import UnavailableError
from ethereal.jobs.model import Announcement, Lease, Step, StepKey, StepName, StepStatus
from ethereal.pipeline.announce import announce
from ethereal.pipeline.progress import count_drawn
from ethereal.services import Services

logger = logging.getLogger(__name__)

#: A chunk that takes so many times as long as its peers is a straggler.
_SLOW = 3.0


def call_second_runs(services: Services) -> int:
    """Look at all chunks that run for long and call a second run of each straggler; return how many.

    Safe to run twice at once: the store lets one of them call. Only where another worker could take it.
    """
    now = services.clock()
    listeners = lru_cache(services.queue.listeners)
    called = 0
    for job_id in services.jobs.long_running(before=now - services.limits.straggler):
        live = services.live.frames(job_id)
        steps = {step.key: step for step in services.jobs.steps(job_id)}
        for step in find_stragglers(steps, live.by_chunk if live else {}, now=now):
            try:
                others = listeners(step.route or "") - {step.worker}
            except UnavailableError as error:
                logger.warning("nobody can tell who listens: %s", error)
                return called
            called += bool(others) and _call(services, step, now)
    return called


def find_stragglers(steps: Mapping[StepKey, Step], drawn: Mapping[int, int], *, now: datetime) -> list[Step]:
    """The running chunks that have no second run and will end long after their peers did.

    `drawn` is how many frames of a chunk are known to be drawn. A straggler needs, at its own pace, three
    times as long as its peers did, and longer from now than a second run would.
    """
    planned = steps.get(StepKey(StepName.PLAN_RENDER))
    sizes = cast(Sequence[int], (planned.result or {}).get("chunkFrames", ())) if planned else ()
    pace = _usual_pace(steps, sizes)
    if pace is None:
        return []
    return [
        step
        for index, size in enumerate(sizes)
        if (step := steps.get(StepKey(StepName.RENDER_CHUNK, index))) is not None
        and _may_have_second(steps, step)
        and _is_slow(step, size, drawn.get(index, 0), usual=pace * size, now=now)
    ]


def _usual_pace(steps: Mapping[StepKey, Step], sizes: Sequence[int]) -> float | None:
    """The median of the seconds for a frame over the chunks that were drawn, boot and upload included."""
    paces = [
        (step.finished_at - step.claimed_at).total_seconds() / drawn
        for key, step in steps.items()
        if key == key.first and step.status is StepStatus.DONE and key.index < len(sizes)
        if step.finished_at and step.claimed_at and (drawn := count_drawn(step, sizes[key.index]))
    ]
    return median(paces) if paces else None


def _may_have_second(steps: Mapping[StepKey, Step], step: Step) -> bool:
    second = steps.get(step.key.second)
    lives = second is not None and second.status in (StepStatus.WAITING, StepStatus.RUNNING)
    return step.status is StepStatus.RUNNING and step.route is not None and not lives


def _is_slow(step: Step, size: int, drawn: int, *, usual: float, now: datetime) -> bool:
    if step.claimed_at is None:
        return False
    elapsed, limit = (now - step.claimed_at).total_seconds(), _SLOW * usual
    # What an earlier attempt drew says nothing of this one. Nothing drawn: at best it goes as usual from now.
    known = drawn if step.attempt == 1 else 0
    left = elapsed / known * (size - known) if known else usual
    # Late already, it is believed less and less that the rest is quick.
    return elapsed + left >= limit and max(left, elapsed - limit) >= usual


def _call(services: Services, step: Step, now: datetime) -> bool:
    first = Lease(step.job_id, step.key, step.attempt)
    if not services.jobs.call_second(first, now=now, most=services.limits.max_attempts):
        return False
    with log.bind(jobId=step.job_id, step=step.key):
        logger.info("a second run is called: %s is slow on %s", step.key, step.worker)
    announce(services, [Announcement(step.job_id, step.key.second, step.route)])
    return True
