"""Jobs and steps in memory, and the changes that moves are made of; whoever makes one holds the lock."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from ethereal.errors import ConflictError, LeaseLostError, NotFoundError
from ethereal.jobs.lost import is_suspect
from ethereal.jobs.model import (
    ENDED,
    NEXT_STATUSES,
    Failure,
    Job,
    JobError,
    JobId,
    JobStatus,
    Lease,
    Step,
    StepKey,
    StepName,
    StepStatus,
)
from ethereal.jobs.store import next_announcement


class MemoryState:
    """What a `MemoryJobStore` keeps."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._jobs: dict[JobId, Job] = {}
        self._steps: dict[JobId, dict[StepKey, Step]] = {}

    def get(self, job_id: JobId) -> Job:
        with self._lock:
            if job_id not in self._jobs:
                raise NotFoundError(f"no job {job_id}")
            return self._jobs[job_id]

    def _idle(self, job_id: JobId) -> bool:
        """Whether the job lives and none of its steps runs."""
        return not self.get(job_id).status.is_final and not any(
            step.status is StepStatus.RUNNING for step in self._steps[job_id].values()
        )

    @staticmethod
    def _waits(step: Step, before: datetime) -> bool:
        return step.status is StepStatus.WAITING and step.not_before <= before

    def _add_step(self, job_id: JobId, key: StepKey, now: datetime, route: str | None = None) -> None:
        announce_at = next_announcement(now, 0)
        step = Step(job_id=job_id, key=key, not_before=now, announce_at=announce_at, route=route)
        known = self._steps[job_id].get(key)
        if known is None or known.status is StepStatus.VOID:
            if known is not None:
                step = replace(step, attempt=known.attempt, worker=known.worker, failures=known.failures)
            self._steps[job_id][key] = step

    def _join(self, job_id: JobId, name: StepName, join: StepKey | None, now: datetime) -> bool:
        """Store `join` when all steps of that name have ended; return whether it was stored."""
        self._jobs[job_id] = replace(self._jobs[job_id], updated_at=now)
        peers = [step for key, step in self._steps[job_id].items() if key.name is name]
        last = join is not None and all(step.status in ENDED for step in peers)
        if join is not None and last:
            self._add_step(job_id, join, now)
        return last

    def _void(self, job_id: JobId, key: StepKey, now: datetime) -> None:
        step = self._steps[job_id].get(key)
        if step and step.status is not StepStatus.DONE:
            self._steps[job_id][key] = replace(
                step, status=StepStatus.VOID, lease_expires_at=None, finished_at=now
            )

    @staticmethod
    def _blamed(step: Step, error: JobError) -> Step:
        return replace(step, failures=(*step.failures, Failure(step.attempt, step.worker, error.code)))

    def _held(self, held: Lease) -> Step:
        job, step = self._jobs.get(held.job_id), self._steps.get(held.job_id, {}).get(held.step)
        if (
            job is None
            or job.status is not JobStatus.PROCESSING
            or step is None
            or step.status is not StepStatus.RUNNING
            or step.attempt != held.attempt
        ):
            raise LeaseLostError(f"attempt {held.attempt} no longer owns {held.step} of job {held.job_id}")
        return step

    def _expired(self, step: Step, now: datetime) -> bool:
        return (
            step.status is StepStatus.RUNNING
            and not self._jobs[step.job_id].status.is_final
            and step.lease_expires_at is not None
            and step.lease_expires_at <= now
        )

    def _end_step(self, held: Lease, now: datetime, result: Mapping[str, object] | None) -> None:
        self._steps[held.job_id][held.step] = replace(
            self._held(held), status=StepStatus.DONE, lease_expires_at=None, finished_at=now, result=result
        )

    def _tell(self, job_id: JobId, stage: str, progress: float, now: datetime) -> None:
        job = self._jobs[job_id]
        self._jobs[job_id] = replace(job, stage=stage, progress=max(job.progress, progress), updated_at=now)

    def _wait_again(self, step: Step, when: datetime) -> None:
        self._steps[step.job_id][step.key] = replace(
            step,
            status=StepStatus.WAITING,
            lease_expires_at=None,
            not_before=when,
            announce_at=when,
            announcements=0,
        )

    def _suspect_runs(self, now: datetime) -> bool:
        """Whether one is held by somebody who may still be there."""
        steps = (step for steps in self._steps.values() for step in steps.values())
        return any(is_suspect(step) for step in steps if (step.lease_expires_at or now) > now)

    def _rest(self, job_id: JobId, now: datetime) -> None:
        """A job none of whose steps runs is pending again."""
        if not any(step.status is StepStatus.RUNNING for step in self._steps[job_id].values()):
            self._jobs[job_id] = replace(self._jobs[job_id], status=JobStatus.PENDING, updated_at=now)

    def _end_job(self, job_id: JobId, status: JobStatus, now: datetime, **changes: object) -> Job:
        job = self._jobs[job_id]
        if status not in NEXT_STATUSES[job.status]:
            raise ConflictError(f"job {job_id} is {job.status}, cannot become {status}")
        ended = replace(job, status=status, stage=None, updated_at=now, finished_at=now, **changes)  # type: ignore[arg-type]
        self._jobs[job_id] = ended
        return ended
