"""Putting right what went stale: leases that ran out, steps nobody took, uploads nobody used."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass

from ethereal import log
from ethereal.errors import UnavailableError
from ethereal.jobs.model import LIVE_STATUSES, JobId, JobType
from ethereal.jobs.store import ANNOUNCE_AGAIN
from ethereal.meters import count
from ethereal.meters.names import LEASES_EXPIRED, REAPER_ACTIONS, REAPER_RUNS
from ethereal.pipeline.announce import announce
from ethereal.pipeline.attempt import count_failed
from ethereal.pipeline.calls import end_calls, settle_calls
from ethereal.pipeline.discard import discard
from ethereal.pipeline.stragglers import call_second_runs
from ethereal.services import Services
from ethereal.storage.keys import StorageKey

logger = logging.getLogger(__name__)

#: The stage of a job whose kind of renderer is gone.
WAITING_FOR_RENDERER = "waiting-for-renderer"


@dataclass(frozen=True)
class Reaped:
    """How many steps wait again, jobs failed, were announced, are planned anew, drawn twice, and settled."""

    released: int
    failed: int
    announced: int
    planned_again: int
    called_twice: int
    settled: int


def reap(services: Services) -> Reaped:
    """One look over all jobs. Safe to run twice at once: each stale step is taken by one of them."""
    limits = services.limits
    released = services.jobs.release_expired(
        now=services.clock(), max_attempts=limits.max_attempts, grace=limits.grace
    )
    for job_id, key in released.again:
        with log.bind(jobId=job_id, step=key):
            logger.warning("the lease of %s ran out: it waits again", key)
    for job_id in released.failed:
        end_calls(services, job_id)
        _failed(services, job_id)
    overdue = end_overdue(services)
    settled = settle_calls(services)
    planned_again = rescue_stranded(services)
    called = call_second_runs(services)
    tell_again(services)
    due = services.jobs.take_due(now=services.clock())
    if due:
        announce(services, due)
    failed = len(released.failed) + overdue
    reaped = Reaped(len(released.again), failed, len(due), planned_again, called, settled)
    _count(services, reaped, expired=len(released.again) + len(released.failed))
    if any(asdict(reaped).values()):
        logger.info("reaped: %s", reaped)
    return reaped


def tell_again(services: Services) -> None:
    """Let a broker that came back with nothing be told at once of all that waits."""
    try:
        if services.queue.has_forgotten():
            told = services.jobs.tell_again(now=services.clock())
            services.queue.remember()
            logger.info("the broker is new or has forgotten: %d steps are told again", told)
        elif not services.queue.has_messages():
            # Nothing waits in any queue: what was announced and not claimed got lost on its way.
            services.jobs.tell_again(now=services.clock(), silence=ANNOUNCE_AGAIN)
    except UnavailableError as error:
        logger.warning("nobody can tell what the broker knows: %s", error)


def end_overdue(services: Services) -> int:
    """Let renders fail that take longer in all than a render may, and stop what runs of them."""
    now = services.clock()
    overdue = services.jobs.fail_overdue(JobType.RENDER, before=now - services.limits.render, now=now)
    for job_id in overdue:
        services.queue.revoke(job_id, [step.key for step in services.jobs.steps(job_id)])
        end_calls(services, job_id)
        _failed(services, job_id)
    return len(overdue)


def _failed(services: Services, job_id: JobId) -> None:
    """What a job needs that failed without a worker."""
    job = services.jobs.get(job_id)
    with log.bind(jobId=job_id, requestId=job.request_id):
        logger.warning("failed: %s", job.error and job.error.message)
        count_failed(services, job)
        discard(services, job)


def _count(services: Services, reaped: Reaped, expired: int) -> None:
    count(services.meters, REAPER_RUNS)
    if expired:
        count(services.meters, LEASES_EXPIRED, by=expired)
    for action, number in asdict(reaped).items():
        if number:
            count(services.meters, REAPER_ACTIONS, action, by=number)


def rescue_stranded(services: Services) -> int:
    """Tell people of jobs whose kind of renderer is gone, and in time let another kind plan them anew."""
    now, limits = services.clock(), services.limits
    stranded = services.jobs.stranded(before=now - limits.stranded)
    if not stranded:
        return 0
    try:
        listening = services.queue.routes()
    except UnavailableError as error:
        logger.warning("nobody can tell which renderers listen: %s", error)
        return 0
    again = 0
    for job in stranded:
        if job.route in listening:
            continue
        services.jobs.note(job.job_id, stage=WAITING_FOR_RENDERER, now=now)
        if listening and job.since <= now - limits.plan_again:
            again += services.jobs.plan_again(job.job_id, now=now)
    return again


def _needed_uploads(services: Services) -> set[str]:
    """Uploads of jobs that have not ended."""
    needed: set[str] = set()
    for status in LIVE_STATUSES:
        cursor: int | None = None
        while True:
            page = services.jobs.list(status=status, limit=500, cursor=cursor)
            needed |= {job.upload_key for job in page.jobs}
            if page.cursor is None:
                break
            cursor = page.cursor
    return needed


def sweep_uploads(services: Services) -> int:
    """Remove uploads that are older than they may be kept and that no live job needs; return how many."""
    needed = _needed_uploads(services)
    oldest = services.clock() - services.limits.uploads_kept
    swept = 0
    try:
        for facts in list(services.objects.list(StorageKey("uploads/"))):
            if facts.modified_at < oldest and facts.key not in needed:
                services.objects.delete(facts.key)
                swept += 1
    except UnavailableError as error:
        logger.warning("uploads are swept another time: %s", error)
    return swept
