"""Looks at the job store in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from ethereal.jobs.hearing import is_silent
from ethereal.jobs.memory_state import MemoryState
from ethereal.jobs.model import Job, JobId, JobStatus, JobType, Step, StepStatus
from ethereal.jobs.store import Backlog, Page
from ethereal.jobs.turns import Unfinished, in_turns


class MemoryLooks(MemoryState):
    """What of a `MemoryJobStore` changes nothing."""

    def get_many(self, ids: Collection[JobId]) -> Mapping[JobId, Job]:
        with self._lock:
            return {job_id: self._jobs[job_id] for job_id in ids if job_id in self._jobs}

    def list(
        self,
        *,
        status: JobStatus | None = None,
        type_: JobType | None = None,
        limit: int = 50,
        cursor: int | None = None,
    ) -> Page:
        with self._lock:
            jobs = [
                job
                for job in sorted(self._jobs.values(), key=lambda job: -job.sequence)
                if (status is None or job.status is status)
                and (type_ is None or job.type is type_)
                and (cursor is None or job.sequence < cursor)
            ]
        return Page(jobs[:limit], jobs[limit - 1].sequence if len(jobs) > limit else None)

    def steps(self, job_id: JobId) -> Sequence[Step]:
        with self._lock:
            return sorted(self._steps.get(job_id, {}).values(), key=lambda step: step.key)

    def queue_position(self, job_id: JobId) -> int | None:
        with self._lock:
            job = self.get(job_id)
            if job.status is not JobStatus.PENDING:
                return None
            return in_turns(self._jobs.values()).index(job)

    def queue_positions(self, ids: Collection[JobId]) -> Mapping[JobId, int]:
        with self._lock:
            waiting = in_turns(self._jobs.values())
        return {job.id: place for place, job in enumerate(waiting) if job.id in ids}

    def backlog(self, *, now: datetime) -> Backlog:
        with self._lock:
            living = [job for job in self._jobs.values() if not job.status.is_final]
            pending = [job for job in living if job.status is JobStatus.PENDING]
            steps = [step for job in living for step in self._steps[job.id].values()]
        due = [step for step in steps if step.status is StepStatus.WAITING and step.not_before <= now]
        oldest = min(pending, key=lambda job: job.sequence).created_at if pending else None
        return Backlog(len(pending), oldest, Counter(step.key.name for step in due))

    def counts(self) -> Mapping[JobStatus, int]:
        with self._lock:
            return dict.fromkeys(JobStatus, 0) | Counter(job.status for job in self._jobs.values())

    def unfinished(self, client: str) -> Unfinished:
        with self._lock:
            living = [job for job in self._jobs.values() if not job.status.is_final]
            return Unfinished(len(living), sum(job.client == client for job in living))

    def silent(self, *, before: datetime) -> Sequence[Step]:
        with self._lock:
            running = (
                step
                for job_id, steps in self._steps.items()
                if self._jobs[job_id].status is JobStatus.PROCESSING
                for step in steps.values()
                if step.status is StepStatus.RUNNING
            )
            return [step for step in running if is_silent(step, before)]

    def failures(self, job_id: JobId, worker: str) -> int:
        with self._lock:
            steps = self._steps.get(job_id, {}).values()
            return sum(failure.worker == worker for step in steps for failure in step.failures)

    def audio_in_use(self, audio_key: str) -> bool:
        with self._lock:
            using = [job for job in self._jobs.values() if job.upload_key == audio_key]
        return any(
            not job.status.is_final or (job.type is JobType.RENDER and job.status is JobStatus.COMPLETE)
            for job in using
        )
