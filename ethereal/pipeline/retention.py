"""What goes with time: plans and their chunks, for which buckets have rules, and what ended jobs left."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from ethereal.errors import UnavailableError
from ethereal.jobs.model import Job, JobStatus
from ethereal.pipeline.discard import discard
from ethereal.services import Services
from ethereal.storage.keys import StorageKey
from ethereal.storage.store import PLANS_KEPT

logger = logging.getLogger(__name__)

#: How far a sweep looks back: two of them, an hour apart, see every job that ended.
_LOOK_BACK = timedelta(hours=2)
_MADE_AGAIN = (StorageKey("reuse/"), StorageKey("plans/"))


def sweep_plans(services: Services) -> int:
    """Remove what was last written too long ago; return how many objects. No job lives so long."""
    oldest, swept = services.clock() - PLANS_KEPT, 0
    try:
        for prefix in _MADE_AGAIN:
            old = [facts.key for facts in services.objects.list(prefix) if facts.modified_at < oldest]
            for key in old:
                services.objects.delete(key)
            swept += len(old)
    except UnavailableError as error:
        logger.warning("plans are swept another time: %s", error)
    return swept


def sweep_ended(services: Services) -> int:
    """Discard again what ended badly of late: a worker that was killed may have put something after that."""
    ended = list(_ended_of_late(services))
    for job in ended:
        discard(services, job)
    return len(ended)


def _ended_of_late(services: Services) -> Iterator[Job]:
    since = services.clock() - _LOOK_BACK
    for status in (JobStatus.FAILED, JobStatus.CANCELLED):
        cursor: int | None = None
        while True:
            page = services.jobs.list(status=status, limit=500, cursor=cursor)
            yield from (job for job in page.jobs if job.finished_at and job.finished_at > since)
            oldest = min((job.created_at for job in page.jobs), default=since)
            if (cursor := page.cursor) is None or oldest < since - services.limits.render:
                break
