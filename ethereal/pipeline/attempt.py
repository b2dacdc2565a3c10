"""One attempt of one step: claim it, work, and end it well or badly under its lease."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cached_property, partial
from pathlib import Path

from ethereal import log
from ethereal.beat import Beat
from ethereal.errors import (
    ConflictError,
    EtherealError,
    LeaseLostError,
    NotFoundError,
    Retry,
    StoreUnavailableError,
    TimeLimitError,
    UnavailableError,
    is_worth_another,
)
from ethereal.jobs.model import Announcement, Claim, Job, JobError, JobId, JobStatus, Lease, Step, StepKey
from ethereal.meters import count, observe
from ethereal.meters.names import FAILURES, JOBS_FAILED, STEP_SECONDS
from ethereal.pipeline.announce import announce
from ethereal.pipeline.discard import discard, discard_if_ended
from ethereal.pipeline.turns import call_next
from ethereal.scratch import open_scratch
from ethereal.services import Services

logger = logging.getLogger(__name__)

#: Errors that tell nothing of the worker: the request is wrong, or a service was away.
_NOBODYS_FAULT = frozenset({Retry.NEVER, Retry.LATER})
_UNEXPECTED = JobError(code="INTERNAL_ERROR", message="Something went wrong on our side.", retryable=True)


class Attempt:
    """A claimed step: its job, a folder to work in, and the writes its lease allows."""

    def __init__(self, services: Services, claim: Claim, folder: Path) -> None:
        self.services = services
        self.job = claim.job
        self.lease = claim.lease
        self.folder = folder
        self._begun = services.clock()
        self._owned_until = self._begun + services.limits.lease
        self._told: tuple[str, datetime] | None = None

    @cached_property
    def steps(self) -> Mapping[StepKey, Step]:
        """The job's steps as they stood when this attempt first looked."""
        return {step.key: step for step in self.services.jobs.steps(self.job.id)}

    def beat(self, stage: str, low: float, high: float) -> Beat:
        """A pulse that maps 0..1 of this stage to `low`..`high` % of the job and renews the lease."""

        def tell(fraction: float) -> None:
            now = self.services.clock()
            if self._told and self._told[0] == stage and now - self._told[1] < self.services.limits.beat:
                return
            self._told = (stage, now)
            self._report(stage, low + (high - low) * fraction, now)

        return tell

    def commit(
        self,
        following: Sequence[StepKey] = (),
        *,
        join: StepKey | None = None,
        result: Mapping[str, object] | None = None,
        route: str | None = None,
    ) -> bool:
        """End the step well; the steps that follow are stored with it. Return whether `join` is due."""
        return self.services.jobs.commit(
            self.lease,
            now=self.services.clock(),
            following=following,
            join=join,
            result=result,
            route=route,
        )

    def take_over(self, *, join: StepKey, result: Mapping[str, object]) -> bool:
        """End a second run well and its chunk with it. Return whether `join` is due."""
        now = self.services.clock()
        return self.services.jobs.take_over(self.lease, now=now, join=join, result=result)

    def finish(self, result: Mapping[str, object]) -> Job:
        """End the job well."""
        return self.services.jobs.finish(self.lease, result=result, now=self.services.clock())

    def redo(self, steps: Sequence[Step]) -> None:
        """End the attempt until these steps were done again, and tell their workers."""
        self.services.jobs.redo(self.lease, [step.key for step in steps], now=self.services.clock())
        announce(self.services, [Announcement(step.job_id, step.key, step.route) for step in steps])

    def announce(self, steps: Sequence[StepKey], *, route: str | None = None) -> None:
        """Tell workers of steps that were stored."""
        announce(self.services, [Announcement(self.job.id, step, route) for step in steps])

    def _report(self, stage: str, progress: float, now: datetime) -> None:
        limits = self.services.limits
        try:
            self.services.jobs.report(self.lease, stage=stage, progress=progress, now=now, lease=limits.lease)
            self._owned_until = now + limits.lease
        except StoreUnavailableError:
            if now >= self._owned_until:
                raise
            logger.warning("the job store is away; %s goes on under its lease", self.lease)

    def fail(self, error: EtherealError) -> None:
        """End the attempt badly: the step waits for another try, or the job has failed."""
        fail_attempt(self.services, self.lease, error)

    def fail_unexpectedly(self) -> None:
        """End the attempt after an error nobody foresaw; its text may hold secrets and is not told."""
        fail_unexpectedly(self.services, self.lease)

    def hand_back(self) -> None:
        """Let another worker take the step at once, unless its time was up."""
        now, limit = self.services.clock(), self.services.limits.time_for(self.lease.step.name)
        if now >= self._begun + limit:
            self.fail(TimeLimitError(f"{self.lease.step} ran longer than {limit}"))
        else:
            _end(self.services, self.lease, _UNEXPECTED, now, blame=False)


def fail_attempt(services: Services, held: Lease, error: EtherealError) -> None:
    """End an attempt badly: the step waits for another try, or the job has failed."""
    told = JobError(code=error.code, message=str(error), retryable=error.retry is not Retry.NEVER)
    retry_at = _retry_at(services, held, error)
    _end(services, held, told, retry_at, blame=error.retry not in _NOBODYS_FAULT)


def fail_unexpectedly(services: Services, held: Lease) -> None:
    """End an attempt after an error nobody foresaw; its text may hold secrets and is not told."""
    _end(services, held, _UNEXPECTED, _retry_at(services, held, UnavailableError()))


def _end(
    services: Services, held: Lease, error: JobError, retry_at: datetime | None, *, blame: bool = True
) -> None:
    job = services.jobs.fail(held, error, now=services.clock(), retry_at=retry_at, blame=blame)
    if error is not _UNEXPECTED or blame:  # else it was handed back and is no failure
        count(services.meters, FAILURES, held.step.name, error.code)
    if job.status is JobStatus.FAILED:
        count_failed(services, job)
        discard(services, job)


def count_failed(services: Services, job: Job) -> None:
    """Let the meters know of a job that has failed."""
    count(services.meters, JOBS_FAILED, job.type, job.error.code if job.error else _UNEXPECTED.code)


def _retry_at(services: Services, held: Lease, error: EtherealError) -> datetime | None:
    limits = services.limits
    if not is_worth_another(error, tries=_tries(services, held, error), most=limits.max_attempts):
        return None
    doublings: int = 2 ** (held.attempt - 1)
    return services.clock() + limits.retry * doublings * (0.5 + services.jitter())


def _tries(services: Services, held: Lease, error: EtherealError) -> int:
    """Which try this was: where somebody is to blame, attempts that were handed back were none."""
    steps = [] if error.retry in _NOBODYS_FAULT else services.jobs.steps(held.job_id)
    return next((len(step.failures) + 1 for step in steps if step.key == held.step), held.attempt)


def run_step(services: Services, job_id: JobId, step: StepKey, work: Callable[[Attempt], None]) -> bool:
    """Claim the step and do the work. Return False when it is not ours to do or was taken from us.

    An error ends the attempt as its type says. A signal that ends this process hands the step back.
    """
    with log.bind(jobId=job_id, step=step):
        claim = _claim(services, job_id, step)
        if claim is None:
            return False
        with log.bind(attempt=claim.lease.attempt, requestId=claim.job.request_id):
            return _run(services, claim, work)


def _run(services: Services, claim: Claim, work: Callable[[Attempt], None]) -> bool:
    step = claim.lease.step
    with open_scratch(services.scratch, str(step)) as folder:
        attempt, began = Attempt(services, claim, folder), services.clock()
        outcome = _work(attempt, work)
    took = (services.clock() - began).total_seconds()
    observe(services.meters, STEP_SECONDS, took, step.name, outcome)
    call_next(services, step)
    return outcome is Outcome.DONE


def _claim(services: Services, job_id: JobId, step: StepKey) -> Claim | None:
    limits = services.limits
    try:
        return services.jobs.claim(
            job_id,
            step,
            owner=str(services.new_id()),
            worker=services.worker,
            now=services.clock(),
            lease=limits.lease,
            time_limit=limits.time_for(step.name) + limits.grace,
        )
    except (ConflictError, NotFoundError) as refused:
        logger.debug("%s is not for us: %s", step, refused)  # as messages that come twice are not
        return None


class Outcome(StrEnum):
    """How an attempt ended, for the meters."""

    DONE = "done"
    FAILED = "failed"
    LOST = "lost"  #: another attempt has the step, or the job has ended


def _work(attempt: Attempt, work: Callable[[Attempt], None]) -> Outcome:
    logger.info("%s begins", attempt.lease.step)
    try:
        work(attempt)
    except LeaseLostError as lost:
        logger.info("stopped: %s", lost)
        discard_if_ended(attempt.services, attempt.job)
        return Outcome.LOST
    except EtherealError as error:
        logger.warning("%s failed: %s: %s", attempt.lease, error.code, error)
        _end_badly(attempt, partial(attempt.fail, error))
    except Exception:
        logger.exception("%s failed unexpectedly", attempt.lease)
        _end_badly(attempt, attempt.fail_unexpectedly)
    except BaseException:
        _end_badly(attempt, attempt.hand_back)
        raise
    else:
        logger.info("%s done", attempt.lease.step)
        return Outcome.DONE
    return Outcome.FAILED


def _end_badly(attempt: Attempt, badly: Callable[[], None]) -> None:
    """Where that is not ours to write any more, or the store is away, the reaper ends the attempt."""
    try:
        badly()
    except LeaseLostError as lost:
        logger.info("not ours to end: %s", lost)
        discard_if_ended(attempt.services, attempt.job)
    except UnavailableError as error:
        logger.warning("%s is left to the reaper: %s", attempt.lease, error)
